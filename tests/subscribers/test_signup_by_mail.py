"""Sign-up as the person lives it: form, mail, button, welcome, and the way out, over real SMTP."""

import re
from collections.abc import Awaitable, Callable

import pytest

from foundation.ground import Ground
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world.clock import FakeClock
from tests.world.smtp import Catcher, Received
from tests.world.web import Web

Deliver = Callable[[], Awaitable[None]]


def links(mail: Received) -> list[str]:
    """Every link to us in the text part."""
    part = mail.parsed.get_body(("plain",))
    assert part is not None
    return re.findall(r"http://handbill\.test/\S+[\w/-]", part.get_content())


@pytest.mark.storage
async def test_from_the_form_to_the_list_and_off_it_again(
    web: Web, ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web, lang="es", first_name="Ana")
    await deliver()
    (asked,) = smtp.messages
    assert (asked.rcpt_to, asked.parsed["To"]) == (ANA, ANA)
    (url,) = [link for link in links(asked) if "/confirm/" in link]
    assert (await web.post(url, {})).status == 200

    smtp.clear()
    await deliver()
    (welcome,) = smtp.messages
    header = welcome.parsed["List-Unsubscribe"]
    assert welcome.parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    one_click = re.search(r"<(http://handbill\.test/unsubscribe/[\w-]+)>", header)
    assert one_click
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    done = await web.post(one_click[1], b"List-Unsubscribe=One-Click", headers=kind)
    assert done.status == 200
    assert await mailbox.states(ground) == {"secure-communities": "unsubscribed"}


async def test_a_scanner_that_follows_every_link_of_both_mails_changes_nothing(
    web: Web, ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    await deliver()
    found = links(smtp.messages[0])
    for link in found:
        await web.get(link)
        await web.request("HEAD", link)
    assert await mailbox.states(ground) == {"secure-communities": "pending"}
    await web.post(next(link for link in found if "/confirm/" in link), {})
    await deliver()
    found = links(smtp.messages[1])
    assert any("/preferences/" in link for link in found)
    assert any("/unsubscribe/" in link for link in found)
    for link in found:
        await web.get(link)
        await web.request("HEAD", link)
    assert await mailbox.states(ground) == {"secure-communities": "confirmed"}


async def test_who_bounced_before_gets_the_mail_that_asks(
    web: Web, ground: Ground, smtp: Catcher, deliver: Deliver, clock: FakeClock
) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground)
    who = await mailbox.person(ground)
    assert who is not None
    await web.post(mailbox.preferences_path(ground, who), {"action": "erase-now"})
    clock.advance(days=1)
    await mailbox.send(web)
    await deliver()
    assert [mail.rcpt_to for mail in smtp.messages] == [ANA]
