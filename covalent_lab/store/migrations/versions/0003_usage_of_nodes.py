"""What each node used: CPU time, memory, bytes, and where it ran."""

import sqlalchemy as sa  # noqa: TID253 - only Alembic loads this file
from alembic import op  # noqa: TID253

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("node", sa.Column("usage", sa.Text()))


def downgrade() -> None:
    op.drop_column("node", "usage")
