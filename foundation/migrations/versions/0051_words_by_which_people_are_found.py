"""The words by which people are found, of all who are there

Revision 0051, after 0050.
"""

import unicodedata
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OCTETS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_AT_A_TIME = 20_000
_LONGEST = 60
_WORDS = sa.table(
    "subscriber_words", sa.column("word", sa.String), sa.column("subscriber_id", _BIG)
)
_TEXTS = ("email", "first_name", "last_name", "postal_code", "town")
_PEOPLE = sa.table("subscribers", sa.column("id", _BIG), *map(sa.column, _TEXTS))
_KEY = "pk_subscriber_words"
_TO_PERSON = "fk_subscriber_words_subscriber_id"


def upgrade() -> None:
    """PostgreSQL checks and sorts once what is there already; SQLite can't add that later."""
    connection = op.get_bind()
    columns = (
        sa.Column("word", _OCTETS, nullable=False),
        sa.Column("subscriber_id", _BIG, nullable=False),
    )
    if connection.dialect.name != "sqlite":
        op.create_table("subscriber_words", *columns)
        _fill(connection)
        op.create_primary_key(op.f(_KEY), "subscriber_words", ["word", "subscriber_id"])
        _index()
        op.create_foreign_key(
            op.f(_TO_PERSON), "subscriber_words", "subscribers",
            ["subscriber_id"], ["id"], ondelete="CASCADE",
        )  # fmt: skip
        return
    op.create_table(
        "subscriber_words",
        *columns,
        sa.PrimaryKeyConstraint("word", "subscriber_id", name=op.f(_KEY)),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name=op.f(_TO_PERSON), ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    _index()
    # Words come in no order: what is being written has to stay at hand.
    connection.exec_driver_sql("PRAGMA cache_size = -100000")
    _fill(connection)
    connection.exec_driver_sql("PRAGMA cache_size = -4000")


def _index() -> None:
    op.create_index(
        op.f("ix_subscriber_words_subscriber_id"), "subscriber_words", ["subscriber_id", "word"]
    )


def _fill(connection: sa.Connection) -> None:
    for pairs in _everybodys(connection):
        _insert(connection, pairs)


def downgrade() -> None:
    op.drop_table("subscriber_words")


def _everybodys(connection: sa.Connection) -> Iterator[Sequence[tuple[str, int]]]:
    """Words with their people, so many people at a time."""
    some = sa.select(_PEOPLE).order_by(_PEOPLE.c.id).limit(_AT_A_TIME)
    last = 0
    while people := connection.execute(some.where(_PEOPLE.c.id > last)).all():
        yield sorted((word, number) for number, *texts in people for word in _words(texts))
        last = people[-1].id


def _words(texts: Sequence[str]) -> set[str]:
    """As they are folded when somebody looks for them."""
    plain = unicodedata.normalize("NFKD", " ".join(texts).casefold())
    letters = (
        " " if not each.isalnum() else each for each in plain if unicodedata.category(each) != "Mn"
    )
    return {word[:_LONGEST] for word in "".join(letters).split()}


def _insert(connection: sa.Connection, pairs: Sequence[tuple[str, int]]) -> None:
    if connection.dialect.name == "sqlite":
        values = [{"word": word, "subscriber_id": number} for word, number in pairs]
        connection.execute(sa.insert(_WORDS), values)
        return
    words, numbers = zip(*pairs, strict=True)
    rows = sa.select(
        sa.func.unnest(sa.bindparam("words", list(words), postgresql.ARRAY(sa.Text()))),
        sa.func.unnest(sa.bindparam("numbers", list(numbers), postgresql.ARRAY(sa.BigInteger()))),
    )
    connection.execute(sa.insert(_WORDS).from_select(["word", "subscriber_id"], rows))
