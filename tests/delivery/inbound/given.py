"""What tests of the ways in begin with, and look at in the end."""

import re
from urllib.parse import parse_qs, urlsplit

from sqlmodel import select

from delivery import worker
from delivery.models import Return
from foundation.ground import Ground
from subscribers.models import Subscription, Suppression
from tests.delivery import reports
from tests.world import mailing, people
from tests.world.smtp import Catcher, Received

ANA = "ana@example.org"


async def mailed(ground: Ground, smtp: Catcher, *, campaign_id: int = 1) -> Received:
    """A bulletin that Ana's server took; the first one makes her a subscriber."""
    if campaign_id == 1:
        await people.subscribed(ground, ANA)
    topic = await people.topic(ground)
    await mailing.start(ground, topics=[topic.id], campaign_id=campaign_id)
    await worker.run_until_idle(ground)
    return smtp.messages[-1]


def bounce(mail: Received) -> bytes:
    """What comes back when her mailbox turns out to be gone."""
    return reports.status_report(to=mail.mail_from, recipient=ANA)


def asked(mail: Received, *, subject: str = "%s", **headers: str) -> bytes:
    """What a mail program sends for “unsubscribe” (RFC 2369 §3.2); `%s` is where its token goes."""
    return reports.letter(
        to=unsubscribe_address(mail), subject=subject % unsubscribe_token(mail), **headers
    )


def unsubscribe_address(mail: Received) -> str:
    return urlsplit(_mailto(mail)).path


def unsubscribe_token(mail: Received) -> str:
    return parse_qs(urlsplit(_mailto(mail)).query)["subject"][0]


def _mailto(mail: Received) -> str:
    found = re.search(r"<(mailto:[^>]+)>", mail.parsed["List-Unsubscribe"])
    assert found is not None
    return found[1]


async def returned(ground: Ground) -> list[Return]:
    """Everything that was kept."""
    async with ground.db.reading() as session:
        return list((await session.exec(select(Return))).all())


async def suppressed(ground: Ground) -> list[str]:
    """Why addresses are not mailed any more."""
    async with ground.db.reading() as session:
        return [row.reason for row in (await session.exec(select(Suppression))).all()]


async def subscriptions(ground: Ground) -> list[str]:
    """How every subscription stands."""
    async with ground.db.reading() as session:
        return sorted(row.state for row in (await session.exec(select(Subscription))).all())
