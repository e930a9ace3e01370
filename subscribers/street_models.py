"""The table of gatherings: a table on the street, a fair, a meeting where people sign up."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables


class Gathering(tables.Table, table=True):
    """Where people write their address down, on our paper or at our tablet."""

    __tablename__ = "gatherings"

    id: int = tables.identity()
    name: str = Field(nullable=False)
    """As the mail to confirm calls it."""
    code: str = Field(nullable=False, unique=True)
    """Kept with each sign-up as its source."""
    day: date = Field(nullable=False, sa_type=sa.Date)
    form_id: int | None = tables.reference(
        "forms.id", nullable=True, index=False, ondelete="SET NULL"
    )
    """Whose topics and fields are asked for; None is the form at `/subscribe`."""
    languages: list[str] = tables.json_list()
    """Of paper and tablet, in order."""
    wordings: dict[str, int] = tables.json_dict()
    """Language → the version of the words that the paper asks with."""
    created_at: datetime = tables.moment()
    created_by: str = Field(default="", nullable=False)
