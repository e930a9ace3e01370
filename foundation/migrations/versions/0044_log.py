"""Indexes by which millions of entries of the log are looked through, newest first

Revision 0044, after 0041.
"""

from alembic import op

revision = "0044"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("staff_id", "actor_kind", "action", "object_kind"):
        op.create_index(f"ix_audit_entries_{name}_id", "audit_entries", [name, "id"])
    for name in ("staff_id", "action"):
        op.drop_index(op.f(f"ix_audit_entries_{name}"), table_name="audit_entries")
