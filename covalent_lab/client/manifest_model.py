"""The manifest of a dispatch as data: what a server of Covalent is told, and tells.

The classes have the names and the methods (`model_validate`, `model_dump` and their JSON forms) of the models of
Covalent, and can be changed as those. Fields that Covalent lacks, and that this package's graphs need, have a default.
Unknown keys are ignored, and an asset may be missing.
"""

import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints

from covalent_lab.client.status import Status

__all__ = [
    "AssetSchema",
    "BulkDispatchGetSchema",
    "DispatchSummary",
    "EdgeMetadata",
    "EdgeSchema",
    "ElectronAssets",
    "ElectronMetadata",
    "ElectronSchema",
    "LatticeAssets",
    "LatticeMetadata",
    "LatticeSchema",
    "Model",
    "ResultAssets",
    "ResultMetadata",
    "ResultSchema",
    "TransportGraphSchema",
]


class Model:
    """What every part of a manifest can do."""

    @classmethod
    def model_validate(cls, form: Any) -> Self:
        """Read a dictionary, or take an object of this class as it is.

        Raises:
            ValueError: Something is missing, or of the wrong type. Says where.
        """
        return form if isinstance(form, cls) else _read(cls, form, cls.__name__)

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Read JSON text."""
        return cls.model_validate(json.loads(text))

    def model_dump(self) -> dict[str, Any]:
        """As nested dictionaries; times stay objects."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]

    def model_dump_json(self) -> str:
        """As JSON text; times in ISO form."""
        return json.dumps(self.model_dump(), default=datetime.isoformat)


@dataclass(slots=True, kw_only=True)
class AssetSchema(Model):
    """A piece of a dispatch that is a file. Size 0 means that it has no value.

    Attributes:
        digest_alg: `"sha"`.
        digest: SHA-1 of the file, in hexadecimal digits.
        uri: Where the client has it.
        remote_uri: Where it is sent to, or fetched from.
        size: In bytes.
    """

    digest_alg: str | None = "sha"
    digest: str | None = ""
    uri: str | None = ""
    remote_uri: str | None = ""
    size: int | None = 0


@dataclass(slots=True, kw_only=True)
class EdgeMetadata(Model):
    """What an edge stands for; only orderings have no `param_type`."""

    edge_name: str
    param_type: str | None = None
    arg_index: int | None = None


@dataclass(slots=True, kw_only=True)
class EdgeSchema(Model):
    """An edge from the node `source` to the node `target`."""

    source: int
    target: int
    metadata: EdgeMetadata


@dataclass(slots=True, kw_only=True)
class ElectronMetadata(Model):
    """A node without its values.

    Attributes:
        kind: See `NodeKind`.
        function_name: Name of the function, if the node has another one.
        doc: Documentation of the function.
        cache_key: See `Function`.
    """

    task_group_id: int
    name: str
    executor: str
    executor_data: dict[str, Any] = field(default_factory=dict)
    sub_dispatch_id: str | None = None
    kind: str = "function"
    function_name: str = ""
    doc: str = ""
    cache_key: str = ""
    status: Status = Status.NEW_OBJECT
    start_time: datetime | None = None
    end_time: datetime | None = None

    def reset(self) -> None:
        """Make it a node that has not run."""
        self.status = Status.NEW_OBJECT
        self.start_time = self.end_time = None


@dataclass(slots=True, kw_only=True)
class ElectronAssets(Model):
    """The pieces of a node."""

    function: AssetSchema | None = None
    function_string: AssetSchema | None = None
    value: AssetSchema | None = None
    output: AssetSchema | None = None
    error: AssetSchema | None = None
    stdout: AssetSchema | None = None
    stderr: AssetSchema | None = None
    hooks: AssetSchema | None = None


@dataclass(slots=True, kw_only=True)
class ElectronSchema(Model):
    """A node."""

    id: int
    metadata: ElectronMetadata
    assets: ElectronAssets = field(default_factory=ElectronAssets)


@dataclass(slots=True, kw_only=True)
class TransportGraphSchema(Model):
    """The nodes and edges of a graph."""

    nodes: list[ElectronSchema]
    links: list[EdgeSchema]


