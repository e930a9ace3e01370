import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from foundation.accounts import api_tokens
from foundation.accounts.api_tokens import Scope
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers import forms, funnel, partners
from subscribers.funnel import Part, Stage, Wish
from subscribers.models import Partner, SignUp, SignUpState
from subscribers.partner_models import Step
from subscribers.steps import Steps
from tests.subscribers import mailbox
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.web import Web

TODAY = date(2026, 11, 2)


@pytest.fixture
async def river(ground: Ground) -> Partner:
    """A partner with a form of its own."""
    await mailbox.topics(ground)
    details = partners.Details(name="River Valley", key="river-valley")
    made = await partners.create(ground, actor=COMMAND, details=details)
    await forms.create(
        ground, actor=COMMAND, details=forms.Details(slug="river", name="Front", partner_id=made.id)
    )
    return made


async def signed_up(ground: Ground, partner: Partner, number: int, **columns: Any) -> None:
    """So many sign-ups, each of a person of its own."""
    for place in range(number):
        stamp = f"{place}-{ground.clock.now():%d%H%M}-{len(columns)}"
        who = await people.subscribed(ground, f"p{stamp}@x.example")
        async with ground.db.transaction() as session:
            values = {
                "form_id": 1,
                "state": SignUpState.CONFIRMED.value,
                "language": "en",
                "page_path": "/help",
                **columns,
            }
            session.add(
                SignUp(
                    subscriber_id=who.id,
                    partner_id=partner.id,
                    created_at=ground.clock.now(),
                    **values,
                )
            )


async def steps(ground: Ground, partner: Partner, step: Step, number: int) -> None:
    counting = Steps(ground)
    for place in range(number):
        counting.count(
            step,
            partner_id=partner.id,
            form_id=1,
            page="/help",
            language="en",
            network=str(place),
        )
    await counting.write()


def numbers(row: Any) -> list[int]:
    return [row[stage] for stage in Stage]


@pytest.mark.storage
async def test_the_way_from_seen_to_stayed_is_counted_by_day_page_form_and_language(
    ground: Ground, clock: FakeClock, river: Partner
) -> None:
    await steps(ground, river, Step.SEEN, 9)
    await steps(ground, river, Step.STARTED, 4)
    await signed_up(ground, river, 3)
    await signed_up(ground, river, 1, state=SignUpState.SUBMITTED.value, language="es")
    # Half past four in the morning in UTC is the evening before in Boston.
    clock.advance(hours=13.5)
    await signed_up(ground, river, 2, form_id=None, page_path="")
    wish = Wish(partner_id=river.id, since=TODAY, until=TODAY + timedelta(days=1))
    found = await funnel.funnel(ground, wish)
    assert numbers(found.total) == [9, 4, 6, 5, 0]
    by = {part: {row.name: numbers(row.counts) for row in found.rows[part]} for part in Part}
    assert by[Part.DAY] == {"2026-11-02": [9, 4, 6, 5, 0], "2026-11-03": [0, 0, 0, 0, 0]}
    assert by[Part.PAGE] == {"/help": [9, 4, 4, 3, 0], "": [0, 0, 2, 2, 0]}
    assert by[Part.FORM] == {"Front": [9, 4, 4, 3, 0], "": [0, 0, 2, 2, 0]}
    assert by[Part.LANGUAGE] == {"en": [9, 4, 5, 5, 0], "es": [0, 0, 1, 0, 0]}
    only = Wish(partner_id=river.id, since=TODAY, until=TODAY, form_id=0, page=None, language="en")
    assert numbers((await funnel.funnel(ground, only)).total) == [0, 0, 2, 2, 0]


