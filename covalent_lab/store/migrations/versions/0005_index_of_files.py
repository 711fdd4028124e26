"""Payloads are looked up by digest only for their files, so only those that are files are indexed by it."""

import sqlalchemy as sa  # noqa: TID253 - only Alembic loads this file
from alembic import op  # noqa: TID253

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_file = sa.text("data is null")
    op.drop_index("payload_by_digest", "payload")
    op.create_index("payload_file_by_digest", "payload", ["digest"], sqlite_where=is_file, postgresql_where=is_file)


def downgrade() -> None:
    op.drop_index("payload_file_by_digest", "payload")
    op.create_index("payload_by_digest", "payload", ["digest"])
