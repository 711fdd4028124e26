"""The first schema: dispatches, nodes, transitions, payloads, the sequence counter."""

import sqlalchemy as sa  # noqa: TID253 - only Alembic loads this file
from alembic import op  # noqa: TID253

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dispatch",
        sa.Column("key", sa.Integer(), primary_key=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("root_id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float()),
        sa.Column("ended_at", sa.Float()),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("inputs_digest", sa.String(64)),
        sa.Column("inputs_size", sa.Integer()),
        sa.Column("lattice_digest", sa.String(64)),
        sa.Column("lattice_size", sa.Integer()),
        sa.Column("result_digest", sa.String(64)),
        sa.Column("result_size", sa.Integer()),
        sa.Column("autostart", sa.Boolean(), nullable=False),
        sa.Column("cancel_requested", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("graph", sa.LargeBinary(), nullable=False),
    )
    op.create_index("dispatch_by_created", "dispatch", ["root_id", "created_at"])
    op.create_index("dispatch_by_state", "dispatch", ["state"])
    op.create_table(
        "node",
        sa.Column("dispatch_id", sa.String(64), primary_key=True),
        sa.Column("node_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Float()),
        sa.Column("ended_at", sa.Float()),
        sa.Column("output_digest", sa.String(64)),
        sa.Column("output_size", sa.Integer()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("stdout", sa.Text()),
        sa.Column("stderr", sa.Text()),
        sa.Column("traceback", sa.Text()),
    )
    op.create_table(
        "payload",
        sa.Column("key", sa.Integer(), primary_key=True),
        sa.Column("dispatch_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary()),
        sa.UniqueConstraint("dispatch_id", "digest", name="payload_once"),
    )
    op.create_index("payload_by_digest", "payload", ["digest"])
    op.create_table(
        "sequence",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.Integer(), nullable=False),
    )
    op.create_table(
        "transition",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("dispatch_id", sa.String(64), nullable=False),
        sa.Column("node_id", sa.Integer()),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("extra", sa.Text()),
    )
    op.create_index("transition_by_dispatch", "transition", ["dispatch_id"])
    sequence = sa.table("sequence", sa.column("name", sa.String), sa.column("value", sa.Integer))
    op.execute(sequence.insert().values(name="transition", value=0))


def downgrade() -> None:
    op.drop_table("transition")
    op.drop_table("sequence")
    op.drop_table("payload")
    op.drop_table("node")
    op.drop_table("dispatch")