@pytest.mark.storage
async def test_who_left_within_thirty_days_has_not_stayed_and_who_left_later_has(
    web: Web, ground: Ground, clock: FakeClock, river: Partner
) -> None:
    await signed_up(ground, river, 3)
    async with ground.db.reading() as session:
        of_people = sa.select(col(SignUp.subscriber_id)).order_by(col(SignUp.id))
        ids = list(await session.scalars(of_people))

    async def leaves(subscriber_id: int) -> None:
        path = ground.link("/unsubscribe", Purpose.UNSUBSCRIBE, subscriber_id, 0, 0)
        assert (await web.post(path, {"List-Unsubscribe": "One-Click"})).status == 200

    clock.advance(days=10)
    await leaves(ids[0])
    wish = Wish(partner_id=river.id, since=TODAY, until=TODAY)
    assert numbers((await funnel.funnel(ground, wish)).total) == [0, 0, 3, 3, 0]
    clock.advance(days=30)
    await leaves(ids[1])
    found = await funnel.funnel(ground, wish)
    assert numbers(found.total) == [0, 0, 3, 3, 2]
    assert [row.is_early for row in found.rows[Part.DAY]] == [False]


@pytest.mark.settings(partners={"fewer_than": 5})
async def test_the_office_sees_exact_numbers_and_the_partner_no_small_ones(
    web: Web, ground: Ground, river: Partner
) -> None:
    await signed_up(ground, river, 12)
    await signed_up(ground, river, 3, language="es", page_path="/=1+1")
    path = f"/staff/partners/{river.id}/numbers"
    office = await web.as_staff()
    page = (await office.get(path)).text
    assert "<dd>15</dd>" in page
    assert days_in(page) > 1
    rows = list(csv.reader(io.StringIO((await office.get(f"{path}.csv")).text)))
    assert rows[0] == ["part", "name", *(stage.value for stage in Stage)]
    assert ["language", "es", "0", "0", "3", "3", "0"] in rows
    assert rows[-1] == ["total", "", "0", "0", "15", "15", "0"]
    own = await partner_browser(web, ground, river)
    page = (await own.get(path)).text
    assert "fewer than 5" in page
    assert days_in(page) == 1, "days on which everything was small only fill the page"
    few = (await own.get(f"{path}?language=es")).text
    assert "Nothing was counted" not in few, "too few to be told are not none"
    rows = list(csv.reader(io.StringIO((await own.get(f"{path}.csv")).text)))
    assert ["language", "en", "<5", "<5", "10", "10", "<5"] in rows
    assert ["language", "es", "<5", "<5", "<5", "<5", "<5"] in rows
    assert rows[-1][4] == "15"
    days = [row[1] for row in rows if row[0] == "day"]
    week = [date.fromisoformat(day).weekday() for day in (days[0], days[-1])]
    assert week == [0, 6]
    moved = await own.get(f"{path}?since=2026-11-03&until=2026-11-03")
    assert 'value="2026-11-02"' in moved.text
    assert 'value="2026-11-08"' in moved.text


def days_in(page: str) -> int:
    """How many days the table by day has."""
    return page.partition('id="by-day"')[2].count('<th scope="row"')


async def partner_browser(web: Web, ground: Ground, partner: Partner) -> Web:
    """A browser of somebody who signed in for a partner."""
    await people.staff_of_partner(ground, partner.id)
    return await web.as_staff(Role.PARTNER)


async def test_the_api_gives_exact_numbers_and_refuses_odd_days(
    web: Web, ground: Ground, river: Partner
) -> None:
    await signed_up(ground, river, 2)
    secret = await api_tokens.create(
        ground, actor=COMMAND, name="Reads", scopes=frozenset({Scope.READ})
    )
    token = {"Authorization": f"Bearer {secret}"}
    path = f"/api/v1/partners/{river.id}/funnel"
    found = (await web.get(f"{path}?since=2026-11-01&until=2026-11-02", headers=token)).json()
    assert found["total"] == {
        **dict.fromkeys(("seen", "started", "stayed"), 0),
        **dict.fromkeys(("submitted", "confirmed"), 2),
    }
    assert [day["name"] for day in found["days"]] == ["2026-11-01", "2026-11-02"]
    for query in ("since=x", "since=2026-11-02&until=2026-11-01", "since=2020-01-01"):
        assert (await web.get(f"{path}?{query}", headers=token)).status == 422
    assert (await web.get("/api/v1/partners/99/funnel", headers=token)).status == 404
