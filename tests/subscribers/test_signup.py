import asyncio
import io
import json
import re
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from foundation.ground import Ground
from foundation.tokens import Purpose
from subscribers import intake, signup, suppression
from subscribers.models import (
    Form,
    Partner,
    SignUp,
    SignUpState,
    Subscriber,
    SubscriberTag,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.web import Web

BIG = b"y" * 10_000_000
OF_SAFETY = ("Content-Security-Policy", "Referrer-Policy", "X-Frame-Options", "Location")


@pytest.mark.storage
async def test_a_sign_up_waits_for_the_button_behind_the_mailed_link(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    page = await web.get("/subscribe?lang=es")
    assert "¿Sobre qué quiere recibir noticias?" in page.text
    answer = await mailbox.send(
        web,
        first_name="Ana",
        postal_code="02108",
        lang="es",
        topic=["secure-communities", "action-alerts"],
        shown=page.field("shown"),
    )
    assert (answer.status, answer.location) == (303, "/subscribe/sent?lang=es")
    assert await mailbox.states(ground) == {
        "secure-communities": "pending",
        "action-alerts": "pending",
    }
    (asked,) = await mailbox.notices(ground)
    assert asked.language == "es"
    assert asked.context["topics"] == "Comunidades Seguras, Alertas para actuar"

    shown = await web.get(asked.context["confirm_url"])
    assert (shown.status, shown.text.count("<form")) == (200, 1)
    assert 'lang="es"' in shown.text
    assert set((await mailbox.states(ground)).values()) == {"pending"}

    done = await web.post(asked.context["confirm_url"], {})
    assert (done.status, "Comunidades Seguras" in done.text) == (200, True)
    assert set((await mailbox.states(ground)).values()) == {"confirmed"}
    who = await mailbox.person(ground)
    assert who is not None
    assert (who.first_name, who.postal_code, who.language) == ("Ana", "02108", "es")
    (welcome,) = await mailbox.notices(ground, "welcome")
    assert welcome.unsubscribe_url == welcome.context["unsubscribe_url"]
    assert set(welcome.context) == {
        "first_name",
        "topics",
        "preferences_url",
        "unsubscribe_url",
    }


@pytest.mark.storage
async def test_the_mail_and_the_sign_up_are_kept_together_or_not_at_all(ground: Ground) -> None:
    await mailbox.topics(ground)

    class Full:
        async def queue(self, session: Any, notice: Any) -> None:  # noqa: ARG002
            raise RuntimeError("no room")

        async def queue_all(self, session: Any, notices: Any) -> None:
            await self.queue(session, notices)

        async def rung(self) -> None: ...

        def ring(self) -> None: ...

    broken = Ground(
        db=ground.db,
        clock=ground.clock,
        settings=ground.settings,
        tokens=ground.tokens,
        catalog=ground.catalog,
        notices=Full(),
    )
    with pytest.raises(RuntimeError):
        await signup.submit(broken, request=signup.SignUpRequest(email=ANA))
    assert await mailbox.person(ground) is None
    assert await mailbox.sign_ups(ground) == []


async def test_a_link_scanner_that_follows_every_link_confirms_nobody(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    url = await mailbox.confirm_url(ground)
    for method in ("HEAD", "GET", "OPTIONS", "GET"):
        await web.request(method, url)
    assert await mailbox.states(ground) == {"secure-communities": "pending"}
    assert mailbox.kinds(await mailbox.steps(ground)) == ["asked"]


async def test_a_form_is_taken_at_the_door_as_it_is_inside(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    said = {
        "lang": "es",
        "first_name": "José Ñ",
        "utm_source": "letter",
        "page": "/a?b",
        "tag": "x",
    }
    answers = [
        await web.post("/subscribe", {**said, "email": f"{way}@example.org"}, headers=headers)
        for way, headers in (("door", {}), ("inside", {"Cookie": "of=another"}))
    ]
    assert ["Server" in each.headers for each in answers] == [False, True]
    told = [(each.status, [each.headers[name] for name in OF_SAFETY]) for each in answers]
    assert told[0] == told[1]
    assert answers[0].location == "/subscribe/sent?lang=es"
    columns = [
        col(getattr(SignUp, name))
        for name in ("first_name", "utm_source", "page_path", "tags", "language", "state")
    ]
    async with ground.db.reading() as session:
        kept = (await session.execute(sa.select(*columns).order_by(col(SignUp.id)))).all()
    assert len(kept) == 2
    assert kept[0] == kept[1]
    assert kept[0].first_name == "José Ñ"


@pytest.mark.storage
async def test_submitting_again_un_confirms_nobody_and_changes_nothing_of_theirs(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground, first_name="Ana", tag="fair")
    clock.advance(days=2)
    await mailbox.send(
        web, first_name="Mallory", lang="es", tag="spam", topic=["secure-communities"]
    )
    who = await mailbox.person(ground)
    assert who is not None
    assert (who.first_name, who.language) == ("Ana", "en")
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}
    async with ground.db.reading() as session:
        assert list(await session.scalars(sa.select(col(SubscriberTag.tag)))) == ["fair"]
    # The person themselves may, by the new link.
    await web.post(await mailbox.confirm_url(ground), {})
    who = await mailbox.person(ground)
    assert who is not None
    assert (who.first_name, who.language) == ("Mallory", "es")
    assert len(await mailbox.notices(ground, "welcome")) == 1


@pytest.mark.settings(signup={"confirmations_per_hour": 3, "min_seconds_on_form": 5})
async def test_the_answer_never_says_whether_an_address_is_known(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    await people.subscribed(ground, "known@example.org")
    left = SubscriptionState.UNSUBSCRIBED
    await people.subscribed(ground, "left@example.org", state=left)
    bad = await people.subscribed(ground, "angry@example.org")
    async with ground.db.transaction() as session:
        await suppression.add(
            ground, session, subscriber_id=bad.id, reason=SuppressionReason.COMPLAINT, via="bounce"
        )
    page = await web.get("/subscribe")
    now = int(clock.now().timestamp())
    answers = [
        await mailbox.send(web, email="new@example.org"),
        await mailbox.send(web, email="known@example.org"),
        await mailbox.send(web, email="known@example.org"),
        await mailbox.send(web, email="left@example.org"),
        await mailbox.send(web, email="angry@example.org"),
        await mailbox.send(web, email="over@example.org"),
        await mailbox.send(web, email="bot@example.org", **{intake.HONEYPOT: "x"}),
        await mailbox.send(web, email="fast@example.org", shown=page.field("shown")),
        await mailbox.send(
            web, email="forged@example.org", shown=ground.tokens.seal(Purpose.VIEW, now - 60)
        ),
    ]
    told = {(each.status, each.location, each.body) for each in answers}
    assert told == {(303, "/subscribe/sent?lang=en", b"")}
    assert await mailbox.notices(ground, to="angry@example.org") == []
    assert await mailbox.notices(ground, to="over@example.org") == []


async def test_what_programs_fill_in_is_dropped(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    page = await web.get("/subscribe")
    trap = re.search(
        rf'<div class="honeypot" aria-hidden="true">.*?{intake.HONEYPOT}', page.text, re.DOTALL
    )
    assert trap
    assert re.search(rf'name="{intake.HONEYPOT}"[^>]*tabindex="-1"', page.text)
    await mailbox.send(web, **{intake.HONEYPOT: "https://spam.example"})
    assert await mailbox.person(ground) is None


@pytest.mark.settings(signup={"min_seconds_on_form": 3})
async def test_a_form_sent_faster_than_people_type_brings_no_mail(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    page = await web.get("/subscribe")
    clock.advance(seconds=1)
    await mailbox.send(web, shown=page.field("shown"))
    assert await mailbox.notices(ground) == []
    assert [each.state for each in await mailbox.sign_ups(ground)] == [SignUpState.SUSPECT]
    clock.advance(seconds=5)
    await mailbox.send(web, shown=page.field("shown"))
    assert len(await mailbox.notices(ground)) == 1


@pytest.mark.settings(signup={"min_seconds_on_form": 3})
async def test_who_mends_a_mistake_at_once_gets_the_mail(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    page = await web.get("/subscribe")
    clock.advance(seconds=4)
    page = await mailbox.send(web, email="nobody at", shown=page.field("shown"))
    assert page.status == 422
    await mailbox.send(web, shown=page.field("shown"))
    assert len(await mailbox.notices(ground)) == 1


async def test_a_plain_form_on_a_partners_page_has_no_time_and_is_taken(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    async with ground.db.transaction() as session:
        session.add(Partner(key="river", name="River Valley", created_at=ground.clock.now()))
        session.add(
            Form(
                slug="river", name="River", topics=["action-alerts"], created_at=ground.clock.now()
            )
        )
    answer = await web.post(
        "/subscribe/river?utm_source=flyer",
        [
            ("EMAIL", ANA),
            ("FNAME", "Ana"),
            ("LNAME", "Ruiz"),
            ("ref", "fair"),
            ("partner", "river"),
            ("tag", "Spring"),
            ("tag", "fair"),
            ("tag", "spring"),
            ("lang", "es-MX"),
        ],
        headers={
            "Referer": "https://www.river.example/news?id=7",
            "Origin": "https://www.river.example",
        },
    )
    assert answer.location == "/subscribe/sent?lang=es&form=river"
    (row,) = await mailbox.sign_ups(ground)
    assert (row.first_name, row.last_name, row.language) == ("Ana", "Ruiz", "es")
    assert (row.source, row.utm_source) == ("fair", "flyer")
    assert (row.referrer_host, row.page_path) == ("www.river.example", "/news")
    assert row.topics == ["action-alerts"]
    assert sorted(row.tags) == ["fair", "spring"]
    assert row.partner_id is not None
    assert row.form_id is not None
    await web.post(await mailbox.confirm_url(ground), {})
    async with ground.db.reading() as session:
        tags = set(await session.scalars(sa.select(col(SubscriberTag.tag))))
    assert tags == {"fair", "spring"}


async def test_get_fills_the_form_in_before_and_changes_nothing(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    page = await web.get(
        "/subscribe?EMAIL=ana%40example.org&FNAME=%3Cb%3EAna&source=poster&utm_campaign=fall"
        "&topic=action-alerts&tag=fair",
        headers={"Referer": "https://news.example/story?secret=1"},
    )
    assert page.field("email") == ANA
    assert page.field("first_name") == "&lt;b&gt;Ana"
    assert page.field("source") == "poster"
    assert page.field("utm_campaign") == "fall"
    assert page.field("referrer") == "https://news.example/story"
    assert page.field("tag") == "fair"
    assert re.search(r'value="action-alerts" checked', page.text)
    assert not re.search(r'value="secure-communities" checked', page.text)
    assert await mailbox.person(ground) is None
    await mailbox.send(web, **{name: page.field(name) for name in ("source", "referrer", "tag")})
    (row,) = await mailbox.sign_ups(ground)
    assert (row.source, row.referrer_host, row.page_path) == ("poster", "news.example", "/story")


@pytest.mark.storage
@pytest.mark.settings(signup={"confirmations_per_address_per_day": 2})
async def test_one_address_gets_few_confirmations(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    for _ in range(3):
        assert (await mailbox.send(web)).status == 303
    assert len(await mailbox.notices(ground)) == 1
    clock.advance(hours=1)
    await mailbox.send(web, email="ANA@EXAMPLE.org")
    clock.advance(hours=1)
    await mailbox.send(web)
    assert len(await mailbox.notices(ground)) == 2
    held = [each.state for each in await mailbox.sign_ups(ground)]
    assert held == ["submitted", "held", "held", "submitted", "held"]


@pytest.mark.settings(signup={"submissions_per_network_per_hour": 2})
async def test_one_network_brings_few_mails_and_a_flood_none(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    for number in range(22):
        await mailbox.send(web, email=f"p{number}@example.org")
    found = [each.state for each in await mailbox.sign_ups(ground)]
    assert found == ["submitted"] * 2 + ["held"] * 18 + ["suspect"] * 2


@pytest.mark.storage
async def test_two_submissions_at_once_make_one_person(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await asyncio.gather(*(mailbox.send(web) for _ in range(5)))
    async with ground.db.reading() as session:
        assert len((await session.exec(select(Subscriber))).all()) == 1
        assert len((await session.exec(select(Subscription))).all()) == 1
    assert len(await mailbox.notices(ground)) == 1


@pytest.mark.storage
async def test_pressing_the_button_twice_at_once_confirms_once(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    url = await mailbox.confirm_url(ground)
    answers = await asyncio.gather(*(web.post(url, {}) for _ in range(4)))
    assert {each.status for each in answers} == {200}
    assert len(await mailbox.notices(ground, "welcome")) == 1
    assert mailbox.kinds(await mailbox.steps(ground)) == ["asked", "confirmed"]
    assert (await web.get(url)).status == 200


async def test_an_old_link_says_so_and_offers_another_way(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    url = await mailbox.confirm_url(ground)
    clock.advance(days=15)
    for answer in (await web.get(url), await web.post(url, {})):
        assert answer.status == 410
        assert 'href="/subscribe?lang=en"' in answer.text
    assert await mailbox.states(ground) == {"secure-communities": "pending"}


async def test_a_used_link_does_not_undo_an_unsubscription(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground)
    who = await mailbox.person(ground)
    assert who is not None
    await web.post(mailbox.unsubscribe_path(ground, who), {"from": "everything"})
    answer = await web.post(await mailbox.confirm_url(ground), {})
    assert "used before" in answer.text
    assert await mailbox.states(ground) == {"secure-communities": "unsubscribed"}


@pytest.mark.storage
async def test_who_left_comes_in_again_by_confirming(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await people.subscribed(ground, state=SubscriptionState.UNSUBSCRIBED)
    clock.advance(days=1)
    await mailbox.send(web)
    assert await mailbox.states(ground) == {"secure-communities": "unsubscribed"}
    await web.post(await mailbox.confirm_url(ground), {})
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}
    assert len(await mailbox.notices(ground, "welcome")) == 1


@pytest.mark.parametrize(
    "token", ["", "x", "AAAA", "%00", "a" * 500, "AQAAAAAAAAAAAAAAAAAAAAAAAA", "%C3%A9"]
)
async def test_forged_tokens_get_a_clear_answer(web: Web, token: str) -> None:
    for path in ("confirm", "unsubscribe", "preferences"):
        for answer in (await web.get(f"/{path}/{token}"), await web.post(f"/{path}/{token}", {})):
            assert answer.status in (400, 404)
            assert "<h1>" in answer.text


async def test_truncated_and_foreign_tokens_open_nothing(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    url = await mailbox.confirm_url(ground)
    who = await mailbox.person(ground)
    assert who is not None
    foreign = ground.tokens.seal(Purpose.PREFERENCES, who.id)
    for broken in (url[:-1], url[:-1] + ("A" if url[-1] != "A" else "B"), f"/confirm/{foreign}"):
        assert (await web.post(broken, {})).status == 400
    assert await mailbox.states(ground) == {"secure-communities": "pending"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "ana@example.org\r\nBcc: all@example.org"),
        ("email", "ana@example.org\nx"),
        ("email", "not an address"),
        ("email", ""),
        ("email", "a" * 65 + "@example.org"),
        ("email", "ana@example..org"),
        ("first_name", "Ana\r\nBcc: all@example.org"),
        ("last_name", "Ruiz\nX: y"),
        ("first_name", "Ana\u2028Bcc"),
        ("first_name", "Ana\x00"),
        ("first_name", "x" * 101),
        ("postal_code", "02108\r\nX-Evil: 1"),
        ("source", "poster\r\nX: y"),
        ("utm_source", "a\nb"),
        ("tag", "a\nb"),
        ("topic", "no-such-topic"),
        ("topic", "coalition-members"),
        ("topic", "a\r\nb"),
    ],
)
async def test_a_wrong_field_is_told_and_nothing_is_kept(
    web: Web, ground: Ground, field: str, value: str
) -> None:
    await mailbox.topics(ground, "secure-communities", "action-alerts", "coalition-members")
    answer = await mailbox.send(web, **{"first_name": "Ana", field: value})
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert await mailbox.sign_ups(ground) == []
    if field != "email":
        assert answer.field("email") == ANA


async def test_choosing_no_topic_is_told(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    answer = await web.post("/subscribe?lang=es", {"email": ANA, "choice": "1"})
    assert answer.status == 422
    assert 'href="#f-topic"' in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"email=%FF%FE@example.org", "application/x-www-form-urlencoded", 422),
        (b"email=\xff@example.org", "application/x-www-form-urlencoded", 422),
        (b"email=ana@example.org", "text/plain", 422),
        (b"<x/>", "application/xml", 422),
        (
            b"email=a@example.org&x=" + BIG,
            "application/x-www-form-urlencoded",
            413,
        ),
        (b"--x\r\nno end", "multipart/form-data; boundary=x", 422),
        (b"--x\r\nno end", "multipart/form-data", 422),
    ],
)
async def test_a_body_that_is_no_form_is_refused(
    web: Web, ground: Ground, body: bytes, kind: str, status: int
) -> None:
    await mailbox.topics(ground)
    try:
        answer = await web.post("/subscribe", io.BytesIO(body), headers={"Content-Type": kind})
    except aiohttp.ClientConnectionError:
        # The server may close on a body that is too large before it was sent.
        assert status == 413
        return
    assert answer.status == status
    assert await mailbox.sign_ups(ground) == []


async def test_forms_that_are_not_there_are_told(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    async with ground.db.transaction() as session:
        session.add(Form(slug="old", name="Old", is_active=False, created_at=ground.clock.now()))
    for slug in ("nowhere", "old", "..%2f"):
        assert (await web.get(f"/subscribe/{slug}")).status == 404
        assert (await mailbox.send(web, f"/subscribe/{slug}")).status == 404


async def test_a_form_leads_to_its_own_page_of_thanks_and_nowhere_else(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    async with ground.db.transaction() as session:
        session.add(
            Form(
                slug="river",
                name="River",
                thanks_url="https://river.example/thanks",
                created_at=ground.clock.now(),
            )
        )
    page = await web.get("/subscribe/river")
    assert "form-action 'self' https://river.example;" in page.headers["Content-Security-Policy"]
    answer = await mailbox.send(web, "/subscribe/river", thanks_url="https://evil.example")
    assert answer.location == "https://river.example/thanks"
    trapped = await mailbox.send(web, "/subscribe/river", **{intake.HONEYPOT: "x"})
    assert trapped.location == "https://river.example/thanks"
    assert (await web.get("/subscribe/sent?form=//evil.example&lang=es")).status == 200


async def test_the_public_page_is_small_and_needs_no_script(web: Web, ground: Ground) -> None:
    await mailbox.topics(ground)
    page = await web.get("/subscribe")
    assert len(page.body) < 20_000
    assert json.dumps("onclick") not in page.text
