"""Sign-ups of a person are found by their state, too

Revision 0052, after 0049.
"""

from alembic import op

revision = "0052"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f("ix_signups_subscriber_id"), "signups")
    op.create_index(op.f("ix_signups_subscriber_id"), "signups", ["subscriber_id", "state"])


def downgrade() -> None:
    op.drop_index(op.f("ix_signups_subscriber_id"), "signups")
    op.create_index(op.f("ix_signups_subscriber_id"), "signups", ["subscriber_id"])
