"""Whole dispatches on an executor that is reached over a network and configured by its short name."""

import socket
from collections.abc import Callable
from typing import Any, ClassVar

import covalent_lab as ct
from covalent_lab.client.connection import disconnect
from covalent_lab.executor.base import Executor

__all__ = ["RemoteDispatches"]


class RemoteDispatches:
    """Tests on the executor of a short name; a fixture `options` says how it is reached.

    Attributes:
        name: The short name.
        make: The class of the executor.
    """

    name: ClassVar[str]
    make: ClassVar[Callable[..., Executor]]

    def test_dispatch_by_name_and_by_instance(self, options: dict[str, Any]) -> None:
        """Configured values for the name; results pass from host to host; a failure is the task's."""
        for name, value in options.items():
            ct.set_config(f"executors.{self.name}.{name}", value)

        def double(x: Any) -> Any:
            print("doubling")
            return 2 * x

        def fail(x: Any) -> Any:
            raise ValueError(f"no {len(x)}")

        by_name, by_instance = ct.electron(double, executor=self.name), ct.electron(double, executor=self.make())
        failing = ct.electron(fail, executor=self.name)

        @ct.lattice
        def good(x: Any) -> Any:
            return by_instance(by_name(x))

        @ct.lattice
        def bad(x: Any) -> Any:
            return failing(by_name(x))

        result = ct.get_result(ct.dispatch(good)("y" * 100_000), wait=60)
        assert result.result == "y" * 400_000
        assert result.get_node_result(0)["stdout"] == "doubling\n"
        result = ct.get_result(ct.dispatch(bad)("y"), wait=60)
        assert str(result.status) == "FAILED"
        assert "ValueError: no 2" in result.get_node_result(2)["error"]

    def test_dispatch_goes_on_after_a_restart_of_the_dispatcher(self, options: dict[str, Any]) -> None:
        """Its task ran once, from the first dispatcher into the second."""

        def wait(port: int) -> str:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"x")
                assert connection.recv(2) == b"go"
            return "x" * 100_000

        with socket.create_server(("127.0.0.1", 0)) as door:
            door.settimeout(120)
            task = ct.electron(wait, executor=self.make(**options))

            @ct.lattice
            def workflow(port: int) -> Any:
                return task(port)

            dispatch_id = ct.dispatch(workflow)(door.getsockname()[1])
            with door.accept()[0] as connection:
                connection.recv(1)
                disconnect()
                assert str(ct.get_result(dispatch_id, wait=False).status) == "RUNNING"
                connection.sendall(b"go")
                assert ct.get_result(dispatch_id, wait=60).result == "x" * 100_000
