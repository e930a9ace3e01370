"""Statements, questions, logos and sign-ons; what contacts look after; the yearly question

Revision 0013, after 0012. Members were named nowhere before, so none is listed.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "members", sa.Column("is_listed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for name in ("renewed_at", "renewal_asked_at", "renewal_reminded_at"):
        op.add_column("members", sa.Column(name, _MOMENT, nullable=True))
    op.create_index(op.f("ix_members_renewal_asked_at"), "members", ["renewal_asked_at"])
    op.create_table(
        "member_contact_duties",
        sa.Column("contact_id", _BIG, nullable=False),
        sa.Column("duty", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["member_contacts.id"],
            name=op.f("fk_member_contact_duties_contact_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("contact_id", "duty", name=op.f("pk_member_contact_duties")),
    )
    op.create_table(
        "statements",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("texts", _JSON, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_statements")),
    )
    op.create_table(
        "member_logos",
        sa.Column("member_id", _BIG, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("alt", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["members.id"],
            name=op.f("fk_member_logos_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_member_logos")),
    )
    _questions()
    _sign_ons()


def _questions() -> None:
    op.create_table(
        "member_questions",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("member_id", _BIG, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.Column("contact_id", _BIG, nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["members.id"],
            name=op.f("fk_member_questions_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["member_contacts.id"],
            name=op.f("fk_member_questions_contact_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_questions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_member_questions_member_id"), "member_questions", ["member_id"])


def _sign_ons() -> None:
    op.create_table(
        "sign_ons",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("statement_version", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("organisation_key", sa.String(), nullable=False),
        sa.Column("town", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("member_id", _BIG, nullable=True),
        sa.Column("network", sa.String(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("confirmed_at", _MOMENT, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_sign_ons_member_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ons")),
        sa.UniqueConstraint(
            "email_key",
            "organisation_key",
            "statement_version",
            name=op.f("uq_sign_ons_email_key_organisation_key_statement_version"),
        ),
        sqlite_autoincrement=True,
    )
    for name in ("statement_version", "email_key", "state", "member_id"):
        op.create_index(op.f(f"ix_sign_ons_{name}"), "sign_ons", [name])
