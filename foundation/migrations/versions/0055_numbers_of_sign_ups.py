"""On SQLite an erased sign-up's number goes to nobody else

Revision 0055, after 0054. The table was made anew once (0015), and lost this.
"""

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _made_anew(never_again=True)


def downgrade() -> None:
    _made_anew(never_again=False)


def _made_anew(*, never_again: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        options = {"sqlite_autoincrement": never_again}
        with op.batch_alter_table("signups", recreate="always", table_kwargs=options):
            """Nothing else changes."""
