"""Makes the sample campaigns: one sent and read, one scheduled, one still a draft.

Nothing is written into tables here: bulletins go out by SMTP, and what readers do comes in by HTTP
and as returned mail, at moments that the movable clock sets.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from yarl import URL

from campaigns import audiences, bulletins, documents, lifecycle
from campaigns.models import Campaign
from delivery import returns
from foundation.accounts.models import Role
from foundation.frozen import frozen
from handbill.demo.checking import expect
from handbill.demo.mailbox import Mail
from handbill.demo.scene import Scene

_PIXEL = re.compile(r"https?://[^\s\"'<>]+?(/o/[\w-]+\.gif)")
_LINK = re.compile(r"https?://[^\s\"'<>]+?(/r/[\w-]+)")
_PEOPLE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 Version/18.1 Safari/605.1",
)
_PREFETCHER = "Mozilla/5.0"
_SCANNER = "Mozilla/5.0 (compatible; LinkGuard/4.2; mail security scanner)"
_OPENING, _CLICKING, _PREFETCHED, _SCANNED = 0.46, 0.34, 0.2, 0.03
_LEAVING = 4


@frozen
class _Hit:
    """A request by a reader's program, at its moment."""

    at: datetime
    path: str
    agent: str
    method: str = "GET"


async def write(scene: Scene, name: str) -> Campaign:
    """One of the sample bulletins as a draft campaign."""
    document = documents.parse(scene.sample.bulletins[name], name=name)
    actor = scene.staff[Role.AUTHOR]
    bulletin = await bulletins.create(scene.ground, actor=actor, document=document)
    return await lifecycle.create(
        scene.ground,
        actor=actor,
        bulletin_id=bulletin.id,
        name=document.campaign.name,
        audience=audiences.parse(document.audience),
    )


async def ask_for_review(scene: Scene, campaign: Campaign) -> None:
    """The author is done."""
    await lifecycle.request_review(
        scene.ground, actor=scene.staff[Role.AUTHOR], campaign_id=campaign.id
    )


async def approve(scene: Scene, campaign: Campaign) -> None:
    """The editor has read it."""
    await lifecycle.approve(scene.ground, actor=scene.staff[Role.EDITOR], campaign_id=campaign.id)


def plan_sending(scene: Scene, *, days_ago: float) -> None:
    """A bulletin is written, approved and sent; some of it is put off, some of it comes back."""
    scene.timeline.add(scene.ago(days_ago + 1.3), functools.partial(_write_and_send, scene))


async def _write_and_send(scene: Scene) -> None:
    campaign = await write(scene, "sent")
    await ask_for_review(scene, campaign)
    later = scene.timeline.after
    later(timedelta(hours=5), functools.partial(approve, scene, campaign))
    later(timedelta(hours=31), functools.partial(_send, scene, campaign))


async def _send(scene: Scene, campaign: Campaign) -> None:
    await lifecycle.start(scene.ground, actor=scene.staff[Role.EDITOR], campaign_id=campaign.id)
    await scene.deliver()
    later = scene.timeline.after
    later(timedelta(minutes=6), functools.partial(_send_rest, scene))
    later(timedelta(minutes=15), functools.partial(take_returns, scene))
    mails = [mail for mail in scene.catcher.mailbox.newest() if mail.is_bulletin]
    for hit in (*_by_machines(scene, mails), *_by_people(scene, mails)):
        scene.timeline.add(hit.at, functools.partial(_visit, scene, hit))
    for number, mail in enumerate(scene.random.sample(mails, _LEAVING), start=1):
        later(timedelta(hours=number * 11), functools.partial(_leave, scene, mail))


async def _send_rest(scene: Scene) -> None:
    """What was put off is tried again, and the campaign is done."""
    await scene.deliver()
    await lifecycle.follow_dispatches(scene.ground)


async def take_returns(scene: Scene) -> int:
    """Mail that came back goes the way of all returned mail; says how much there was."""
    reports = scene.catcher.take_returns()
    for raw in reports:
        await returns.ingest(scene.ground, raw)
    return len(reports)


def plan_next(scene: Scene) -> None:
    """What lies ahead: a scheduled alert, and a bulletin that is still being written."""
    scene.timeline.add(scene.ago(0.9), functools.partial(_write_scheduled, scene))
    scene.timeline.add(scene.ago(0.2), functools.partial(write, scene, "draft"))


async def _write_scheduled(scene: Scene) -> None:
    campaign = await write(scene, "scheduled")
    await ask_for_review(scene, campaign)
    scene.timeline.after(timedelta(hours=2), functools.partial(_schedule, scene, campaign))


async def _schedule(scene: Scene, campaign: Campaign) -> None:
    """For nine o'clock, the day after tomorrow, by the site's own clock."""
    await approve(scene, campaign)
    site = scene.ground.settings.site
    day = scene.now.astimezone(site.tzinfo) + timedelta(days=2)
    await lifecycle.schedule(
        scene.ground,
        actor=scene.staff[Role.EDITOR],
        campaign_id=campaign.id,
        at=f"{day:%Y-%m-%d}T09:00",
        zone=site.zone,
    )


def _by_machines(scene: Scene, mails: Sequence[Mail]) -> Iterator[_Hit]:
    """Prefetchers and scanners come within seconds, and follow everything."""
    for mail in mails:
        if scene.random.random() < _PREFETCHED:
            at = mail.received_at + timedelta(seconds=scene.random.randint(2, 15))
            yield from (_Hit(at=at, path=path, agent=_PREFETCHER) for path in _pixels(mail))
        if scene.random.random() < _SCANNED:
            at = mail.received_at + timedelta(seconds=scene.random.randint(1, 6))
            for path in _links(mail):
                yield _Hit(at=at, path=path, agent=_SCANNER, method="HEAD")
                yield _Hit(at=at, path=path, agent=_SCANNER)


def _by_people(scene: Scene, mails: Sequence[Mail]) -> Iterator[_Hit]:
    """Most who read do so on the first evening, a few a week later."""
    for mail in mails:
        if scene.random.random() > _OPENING:
            continue
        agent = scene.random.choice(_PEOPLE)
        hours = min(0.3 + scene.random.expovariate(1 / 16), 240)
        at = mail.received_at + timedelta(hours=hours)
        yield from (_Hit(at=at, path=path, agent=agent) for path in _pixels(mail))
        links = _links(mail)
        if links and scene.random.random() < _CLICKING:
            count = min(len(links), scene.random.choice((1, 1, 1, 2)))
            for number, path in enumerate(scene.random.sample(links, count)):
                later = at + timedelta(seconds=40 + 50 * number)
                yield _Hit(at=later, path=path, agent=agent)


async def _visit(scene: Scene, hit: _Hit) -> None:
    async with scene.web.request(
        hit.method,
        URL(hit.path, encoded=True),
        headers={"User-Agent": hit.agent},
        allow_redirects=False,
    ) as answer:
        await answer.read()
        expect(answer.status < 400, f"{hit.method} {hit.path} was answered by {answer.status}")


async def _leave(scene: Scene, mail: Mail) -> None:
    """Somebody presses their mail program's own unsubscribe button (RFC 8058)."""
    path = urlsplit(mail.one_click_url).path
    async with scene.web.post(
        URL(path, encoded=True), data={"List-Unsubscribe": "One-Click"}
    ) as answer:
        answer.raise_for_status()


def _pixels(mail: Mail) -> list[str]:
    return [found[1] for found in _PIXEL.finditer(mail.html)]


def _links(mail: Mail) -> list[str]:
    return list(dict.fromkeys(found[1] for found in _LINK.finditer(mail.html)))
