"""A bulletin is tried out on one's own address, and counts nowhere."""

import re

import pytest
import sqlalchemy as sa

from delivery import message, testmail
from delivery.models import Delivery, Dispatch, QueuedNotice, Return
from foundation import errors
from foundation.ground import Ground
from tests.world import mailing, sink
from tests.world.sink import Sink
from tests.world.smtp import Catcher

VALUES = {"subscriber.first_name": "Ana", "subscriber.email": "ana@example.org"}


async def test_one_mail_for_each_language_comes_at_once_marked_as_a_test(
    ground: Ground, smtp: Catcher
) -> None:
    plans = {
        code: mailing.plan(ground, language=code, subject=f"Ed. {code}") for code in ("en", "es")
    }
    await testmail.send(ground, plans=plans, to="me@coalition.example", subscriber_values=VALUES)
    assert [each.parsed["Subject"] for each in smtp.messages] == ["[Test] Ed. en", "[Test] Ed. es"]
    assert all(each.rcpt_to == "me@coalition.example" for each in smtp.messages)
    assert "Dear Ana," in smtp.messages[0].text


async def test_a_test_is_kept_and_counted_nowhere(ground: Ground, smtp: Catcher) -> None:
    await testmail.send(ground, plans={"en": mailing.plan(ground)}, to="me@coalition.example")
    assert len(smtp.messages) == 1
    async with ground.db.reading() as session:
        for table in (Dispatch, Delivery, QueuedNotice, Return):
            assert await session.scalar(sa.select(sa.func.count()).select_from(table)) == 0


async def test_the_links_of_a_test_lead_straight_on_and_nobody_is_unsubscribed_by_them(
    ground: Ground, smtp: Catcher
) -> None:
    await testmail.send(ground, plans={"en": mailing.plan(ground)}, to="me@coalition.example")
    mail = smtp.messages[0]
    links = set(re.findall(r"https?://[^\s<>\"')]+", mail.text + mail.html))
    assert "https://example.org/news" in links
    assert not [url for url in links if re.search(r"/(r|o|unsubscribe|preferences|view)/", url)]


async def test_a_preview_has_the_headers_of_the_real_thing(ground: Ground) -> None:
    octets = message.preview(
        ground,
        plan=mailing.plan(ground, subject="¿Qué tal, {{ subscriber.first_name }}?"),
        to="ana@example.org",
        subscriber_values=VALUES,
        from_name="Coalición",
        from_address="news@coalition.example",
    )
    assert octets.count(b"\n") == octets.count(b"\r\n")
    assert octets.isascii()
    names = [line.partition(b":")[0].decode() for line in octets.split(b"\r\n\r\n")[0].splitlines()]
    wanted = {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "List-Id"}
    assert wanted | {"List-Unsubscribe", "List-Unsubscribe-Post", "Content-Type"} <= set(names)


@pytest.mark.parametrize("to", ["nobody", "a@b.example\r\nBcc: c@d.example", "", "a b@c.example"])
async def test_a_test_to_what_is_no_address_is_refused(
    ground: Ground, smtp: Catcher, to: str
) -> None:
    with pytest.raises(errors.Invalid):
        await testmail.send(ground, plans={"en": mailing.plan(ground)}, to=to)
    assert not smtp.messages


async def test_when_the_relay_refuses_a_test_its_words_are_passed_on(
    ground: Ground, smtp: Catcher
) -> None:
    smtp.answer("RCPT", None, "550 5.7.1 relaying denied")
    with pytest.raises(errors.Refused, match=r"550 5\.7\.1 relaying denied"):
        await testmail.send(ground, plans={"en": mailing.plan(ground)}, to="me@coalition.example")


async def test_when_no_relay_can_be_reached_a_test_says_so(ground: Ground) -> None:
    with pytest.raises(errors.Refused, match="can't be reached"):
        await testmail.send(ground, plans={"en": mailing.plan(ground)}, to="me@coalition.example")


@pytest.mark.parametrize("stage", ["EHLO", "MAIL", "RCPT", "content", "dot"])
async def test_a_relay_that_hangs_up_on_a_test_is_said(
    ground: Ground, server: Sink, stage: str
) -> None:
    server.acts[stage] = sink.hanging_up
    with pytest.raises(errors.Refused, match="can't be reached"):
        await testmail.send(ground, plans={"en": mailing.plan(ground)}, to="me@coalition.example")


@pytest.mark.storage
@pytest.mark.settings(relay={"rates": ["2/h"]})
async def test_tests_count_in_a_relays_rate_as_all_mail_does(ground: Ground, smtp: Catcher) -> None:
    plans = {"en": mailing.plan(ground)}
    for _ in range(2):
        await testmail.send(ground, plans=plans, to="me@coalition.example")
    with pytest.raises(errors.Refused, match="all that it may get for now"):
        await testmail.send(ground, plans=plans, to="me@coalition.example")
    assert len(smtp.messages) == 2


@pytest.mark.settings(relay={"port": 9}, second_relay={"sender_domains": ["union.example"]})
async def test_a_test_goes_by_a_relay_of_its_sender(ground: Ground) -> None:
    with pytest.raises(errors.Refused, match="second: "):
        await testmail.send(
            ground,
            plans={"en": mailing.plan(ground)},
            to="me@coalition.example",
            from_address="news@union.example",
        )
