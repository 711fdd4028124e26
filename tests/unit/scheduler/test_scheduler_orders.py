"""Random graphs under random orders of events, cancels and crashes."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from scheduler_world import BUILD_FAIL, BUILD_OK, FAIL, HANG, OK, World, expected_states

from covalent_lab.graph.model import Graph
from covalent_lab.ids import DispatchId, NodeId
from covalent_lab.scheduler.plan import NodePolicy
from covalent_lab.scheduler.scheduler import MAX_LOST
from covalent_lab.scheduler.states import DispatchState, NodeState
from covalent_lab.testing.graphs import graphs

LANES = ("local", "other")
NAMES = (DispatchId("first"), DispatchId("second"))
BUILDS = ([BUILD_OK], [BUILD_FAIL], [FAIL, BUILD_OK], [HANG, BUILD_FAIL])
SCRIPTS = ([OK], [FAIL], [FAIL, OK], [HANG, OK], [FAIL, HANG, OK], [HANG], [FAIL, FAIL, FAIL, OK], *BUILDS)
WORKS = (OK, BUILD_OK)


class Setting:
    """A world with one or two dispatches, all drawn at random."""

    def __init__(self, data: st.DataObject) -> None:
        limits = {lane: data.draw(st.integers(1, 3), label=f"limit of {lane}") for lane in LANES}
        self.policies = [
            NodePolicy(
                executor=lane,
                retries=data.draw(st.integers(0, 3), label=f"retries on {lane}"),
                time_limit_s=5.0,
                packs=data.draw(st.booleans(), label=f"{lane} packs"),
            )
            for lane in LANES
        ]
        self.graphs: dict[DispatchId, Graph] = {}
        self.world = World(limits, is_fast=data.draw(st.booleans(), label="jobs are fast"))
        for name in NAMES[: data.draw(st.integers(1, 2), label="dispatches")]:
            graph = self.graphs[name] = data.draw(graphs(lanes=LANES), label=f"graph of {name}")
            for node in graph.nodes:
                self.world.scripts[name, node.id] = data.draw(st.sampled_from(SCRIPTS), label=f"{name} {node.id}")
        for name, graph in self.graphs.items():
            self.world.submit(name, graph, self.policies)

    def fate(self, name: DispatchId) -> Mapping[int, NodeState]:
        """How each node ends once it may use all its attempts."""
        ends = {}
        for node in self.graphs[name].nodes:
            script = self.world.scripts[name, node.id]
            retries = self.policies[node.options].retries
            used = [outcome for outcome in script[: retries + 1] if outcome not in (FAIL, HANG)]
            works = bool(used) and used[0] in WORKS
            ends[int(node.id)] = NodeState.COMPLETED if works else NodeState.FAILED
        return ends


def one_event(data: st.DataObject, world: World, *, may_crash: bool, may_cancel: bool) -> None:
    """Let one thing happen."""
    if world.waited_for and data.draw(st.booleans()):
        crash = data.draw(st.sampled_from(["", "", "", "record", "act"])) if may_crash else ""
        world.tick(world.sub_event(data.draw(st.sampled_from(sorted(world.waited_for)))), crash=crash)
        if crash:
            world.restart(data.draw(st.lists(st.booleans(), max_size=len(world.jobs))))
        return
    if not world.jobs:
        return
    actions = ["start", "end", "end", "end", "lose", "timer", "late"]
    actions += ["cancel", "cancel all"] if may_cancel else []
    actions += ["crash"] if may_crash else []
    action = data.draw(st.sampled_from(actions))
    crash = data.draw(st.sampled_from(["", "", "", "record", "act"])) if may_crash else ""
    key = data.draw(st.sampled_from(sorted(world.jobs)))
    job = world.jobs[key]
    event = None
    match action:
        case "start" if not job.has_started:
            event = world.start_event(key)
        case "end":
            event = world.end_event(key)
        case "lose":
            event = world.lose_event(key)
        case "timer" if job.has_timer and job.outcome == HANG:  # others end before their limit
            event = world.timer_event(key)
        case "late":
            over = [e for e in world.past if is_over(world, e)]
            if over:
                crash = ""
                step = world.tick(data.draw(st.sampled_from(over)))
                assert (step.transitions, step.commands, step.cancels) == ([], [], [])
        case "cancel" | "cancel all":
            name = key[0]
            some = data.draw(st.sets(st.integers(0, len(world.records[name].plan.names) - 1), min_size=1))
            chosen = None if action == "cancel all" else frozenset(NodeId(n) for n in some)
            world.cancel(name, chosen, crash=crash)
            if crash:
                world.restart(data.draw(st.lists(st.booleans(), max_size=len(world.jobs))))
            return
        case "crash":
            world.restart(data.draw(st.lists(st.booleans(), max_size=len(world.jobs))))
    if event is not None:
        world.tick(event, crash=crash)
        if crash:
            world.restart(data.draw(st.lists(st.booleans(), max_size=len(world.jobs))))


def is_over(world: World, event: object) -> bool:
    """Whether an event that was told once belongs to an attempt that is over by now, or says nothing new."""
    dispatch_id, node, attempt = (getattr(event, n, None) for n in ("dispatch_id", "node_id", "attempt"))
    if dispatch_id is None or node is None or attempt is None:
        return False
    record = world.records[dispatch_id]
    state, current = record.nodes.get(node, (NodeState.NEW_OBJECT, 0))
    return record.state.is_terminal or attempt < current or (state.is_terminal and attempt == current)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_order_of_events_ends_in_the_states_the_rules_say(data: st.DataObject) -> None:
    """Starts, ends, losses, time limits and repeated events in any order lead to the same final states."""
    setting = Setting(data)
    for _ in range(data.draw(st.integers(0, 25))):
        one_event(data, setting.world, may_crash=False, may_cancel=False)
    setting.world.settle()
    assert_ended_by_the_rules(setting)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_crashes_at_any_moment_do_not_change_how_a_run_ends(data: st.DataObject) -> None:
    """Whatever is forgotten before or after recording, the rebuilt run ends in the same class of states."""
    setting = Setting(data)
    for _ in range(data.draw(st.integers(0, MAX_LOST))):
        one_event(data, setting.world, may_crash=True, may_cancel=False)
    setting.world.settle()
    assert_ended_by_the_rules(setting, exact=False)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_cancels_and_crashes_at_any_moment_leave_a_consistent_end(data: st.DataObject) -> None:
    """Asked-for nodes may be cancelled, nothing else is, and no node runs after an input that did not complete."""
    setting = Setting(data)
    for _ in range(data.draw(st.integers(0, MAX_LOST))):
        one_event(data, setting.world, may_crash=True, may_cancel=True)
    setting.world.settle()
    for name, graph in setting.graphs.items():
        record = setting.world.records[name]
        actual = [record.node(node.id) for node in graph.nodes]
        asked = {n for n, state in enumerate(actual) if state is NodeState.CANCELLED}
        assert record.cancel_all or asked <= set(record.cancelled)
        for node in graph.nodes:
            inputs = [actual[e.source] for e in graph.edges if e.target == node.id]
            may_run = all(state is NodeState.COMPLETED for state in inputs)
            assert actual[node.id].is_terminal == may_run
        assert record.state is final_state(actual)
    assert set(setting.world.completions.values()) <= {1}


def assert_ended_by_the_rules(setting: Setting, *, exact: bool = True) -> None:
    """Compare all final states with those worked out from the graph alone.

    A restart renews retries, so that with crashes (`exact=False`) a node that should run out of them may succeed.
    """
    for name, graph in setting.graphs.items():
        record = setting.world.records[name]
        actual = [record.node(node.id) for node in graph.nodes]
        fate = dict(setting.fate(name))
        if not exact:
            fate |= {
                n: s
                for n, s in enumerate(actual)
                if s is NodeState.COMPLETED and set(WORKS) & set(script(setting, name, n))
            }
        assert actual == expected_states(graph, record.plan, fate)
        assert record.state is final_state(actual)
        failed = [f"{n}: {record.plan.names[n]}" for n, s in enumerate(actual) if s is NodeState.FAILED]
        assert record.error == ("The following tasks failed:\n" + "\n".join(failed) if failed else "")
    assert set(setting.world.completions.values()) <= {1}


def script(setting: Setting, name: DispatchId, node: int) -> list[str]:
    """What the attempts at a node do."""
    return list(setting.world.scripts[name, NodeId(node)])


def final_state(states: list[NodeState]) -> DispatchState:
    """FAILED if any node failed, else CANCELLED if any was cancelled, else COMPLETED."""
    if NodeState.FAILED in states:
        return DispatchState.FAILED
    return DispatchState.CANCELLED if NodeState.CANCELLED in states else DispatchState.COMPLETED
