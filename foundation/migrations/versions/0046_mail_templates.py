"""Mail templates of the site's own

Revision 0046, after 0047.
"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0047"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "mail_templates",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_by", sa.String(), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_templates")),
        sa.UniqueConstraint("key", name=op.f("uq_mail_templates_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "mail_template_versions",
        sa.Column("template_id", _BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=False),
        sa.Column("saved_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["mail_templates.id"],
            name=op.f("fk_mail_template_versions_template_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("template_id", "version", name=op.f("pk_mail_template_versions")),
    )
    op.create_table(
        "mail_template_uses",
        sa.Column("bulletin_id", _BIG, nullable=False),
        sa.Column("template_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["bulletin_id"],
            ["bulletins.id"],
            name=op.f("fk_mail_template_uses_bulletin_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["mail_templates.id"],
            name=op.f("fk_mail_template_uses_template_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("bulletin_id", name=op.f("pk_mail_template_uses")),
    )
    op.create_index(
        op.f("ix_mail_template_uses_template_id"), "mail_template_uses", ["template_id"]
    )


def downgrade() -> None:
    op.drop_table("mail_template_uses")
    op.drop_table("mail_template_versions")
    op.drop_table("mail_templates")
