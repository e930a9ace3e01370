import json
from typing import Any

import pytest
from playwright.async_api import Browser
from sqlmodel import select

from foundation import errors
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import forms, page_path, partners, steps
from subscribers.partner_models import Step, StepCount
from subscribers.steps import Steps
from tests.subscribers import mailbox
from tests.world import web as web_world
from tests.world.clock import FakeClock
from tests.world.web import Answer, Web

PATH = "/api/public/steps"
RIVER = "https://river.example"
PAGE = {"form": "river", "partner": "river-valley", "page": "/help?who=ana#top", "lang": "es-MX"}


@pytest.fixture
async def river(ground: Ground) -> int:
    """A partner with a page that carries a form; its number."""
    await mailbox.topics(ground)
    details = partners.Details(name="River Valley", key="river-valley", origins=[RIVER])
    made = await partners.create(ground, actor=COMMAND, details=details)
    await forms.create(ground, actor=COMMAND, details=forms.Details(slug="river", name="River"))
    return made.id


async def tell(web: Web, body: Any, *, kind: str = "text/plain", **headers: str) -> Answer:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await web.post(PATH, octets, headers={"Content-Type": kind, **headers})


async def counted(ground: Ground) -> list[tuple[int, str, str, int, int]]:
    async with ground.db.reading() as session:
        rows = (await session.exec(select(StepCount).order_by(StepCount.page))).all()
    return [(row.partner_id, row.page, row.language, row.seen, row.started) for row in rows]


@pytest.mark.storage
async def test_steps_add_up_to_two_numbers_and_nothing_else_is_kept(
    ground: Ground, river: int
) -> None:
    for _ in range(2):
        async with web_world.browsing(ground) as web:
            for step in ("seen", "seen", "started"):
                answer = await tell(web, {**PAGE, "step": step}, Origin=RIVER)
                assert (answer.status, answer.body) == (204, b"")
                assert answer.headers["Access-Control-Allow-Origin"] == RIVER
                assert "Set-Cookie" not in answer.headers
            own = {"form": "", "partner": None, "step": "seen"}
            assert (await tell(web, own, kind="application/json")).status == 204
    assert await counted(ground) == [(0, "", "en", 2, 0), (river, "/help", "es", 4, 2)]
    assert {each.name for each in StepCount.metadata.tables["step_counts"].columns} == {
        *("partner_id", "day", "form_id", "page", "language", "seen", "started")
    }


async def test_what_makes_no_sense_is_answered_and_not_counted(ground: Ground, river: int) -> None:
    async with web_world.browsing(ground) as web:
        gone = {**PAGE, "step": "seen", "form": "gone"}
        assert (await tell(web, gone, Origin=RIVER)).status == 204
        evil = await tell(web, {**PAGE, "step": "seen"}, Origin="https://evil.example")
        assert (evil.status, "Access-Control-Allow-Origin" in evil.headers) == (403, False)
        wrong: list[Any] = [b"{", b"[]", b"\xff", {**PAGE, "step": "sent"}, {"step": ["seen"]}]
        wrong += [{"step": "seen", "page": 7}, {"step": "seen", "page": "\ud800"}]
        for body in wrong:
            answer = await tell(web, body, Origin=RIVER)
            assert answer.status == 422
            assert answer.headers["Content-Type"].startswith("application/problem+json")
            assert answer.headers["Access-Control-Allow-Origin"] == RIVER
    assert river
    assert await counted(ground) == []


@pytest.mark.settings(partners={"steps_per_network_per_minute": 3})
async def test_a_network_that_sends_very_many_counts_no_more_for_a_minute(
    ground: Ground, clock: FakeClock
) -> None:
    counting = Steps(ground)

    def many(network: str) -> None:
        for _ in range(10):
            counting.count(
                Step.SEEN, partner_id=1, form_id=0, page="/", language="en", network=network
            )

    many("198.51.100.0/24")
    many("203.0.113.0/24")
    clock.advance(minutes=1)
    many("198.51.100.0/24")
    await counting.write()
    assert await counted(ground) == [(1, "/", "en", 9, 0)]


async def test_pages_made_up_by_the_thousand_become_one_number(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "PAGES_A_DAY", 3)
    for part in ("a", "b"):
        counting = Steps(ground)
        for number in range(20):
            counting.count(
                Step.SEEN,
                partner_id=1,
                form_id=0,
                page=f"/{part}{number}",
                language="en",
                network=str(number),
            )
        await counting.write()
    found = await counted(ground)
    assert (len(found), sum(row[3] for row in found)) == (4, 40)
    assert found[0][:2] == (1, "")


async def test_while_the_database_is_away_counts_wait(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Steps(ground)
    place: dict[str, Any] = {"partner_id": 1, "form_id": 0, "page": "/", "language": "en"}
    counting.count(Step.SEEN, network="a", **place)
    with monkeypatch.context() as away:

        def transaction() -> None:
            raise errors.Busy("The database is away.")

        away.setattr(ground.db, "transaction", transaction)
        await counting.write()
    counting.count(Step.STARTED, network="a", **place)
    await counting.write()
    assert await counted(ground) == [(1, "/", "en", 1, 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/help", "/help"),
        (" /help?email=ana#x ", "/help"),
        ("/me/ana@example.org", ""),
        ("/me/ana%40example.org", ""),
        ("//evil.example/x", ""),
        ("https://river.example/help", ""),
        ("help", ""),
        ("/a\nb", "/ab"),
        ("/a\x00b", ""),
        ("/" + "x" * 400, "/" + "x" * 299),
    ],
)
def test_a_page_is_a_path_that_names_nobody(text: str, expected: str) -> None:
    assert page_path.clean(text) == expected


async def test_a_sign_up_keeps_the_page_that_its_form_stood_on(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    body = json.dumps({"email": "ben@example.org", "page": "/help?x=1"}).encode()
    kind = {"Content-Type": "application/json", "Referer": "https://river.example/"}
    await web.post("/api/public/signups", body, headers=kind)
    led = {"Referer": "https://river.example/news?id=7"}
    page = await web.get("/subscribe?lang=en", headers=led)
    assert 'data-page="/news"' in page.text
    await mailbox.send(web, referrer=page.field("referrer"))
    assert [row.page_path for row in await mailbox.sign_ups(ground)] == ["/help", "/news"]


@pytest.mark.browser
async def test_our_own_form_tells_that_it_was_seen_and_once_that_it_was_begun(
    browser: Browser, ground: Ground
) -> None:
    await mailbox.topics(ground)
    async with web_world.browsing(ground) as web:
        page = await (await browser.new_context()).new_page()
        answers: list[int] = []
        page.on("response", lambda got: answers.append(got.status) if PATH in got.url else None)
        async with page.expect_response(f"**{PATH}"):
            await page.goto(f"{web.base}/subscribe?lang=en")
        async with page.expect_response(f"**{PATH}"):
            await page.locator("#f-email").press_sequentially("ana@example.org")
        await page.context.close()
        assert answers == [204, 204]
    assert await counted(ground) == [(0, "", "en", 1, 1)]
