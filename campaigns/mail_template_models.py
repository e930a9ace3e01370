"""Tables of the site's own mail templates, beside those that Handbill brings along."""

from datetime import datetime

from sqlmodel import Field

from foundation import tables


class MailTemplate(tables.Table, table=True):
    """A template that editors wrote; only one without flaws is kept."""

    __tablename__ = "mail_templates"

    id: int = tables.identity()
    key: str = Field(nullable=False, unique=True)
    """What documents call it: made of its first name, and the same for good."""
    name: str = Field(nullable=False)
    source: str = Field(nullable=False)
    """MJML with Jinja, as `templates/own_templates.py` allows it."""
    version: int = Field(default=1, nullable=False)
    updated_by: str = Field(default="", nullable=False)
    updated_at: datetime = tables.moment()


class MailTemplateVersion(tables.Table, table=True):
    """An earlier state of a template."""

    __tablename__ = "mail_template_versions"

    template_id: int = Field(
        primary_key=True, foreign_key="mail_templates.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    version: int = Field(primary_key=True)
    name: str = Field(nullable=False)
    source: str = Field(nullable=False)
    saved_by: str = Field(default="", nullable=False)
    saved_at: datetime = tables.moment()


class MailTemplateUse(tables.Table, table=True):
    """A bulletin that is set in a template of the site's own."""

    __tablename__ = "mail_template_uses"

    bulletin_id: int = Field(
        primary_key=True, foreign_key="bulletins.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    template_id: int = tables.reference("mail_templates.id", ondelete="RESTRICT")
