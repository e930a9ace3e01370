from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from delivery.models import QueuedNotice
from foundation import audit, errors
from foundation.ground import Ground
from subscribers import importing, suppression
from subscribers.importing import Asking, Counts, Options
from subscribers.models import (
    Consent,
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from tests.world import people

TOPIC = "secure-communities"
VOUCHED = Options(topics=(TOPIC,), asking=Asking.VOUCHED)


async def bring(
    ground: Ground,
    folder: Path,
    text: str,
    options: Options = VOUCHED,
    *,
    refused_to: Path | None = None,
) -> Counts:
    await people.topic(ground, TOPIC)
    path = folder / "people.csv"
    path.write_text(text, encoding="utf-8")
    return await importing.import_file(
        ground, actor=audit.COMMAND, path=path, options=options, refused_to=refused_to
    )


async def person(ground: Ground, email: str) -> Subscriber | None:
    async with ground.db.reading() as session:
        return (await session.exec(select(Subscriber).where(Subscriber.email_key == email))).first()


async def states(ground: Ground, email: str) -> list[str]:
    async with ground.db.reading() as session:
        found = await session.scalars(
            sa.select(col(Subscription.state))
            .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            .where(col(Subscriber.email_key) == email)
        )
        return list(found)


@pytest.mark.storage
async def test_people_vouched_for_are_confirmed_and_nobody_is_mailed(
    ground: Ground, tmp_path: Path
) -> None:
    counts = await bring(
        ground,
        tmp_path,
        "email,first_name,zip,tags,language\n"
        'ana@example.org,Ana,02139,"vigil,choir",es-MX\n'
        "ben@example.org,Ben,,,\n",
    )
    assert counts.as_dict() == {
        "added": 2,
        "updated": 0,
        "unchanged": 0,
        "suppressed": 0,
        "refused": 0,
    }
    ana = await person(ground, "ana@example.org")
    assert ana is not None
    assert (ana.first_name, ana.postal_code, ana.language) == ("Ana", "02139", "es")
    assert await states(ground, "ana@example.org") == [SubscriptionState.CONFIRMED]
    async with ground.db.reading() as session:
        tags = set(await session.scalars(sa.select(col(SubscriberTag.tag))))
        steps = (await session.exec(select(Consent))).all()
        notices = (await session.exec(select(QueuedNotice))).all()
    assert tags == {"choir", "vigil"}
    assert {step.step for step in steps} == {"imported"}
    assert {step.via for step in steps} == {"import"}
    assert notices == []


@pytest.mark.storage
async def test_people_asked_are_pending_and_get_one_confirmation_each(
    ground: Ground, tmp_path: Path
) -> None:
    text = "email\nana@example.org\nben@example.org\nana@example.org\n"
    ask = Options(topics=(TOPIC,), asking=Asking.ASK)
    first = await bring(ground, tmp_path, text, ask)
    second = await bring(ground, tmp_path, text, ask)
    assert (first.added, first.unchanged) == (2, 1)
    assert (second.added, second.unchanged) == (0, 3)
    assert await states(ground, "ana@example.org") == [SubscriptionState.PENDING]
    async with ground.db.reading() as session:
        notices = (await session.exec(select(QueuedNotice))).all()
    assert sorted(notice.to_address for notice in notices) == [
        "ana@example.org",
        "ben@example.org",
    ]


@pytest.mark.parametrize("state", [SubscriptionState.UNSUBSCRIBED, SubscriptionState.PENDING])
async def test_nobody_is_subscribed_again_by_an_upload(
    ground: Ground, tmp_path: Path, state: SubscriptionState
) -> None:
    await people.subscribed(ground, "ana@example.org", topics=[TOPIC], state=state)
    counts = await bring(ground, tmp_path, "email\nana@example.org\n")
    assert counts.unchanged == 1
    assert await states(ground, "ana@example.org") == [state]


@pytest.mark.storage
async def test_suppressed_addresses_are_counted_and_left_alone(
    ground: Ground, tmp_path: Path
) -> None:
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            email_key="ana@example.org",
            reason=SuppressionReason.ERASED,
            via="preferences",
        )
    counts = await bring(ground, tmp_path, "email\nAna@example.org\n")
    assert counts.suppressed == 1
    assert await person(ground, "ana@example.org") is None


