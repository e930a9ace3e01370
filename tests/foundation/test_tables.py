"""What a service holds of each of its thousand columns is what it needs of them."""

import gc
from typing import Any

import sqlalchemy as sa
from pydantic.fields import FieldInfo
from sqlalchemy import event
from sqlalchemy.orm import configure_mappers, registry
from sqlmodel import Field, SQLModel, col, select

from foundation.tables import Table, identity

TITLE = "of a pebble"


def made() -> Any:
    """A table that no database has."""

    class Apart(Table, registry=registry(metadata=sa.MetaData(), class_registry={})):
        """Base of such tables."""

    class Pebble(Apart, table=True):
        """Something with columns."""

        id: int = identity()
        grams: int = Field(default=7, title=TITLE)

    return Pebble


def of_statements(kind: Any) -> list[Any]:
    """A table's columns as statements have them."""
    table = sa.inspect(kind).local_table
    return [
        found
        for found in gc.get_objects()
        if isinstance(found, sa.Column) and found._annotations and found.table is table
    ]


def test_a_column_that_no_statement_names_is_not_made_for_one() -> None:
    pebble = made()
    configure_mappers()
    assert of_statements(pebble) == []
    assert "grams" in str(select(col(pebble.grams)))
    assert of_statements(pebble) != []


def test_changes_of_a_column_can_be_listened_to() -> None:
    pebble = made()
    heard: list[int] = []
    event.listen(pebble.grams, "set", lambda _pebble, grams, *_: heard.append(grams))
    pebble(grams=3).grams = 4
    assert heard == [3, 4]


def test_what_a_field_was_written_with_is_let_go_once_it_is_understood() -> None:
    pebble = made()
    gc.collect()
    fields = [each for each in gc.get_objects() if isinstance(each, FieldInfo)]
    assert [each for each in fields if each.title == TITLE] == [pebble.model_fields["grams"]]
    assert pebble().grams == 7


def test_a_field_whose_kind_is_not_known_yet_is_understood_later() -> None:
    class Heap(Table):
        """Names something that comes after it."""

        stones: "list[Stone]" = Field(default_factory=list, title="all of them")

    class Stone(SQLModel):
        """What it names."""

        grams: int

    Heap.model_rebuild(_types_namespace={"Stone": Stone})
    heap = Heap.model_validate({"stones": [{"grams": 5}]})
    assert (heap.stones[0].grams, Heap.model_fields["stones"].title) == (5, "all of them")
