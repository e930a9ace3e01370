"""A second step when signing in: apps that show codes, recovery codes and passkeys; invitations

Revision 0043, after 0037.
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0037"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _add_columns()
    op.create_table(
        "code_apps",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("staff_id", _BIG, nullable=False),
        sa.Column("sealed_secret", sa.String(), nullable=False),
        sa.Column("last_step", _BIG, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("confirmed_at", _MOMENT, nullable=True),
        _of_staff("code_apps"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_apps")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_code_apps_staff_id"), "code_apps", ["staff_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("staff_id", _BIG, nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        _of_staff("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_codes_code_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_recovery_codes_staff_id"), "recovery_codes", ["staff_id"])
    op.create_table(
        "passkeys",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("staff_id", _BIG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("credential_id", sa.String(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", _BIG, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("last_used_at", _MOMENT, nullable=True),
        _of_staff("passkeys"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_passkeys_staff_id"), "passkeys", ["staff_id"])
    op.create_table(
        "begun_signins",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("staff_id", _BIG, nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("challenge", sa.String(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        _of_staff("begun_signins"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_begun_signins")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_begun_signins_secret_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_begun_signins_staff_id"), "begun_signins", ["staff_id"])
    op.create_index(op.f("ix_begun_signins_expires_at"), "begun_signins", ["expires_at"])


def _add_columns() -> None:
    op.add_column("staff", sa.Column("invited_by", sa.String(), nullable=False, server_default=""))
    op.add_column("staff", sa.Column("joined_at", _MOMENT, nullable=True))
    # Whoever chose a password or was seen has come in at some time since they were added.
    op.execute(
        "UPDATE staff SET joined_at = created_at"
        " WHERE password_hash IS NOT NULL OR last_seen_at IS NOT NULL"
    )
    op.add_column(
        "signin_links", sa.Column("kind", sa.String(), nullable=False, server_default="signin")
    )
    op.add_column(
        "staff_sessions", sa.Column("network", sa.String(), nullable=False, server_default="")
    )
    op.add_column("staff_sessions", sa.Column("proven_at", _MOMENT, nullable=True))


def _of_staff(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["staff_id"], ["staff.id"], name=op.f(f"fk_{table}_staff_id"), ondelete="CASCADE"
    )
