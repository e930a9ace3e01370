import csv
from pathlib import Path

import pytest

from foundation import audit, errors
from foundation.ground import Ground
from subscribers import exporting, importing, mending
from subscribers.importing import Asking, Options
from subscribers.models import SubscriberTag, SubscriptionState
from tests.world import people

TOPIC = "secure-communities"


async def exported(ground: Ground, folder: Path, *topics: str) -> list[dict[str, str]]:
    path = folder / "out.csv"
    number = await exporting.export_file(ground, path=path, topic_slugs=topics)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == number
    return rows


@pytest.mark.storage
async def test_everybody_is_exported_with_how_they_stand(ground: Ground, tmp_path: Path) -> None:
    ana = await people.subscribed(ground, "ana@example.org", first_name="Ana", language="es")
    await people.subscribed(ground, "ben@example.org", state=SubscriptionState.UNSUBSCRIBED)
    cal = await people.subscribed(ground, "cal@example.org")
    await mending.suppress(ground, actor=audit.COMMAND, subscriber_id=cal.id, note="asked")
    async with ground.db.transaction() as session:
        session.add(SubscriberTag(subscriber_id=ana.id, tag="vigil"))
        session.add(SubscriberTag(subscriber_id=ana.id, tag="choir"))
    first, second, third = await exported(ground, tmp_path)
    assert (first["email"], first["tags"], first["topics"], first["status"]) == (
        "ana@example.org",
        "choir,vigil",
        TOPIC,
        "subscribed",
    )
    assert second["status"] == "unsubscribed"
    assert third["status"] == "suppressed"


@pytest.mark.storage
async def test_of_a_topic_only_those_are_exported_who_may_be_mailed(
    ground: Ground, tmp_path: Path
) -> None:
    await people.subscribed(ground, "ana@example.org", topics=[TOPIC])
    await people.subscribed(ground, "ben@example.org", state=SubscriptionState.PENDING)
    cal = await people.subscribed(ground, "cal@example.org")
    await people.subscribed(ground, "dee@example.org", topics=["action-alerts"])
    await mending.suppress(ground, actor=audit.COMMAND, subscriber_id=cal.id, note="asked")
    rows = await exported(ground, tmp_path, TOPIC)
    assert [row["email"] for row in rows] == ["ana@example.org"]
    with pytest.raises(errors.Invalid, match="no-such"):
        await exported(ground, tmp_path, "no-such")


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1+1", "@SUM(A1)"])
async def test_no_cell_is_a_formula(ground: Ground, tmp_path: Path, name: str) -> None:
    await people.subscribed(ground, first_name=name)
    (row,) = await exported(ground, tmp_path)
    assert row["first_name"] == f"'{name}"


@pytest.mark.storage
async def test_what_was_exported_can_be_imported_elsewhere(ground: Ground, tmp_path: Path) -> None:
    await people.subscribed(ground, "ana@example.org", first_name="Ana", town="Lynn", language="es")
    await people.subscribed(ground, "ben@example.org", state=SubscriptionState.UNSUBSCRIBED)
    await exported(ground, tmp_path)
    counts = await importing.import_file(
        ground,
        actor=audit.COMMAND,
        path=tmp_path / "out.csv",
        options=Options(topics=[TOPIC], asking=Asking.VOUCHED, is_dry_run=True),
    )
    assert (counts.unchanged, counts.suppressed, counts.refused) == (1, 1, 0)
