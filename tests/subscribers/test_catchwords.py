"""The words by which people are found: they are those of who is there, whatever happened."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from foundation import audit
from foundation.ground import Ground
from subscribers import (
    catchwords,
    erasing,
    finding,
    importing,
    mending,
    merging,
)
from subscribers import people as folk
from subscribers.finding import Query
from subscribers.importing import Asking, Options
from subscribers.models import Subscriber
from subscribers.word_models import SubscriberWord
from tests.subscribers import mailbox, test_join
from tests.world import people
from tests.world.web import Web


async def found(ground: Ground, text: str, *, is_inside: bool = False) -> list[str]:
    result = await finding.search(ground, query=Query(text=text, is_inside=is_inside))
    assert result.total == len(result.rows)
    return [row.subscriber.email for row in result.rows]


async def is_right(ground: Ground) -> bool:
    """Whether exactly the words of who is there are kept."""
    async with ground.db.reading() as session:
        rows = await session.execute(
            sa.select(col(SubscriberWord.subscriber_id), col(SubscriberWord.word))
        )
        kept = {(number, word) for number, word in rows.all()}
        everybody = (await session.exec(select(Subscriber))).all()
    return bool(kept) and kept == {
        (each.id, word)
        for each in everybody
        for word in catchwords.of(
            [each.email, each.first_name, each.last_name, each.postal_code, each.town]
        )
    }


@pytest.mark.storage
async def test_people_are_found_by_the_beginnings_of_words_whatever_their_accents(
    ground: Ground,
) -> None:
    await people.subscribed(
        ground, "mperez@Example.org", first_name="María José", last_name="Pérez-Núñez", town="Lynn"
    )
    await people.subscribed(ground, "ana.ruiz@example.net", first_name="Ana", postal_code="02139")
    for text in ("perez", "NUÑ", "maria jose", "jose mar", "pérez-nu", "mperez@", "ly"):
        assert await found(ground, text) == ["mperez@example.org"], text
    for text in ("ana@example.n", "ana.ruiz@exam", "ana.ruiz@example.net", "@example.net", "021"):
        assert await found(ground, text) == ["ana.ruiz@example.net"], text
    assert len(await found(ground, "example.")) == 2
    for text in ("erez", "139", "perez ana", "ana.ruiz@example.nett", "-", "%"):
        assert await found(ground, text) == [], text
    assert await found(ground, "erez", is_inside=True) == ["mperez@example.org"]
    assert await found(ground, "eñ eze", is_inside=True) == []


@pytest.mark.storage
async def test_words_are_kept_through_all_that_happens_to_people(
    web: Web, ground: Ground, tmp_path: Path
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web, first_name="Ana")
    assert await found(ground, "ana@ex") == [mailbox.ANA]
    assert await is_right(ground)
    await web.post(await mailbox.confirm_url(ground), {})
    ana = await mailbox.person(ground)
    assert ana is not None
    assert ana.first_name == "Ana"
    assert await is_right(ground)
    await web.post(
        mailbox.preferences_path(ground, ana),
        {"action": "save", "lang": "es", "topic": "secure-communities", "first_name": "Anita"},
    )
    assert await found(ground, "anita") == [mailbox.ANA]
    assert await is_right(ground)

    seen = (await folk.show(ground, subscriber_id=ana.id)).subscriber.updated_at
    changes = mending.Changes(first_name="Anaís", town="Worcester", language="es")
    await mending.update(
        ground, actor=audit.COMMAND, subscriber_id=ana.id, seen=seen, changes=changes
    )
    assert await found(ground, "anita") == []
    assert await found(ground, "worc anais") == [mailbox.ANA]
    assert await is_right(ground)

    file = tmp_path / "people.csv"
    file.write_text(
        "email,last_name\nana@example.org,Ruiz\nben@example.org,Ørsted\n", encoding="utf-8"
    )
    vouched = Options(topics=("secure-communities",), asking=Asking.VOUCHED)
    await importing.import_file(ground, actor=audit.COMMAND, path=file, options=vouched)
    assert await found(ground, "ruiz") == [mailbox.ANA]
    assert await is_right(ground)

    ben = await mailbox.person(ground, "ben@example.org")
    assert ben is not None
    await merging.merge(ground, actor=audit.COMMAND, kept_id=ben.id, former_id=ana.id)
    assert await found(ground, "anais worcester") == ["ben@example.org"]
    assert await is_right(ground)
    await test_join.fill_in(web)
    await web.post(await test_join.confirm_path(ground), {})
    assert await found(ground, "dara lowell") == ["dara@river.example"]
    await erasing.erase(ground, subscriber_id=ben.id, via="staff", actor=audit.COMMAND)
    assert await is_right(ground)
    async with ground.db.reading() as session:
        left = set((await session.scalars(sa.select(col(SubscriberWord.subscriber_id)))).all())
    assert left
    assert ben.id not in left
