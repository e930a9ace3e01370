"""A bulletin and its campaign from one document: both, or neither."""

import pytest
import sqlalchemy as sa

from campaigns import whole
from foundation import errors
from foundation.audit import COMMAND
from foundation.ground import Ground
from tests.world import campaigning, estate, people

AUDIENCE = {"topics": ["secure-communities"]}


@pytest.mark.storage
async def test_a_document_makes_a_bulletin_and_its_campaign(ground: Ground) -> None:
    await people.topic(ground)
    document = campaigning.document().model_copy(update={"audience": AUDIENCE})
    made = await whole.create(ground, actor=COMMAND, document=document)
    kept = await estate.rows(ground)
    assert len(kept["campaigns"]) == len(kept["bulletins"]) == 1
    assert made.bulletin_id == kept["bulletins"][0][0]


async def test_when_the_database_fails_between_the_two_neither_is_kept(ground: Ground) -> None:
    await people.topic(ground)
    for table, act in (("campaigns", "INSERT"), ("bulletins", "DELETE")):
        async with ground.db.transaction() as session:
            await session.execute(
                sa.text(
                    f"CREATE TRIGGER no_{table} BEFORE {act} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'database is locked'); END"
                )
            )
    before = await estate.rows(ground)
    document = campaigning.document().model_copy(update={"audience": AUDIENCE})
    with pytest.raises(errors.Busy):
        await whole.create(ground, actor=COMMAND, document=document)
    assert await estate.rows(ground) == before


async def test_an_audience_that_is_not_there_keeps_nothing(ground: Ground) -> None:
    before = await estate.rows(ground)
    document = campaigning.document().model_copy(update={"audience": {"topics": ["nowhere"]}})
    with pytest.raises(errors.Invalid, match="nowhere"):
        await whole.create(ground, actor=COMMAND, document=document)
    assert await estate.rows(ground) == before