@dataclass(slots=True, kw_only=True)
class LatticeMetadata(Model):
    """A workflow without its values; `cache` and `triggers` as for `covalent_lab.lattice`."""

    name: str
    executor: str
    executor_data: dict[str, Any] = field(default_factory=dict)
    workflow_executor: str
    workflow_executor_data: dict[str, Any] = field(default_factory=dict)
    cache: bool | None = None
    triggers: list[dict[str, Any]] | None = None
    python_version: str | None = None
    covalent_version: str | None = None


@dataclass(slots=True, kw_only=True)
class LatticeAssets(Model):
    """The pieces of a workflow."""

    workflow_function: AssetSchema | None = None
    workflow_function_string: AssetSchema | None = None
    doc: AssetSchema | None = None
    inputs: AssetSchema | None = None
    hooks: AssetSchema | None = None


@dataclass(slots=True, kw_only=True)
class LatticeSchema(Model):
    """A workflow and its graph; `replacements` are electrons that stand in for those of a name."""

    metadata: LatticeMetadata
    assets: LatticeAssets = field(default_factory=LatticeAssets)
    replacements: dict[str, AssetSchema] = field(default_factory=dict)
    transport_graph: TransportGraphSchema


@dataclass(slots=True, kw_only=True)
class ResultMetadata(Model):
    """A dispatch without its values."""

    dispatch_id: str
    root_dispatch_id: str
    status: Status = Status.NEW_OBJECT
    start_time: datetime | None = None
    end_time: datetime | None = None

    def reset(self) -> None:
        """Make it a dispatch that was not started."""
        self.status = Status.NEW_OBJECT
        self.start_time = self.end_time = None


@dataclass(slots=True, kw_only=True)
class ResultAssets(Model):
    """The pieces of a dispatch itself."""

    result: AssetSchema | None = None
    error: AssetSchema | None = None


@dataclass(slots=True, kw_only=True)
class ResultSchema(Model):
    """A dispatch, with the workflow that it runs."""

    metadata: ResultMetadata
    assets: ResultAssets = field(default_factory=ResultAssets)
    lattice: LatticeSchema

    def reset_metadata(self) -> None:
        """Make it a dispatch that was not started, with all its nodes."""
        self.metadata.reset()
        for node in self.lattice.transport_graph.nodes:
            node.metadata.reset()


@dataclass(slots=True, kw_only=True)
class DispatchSummary(Model):
    """A dispatch in a list."""

    dispatch_id: str
    root_dispatch_id: str | None = None
    status: Status
    name: str | None = None
    electron_num: int | None = None
    completed_electron_num: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class BulkDispatchGetSchema(Model):
    """A list of dispatches."""

    dispatches: list[DispatchSummary]
    metadata: dict[str, Any] = field(default_factory=dict)


def _read(kind: Any, value: Any, place: str) -> Any:
    if get_origin(kind) is UnionType:
        others = [option for option in get_args(kind) if option is not NoneType]
        return None if value is None else _read(others[0], value, place)
    if get_origin(kind) is list and isinstance(value, list):
        return [_read(get_args(kind)[0], item, f"{place}[{index}]") for index, item in enumerate(value)]
    if get_origin(kind) is dict and isinstance(value, dict):
        of = get_args(kind)[1]
        return dict(value) if of is Any else {key: _read(of, item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(kind, type) and isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    try:
        if kind is Status and isinstance(value, str):
            return Status(value)
        if kind is datetime and isinstance(value, str):
            return datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    if isinstance(kind, type) and issubclass(kind, Model) and isinstance(value, dict):
        hints = get_type_hints(kind)
        parts = fields(kind)  # type: ignore[arg-type]
        needed = [p.name for p in parts if p.default is MISSING and p.default_factory is MISSING]
        missing = [name for name in needed if name not in value]
        if missing:
            raise ValueError(f"{place} lacks {', '.join(missing)}.")
        return kind(
            **{p.name: _read(hints[p.name], value[p.name], f"{place}.{p.name}") for p in parts if p.name in value}
        )
    raise ValueError(f"{place} cannot be {value!r:.100}.")
