"""Graphs in a table of their own, so that a dispatch can change without its graph being written again."""

import sqlalchemy as sa  # noqa: TID253 - only Alembic loads this file
from alembic import op  # noqa: TID253

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "graph",
        sa.Column("dispatch_key", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.execute(sa.text("insert into graph (dispatch_key, data) select key, graph from dispatch"))
    op.drop_column("dispatch", "graph")


def downgrade() -> None:
    op.add_column("dispatch", sa.Column("graph", sa.LargeBinary(), nullable=False, server_default=""))
    op.execute(sa.text("update dispatch set graph = (select data from graph where dispatch_key = dispatch.key)"))
    op.drop_table("graph")
