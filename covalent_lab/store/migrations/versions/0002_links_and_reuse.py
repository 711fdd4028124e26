"""Links between dispatches (parents, redispatches), results taken over from other nodes, and the cache of results."""

import sqlalchemy as sa  # noqa: TID253 - only Alembic loads this file
from alembic import op  # noqa: TID253

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dispatch", sa.Column("parent_id", sa.String(64)))
    op.add_column("dispatch", sa.Column("parent_node", sa.Integer()))
    op.add_column("dispatch", sa.Column("redispatched_from", sa.String(64)))
    op.add_column("node", sa.Column("sub_dispatch_id", sa.String(64)))
    op.add_column("node", sa.Column("reused_from", sa.String(96)))
    op.create_table(
        "cached_result",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("dispatch_id", sa.String(64), nullable=False),
        sa.Column("node_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
    )
    op.create_index("cached_result_by_use", "cached_result", ["used_at"])


def downgrade() -> None:
    op.drop_table("cached_result")
    op.drop_column("node", "reused_from")
    op.drop_column("node", "sub_dispatch_id")
    op.drop_column("dispatch", "redispatched_from")
    op.drop_column("dispatch", "parent_node")
    op.drop_column("dispatch", "parent_id")