@pytest.mark.storage
async def test_who_left_the_old_service_is_suppressed_here(ground: Ground, tmp_path: Path) -> None:
    known = await people.subscribed(ground, "ben@example.org", topics=[TOPIC])
    text = "email,status\nana@example.org,unsubscribed\nben@example.org,bouncing\n"
    counts = await bring(ground, tmp_path, text)
    again = await bring(ground, tmp_path, text)
    assert (counts.suppressed, again.suppressed) == (2, 2)
    assert await person(ground, "ana@example.org") is None
    async with ground.db.reading() as session:
        assert await suppression.is_active(ground, session, email_key="ana@example.org")
        is_out = sa.select(suppression.is_active_for(sa.literal(known.id)))
        assert await session.scalar(is_out)


async def test_what_a_person_told_us_is_not_overwritten(ground: Ground, tmp_path: Path) -> None:
    await people.subscribed(ground, "ana@example.org", topics=[TOPIC], first_name="Ana")
    text = "email,first_name,town\nana@example.org,ANNA,Lynn\n"
    counts = await bring(ground, tmp_path, text, Options())
    assert counts.updated == 1
    ana = await person(ground, "ana@example.org")
    assert ana is not None
    assert (ana.first_name, ana.town) == ("Ana", "Lynn")


async def test_details_alone_subscribe_nobody(ground: Ground, tmp_path: Path) -> None:
    counts = await bring(ground, tmp_path, "email\nana@example.org\n", Options())
    assert counts.added == 1
    assert await states(ground, "ana@example.org") == []


async def test_dry_run_counts_and_keeps_nothing(ground: Ground, tmp_path: Path) -> None:
    text = "email\nana@example.org\nana@example.org\nnobody\n"
    options = Options(topics=(TOPIC,), asking=Asking.ASK, is_dry_run=True)
    counts = await bring(ground, tmp_path, text, options)
    assert (counts.added, counts.unchanged, counts.refused) == (1, 1, 1)
    assert await person(ground, "ana@example.org") is None
    async with ground.db.reading() as session:
        assert (await session.exec(select(QueuedNotice))).all() == []


async def test_refused_rows_come_back_in_a_file_with_reasons(
    ground: Ground, tmp_path: Path
) -> None:
    refused_to = tmp_path / "refused.csv"
    await bring(
        ground,
        tmp_path,
        "email,note\nana@example.org,fine\nnobody,=1+1\n",
        refused_to=refused_to,
    )
    lines = refused_to.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "file,line,reason,email,note"
    assert lines[1].startswith("people.csv,3,")
    assert lines[1].endswith("nobody,'=1+1")


async def test_no_file_of_refused_rows_without_any(ground: Ground, tmp_path: Path) -> None:
    refused_to = tmp_path / "refused.csv"
    await bring(ground, tmp_path, "email\nana@example.org\n", refused_to=refused_to)
    assert not refused_to.exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (Options(topics=(TOPIC,)), "--ask"),
        (Options(asking=Asking.VOUCHED), "topic"),
        (Options(topics=("no-such-topic",), asking=Asking.VOUCHED), "no-such-topic"),
        (Options(language="tlh"), "language"),
    ],
)
async def test_options_that_do_not_fit_are_refused_before_anything(
    ground: Ground, tmp_path: Path, options: Options, word: str
) -> None:
    with pytest.raises(errors.Invalid, match=word):
        await bring(ground, tmp_path, "email\nana@example.org\n", options)
    assert await person(ground, "ana@example.org") is None


async def test_a_file_of_many_batches_reports_as_it_goes(ground: Ground, tmp_path: Path) -> None:
    await people.topic(ground, TOPIC)
    path = tmp_path / "people.csv"
    path.write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(1200)))
    seen: list[tuple[int, float]] = []
    counts = await importing.import_file(
        ground,
        actor=audit.COMMAND,
        path=path,
        options=VOUCHED,
        progress=lambda counts, share: seen.append((counts.added, share)),
    )
    assert counts.added == 1200
    assert [added for added, _ in seen] == [500, 1000, 1200]
    assert seen[-1][1] == 1.0
