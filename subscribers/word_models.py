"""The table of the words by which people are found."""

import sqlalchemy as sa
from sqlmodel import Field

from foundation import tables

_OCTETS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
"""Compared octet by octet on both engines, so that all words with one beginning stand together."""


class SubscriberWord(tables.Table, table=True):
    """A word of somebody's address, name, town or postal code, folded; it goes with the person."""

    __tablename__ = "subscriber_words"
    __table_args__ = (
        sa.Index("ix_subscriber_words_subscriber_id", "subscriber_id", "word"),
        {"sqlite_with_rowid": False},
    )

    word: str = Field(primary_key=True, sa_type=_OCTETS)
    subscriber_id: int = Field(
        primary_key=True, foreign_key="subscribers.id", ondelete="CASCADE", sa_type=tables.BIG
    )
