"""The tables. Every change here is an Alembic migration in `migrations/versions/` as well; a test compares the two."""

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives

from covalent_lab.ids import DispatchId

__all__ = ["CACHE_OWNER", "HEAD", "cached_result", "dispatch", "graph", "metadata", "node", "payload", "transition"]

HEAD = "0005"
"""Revision of the schema in this file."""

CACHE_OWNER = DispatchId("cache")
"""Stands in `payload.dispatch_id` for the cache of results, which keeps what it refers to."""

_IS_FILE = sa.text("data is null")

metadata = sa.MetaData()

dispatch = sa.Table(
    "dispatch",
    metadata,
    sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("root_id", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.String(32), nullable=False),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("started_at", sa.Float),
    sa.Column("ended_at", sa.Float),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("completed", sa.Integer, nullable=False, default=0),
    sa.Column("failed", sa.Integer, nullable=False, default=0),
    sa.Column("cancelled", sa.Integer, nullable=False, default=0),
    sa.Column("inputs_digest", sa.String(64)),
    sa.Column("inputs_size", sa.Integer),
    sa.Column("lattice_digest", sa.String(64)),
    sa.Column("lattice_size", sa.Integer),
    sa.Column("result_digest", sa.String(64)),
    sa.Column("result_size", sa.Integer),
    sa.Column("autostart", sa.Boolean, nullable=False, default=True),
    sa.Column("cancel_requested", sa.Text, nullable=False, default=""),
    sa.Column("owner", sa.String(128), nullable=False, default=""),
    sa.Column("lease_until", sa.Float, nullable=False, default=0.0),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("doc", sa.Text, nullable=False, default=""),
    sa.Column("source", sa.Text, nullable=False, default=""),
    sa.Column("parent_id", sa.String(64)),
    sa.Column("parent_node", sa.Integer),
    sa.Column("redispatched_from", sa.String(64)),
    sa.Index("dispatch_by_created", "root_id", "created_at"),
    sa.Index("dispatch_by_state", "state"),
)

# Apart from `dispatch`: a database writes all of a row whenever one value of it changes, and graphs are large.
graph = sa.Table(
    "graph",
    metadata,
    sa.Column("dispatch_key", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

node = sa.Table(
    "node",
    metadata,
    sa.Column("dispatch_id", sa.String(64), primary_key=True),
    sa.Column("node_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String(32), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("started_at", sa.Float),
    sa.Column("ended_at", sa.Float),
    sa.Column("output_digest", sa.String(64)),
    sa.Column("output_size", sa.Integer),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.Column("handle", sa.Text, nullable=False, default=""),
    sa.Column("stdout", sa.Text),
    sa.Column("stderr", sa.Text),
    sa.Column("traceback", sa.Text),
    sa.Column("sub_dispatch_id", sa.String(64)),
    sa.Column("reused_from", sa.String(96)),
    sa.Column("usage", sa.Text),
)

transition = sa.Table(
    "transition",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("dispatch_id", sa.String(64), nullable=False),
    sa.Column("node_id", sa.Integer),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.Column("extra", sa.Text),
    sa.Index("transition_by_dispatch", "dispatch_id"),
)

payload = sa.Table(
    "payload",
    metadata,
    sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("dispatch_id", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary),
    sa.UniqueConstraint("dispatch_id", "digest", name="payload_once"),
    # Whether a file is still needed is asked by digest; small payloads, of which there are many, cost no entry.
    sa.Index("payload_file_by_digest", "digest", sqlite_where=_IS_FILE, postgresql_where=_IS_FILE),
)

cached_result = sa.Table(
    "cached_result",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("dispatch_id", sa.String(64), nullable=False),
    sa.Column("node_id", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("used_at", sa.Float, nullable=False),
    sa.Column("hits", sa.Integer, nullable=False, default=0),
    sa.Index("cached_result_by_use", "used_at"),
)

sequence = sa.Table(
    "sequence",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)
