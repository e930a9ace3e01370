"""A site with one of everything, and a real address for each of its routes."""

import contextlib
import re
import sqlite3
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from aiohttp import web as aiohttp_web
from sqlmodel import SQLModel, col, select

from campaigns import (
    audience_rules,
    audiences,
    bulletins,
    campaign_views,
    comments,
    inbox_rules,
    lifecycle,
    mail_templates,
    materials,
    segments,
    series_runs,
    snippets,
    welcome,
)
from campaigns.documents import parse_block
from campaigns.welcome_models import StepKind, WelcomeMailing
from delivery import worker
from delivery.models import BounceKind, Return
from foundation import audit
from foundation.accounts import api_tokens
from foundation.accounts.api_tokens import Scope
from foundation.ground import Ground
from foundation.tokens import Purpose
from handbill import app
from subscribers import applying, forms, gatherings, partners, signing, signup
from subscribers.intake import SignUpRequest
from subscribers.member_models import MemberLogo, MemberQuestion
from subscribers.models import Subscriber
from templates import content
from tests.campaigns import desk, editions, newsroom
from tests.world import people

_LOGO = "0" * 32
_PLACE = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """A route: its method and the pattern of its path."""

    method: str
    pattern: str

    @property
    def places(self) -> list[str]:
        """The names that stand in the pattern."""
        return _PLACE.findall(self.pattern)

    def filled(self, values: dict[str, str]) -> str:
        """The path with `values` in its places."""
        return _PLACE.sub(lambda found: values[found[1]], self.pattern)


@dataclass(frozen=True, kw_only=True, slots=True)
class Estate:
    """What was built."""

    ground: Ground
    addresses: tuple[Address, ...]
    api_token: str
    values: dict[str, str]

    def real(self, address: Address) -> str:
        """A path of the route that leads to something."""
        sealed = token(self.ground, address.pattern)
        here = {"token": sealed} if sealed else {}
        if address.pattern.startswith("/archive/"):
            here |= {"slug": self.values["archived"], "kind": "xml"}
        elif address.pattern.startswith("/members/"):
            here |= {"id": "2", "digest": _LOGO}
        elif address.pattern.startswith("/files/"):
            here["digest"] = self.values["file_digest"]
        elif address.pattern.startswith("/staff/calendar/move/"):
            here["id"] = self.values["scheduled"]
        elif "/words/" in address.pattern:
            here["block"] = self.values["news_block"]
        elif address.pattern.startswith("/staff/translations/"):
            here["kind"] = "snippet"
        return address.filled({**self.values, **here})


async def build(ground: Ground) -> Estate:
    """One of everything, through the verbs; a campaign is a draft, one waits, one was sent."""
    for slug in ("secure-communities", "action-alerts", "coalition-members"):
        await people.topic(ground, slug)
    await people.subscribed(ground, allows_tracking=True)
    await signup.submit(
        ground,
        request=SignUpRequest(
            email="new@example.org", topics=("secure-communities",), language="es", via="form"
        ),
    )
    issue = await newsroom.issue(ground)
    await newsroom.parts(ground, issue)
    await newsroom.development(ground, issue, newsroom.news(key="news", day=date(2026, 10, 20)))
    handout = await newsroom.handout(ground, issue)
    picture = await newsroom.picture(ground)
    async with ground.db.reading() as session:
        copies = await materials.copies(session, [handout.id])
    blocks = [newsroom.text_block("Hello", "Hola"), {"kind": "developments", "keys": ["news"]}]
    bulletin = await newsroom.bulletin(ground, newsroom.written(blocks=blocks))
    await writing(ground, bulletin.id)
    archived, scheduled = await _campaigns(ground)
    await neighbours(ground)
    await returned(ground)
    series = await editions.made(ground)
    await series_runs.run_now(ground, actor=audit.COMMAND, series_id=series.id)
    await desk.feed(ground, "https://paper.example/feed")
    await desk.put(ground, desk.offer())
    await inbox_rules.add_usual(ground, actor=audit.COMMAND)
    await welcome_step(ground, issue.id)
    secret = await api_tokens.create(
        ground, actor=audit.COMMAND, name="Sweep", scopes=frozenset(Scope), partner_id=1
    )
    return Estate(
        ground=ground,
        addresses=addresses(ground),
        api_token=secret,
        values={
            "id": "1",
            "part": "1",
            "run": "1",
            "topic": "secure-communities",
            "step": "1",
            "contact": "1",
            "development": "1",
            "material": str(handout.id),
            "remark": "1",
            "block": bulletins.document_of(bulletin).blocks[0].id,
            "news_block": bulletins.document_of(bulletin).blocks[1].id,
            "digest": picture.digest,
            "file_digest": copies[0].digest,
            "archived": archived,
            "scheduled": scheduled,
            "name": "form-en.pdf",
            "form": "river",
            "partner": "river-valley",
            "kind": "svg",
            "slug": "secure-communities",
            "hash": "0",
            "group": "sending",
            "secret": "x" * 43,
        },
    )


_BUILT: list[tuple[Estate, sqlite3.Connection]] = []
"""The first one of this process, and what was in its database then, in memory."""


async def copied(ground: Ground) -> Estate:
    """The same on SQLite, which is built once for all tests of a process."""
    with contextlib.closing(sqlite3.connect(ground.db.engine.url.database or "")) as file:
        if not _BUILT:
            _BUILT.append((await build(ground), sqlite3.connect(":memory:")))
            file.backup(_BUILT[0][1])
        else:
            _BUILT[0][1].backup(file)
    return replace(_BUILT[0][0], ground=ground)


async def rows(ground: Ground, *, without: frozenset[str] = frozenset()) -> dict[str, list[Any]]:
    """Every row of every table but `without`; leaves out when staff were last seen."""
    found = {}
    async with ground.db.reading() as session:
        for table in SQLModel.metadata.sorted_tables:
            if table.name in without:
                continue
            columns = [each for each in table.columns if not each.name.startswith("last_")]
            answer = await session.execute(sa.select(*columns).order_by(*table.primary_key.columns))
            found[table.name] = [tuple(row) for row in answer.all()]
    return found


async def writing(ground: Ground, bulletin_id: int) -> None:
    """What writers keep beside their bulletins, and a remark on one."""
    block = parse_block({"kind": "rich_text", "texts": {"en": {"html": "<p>Come by.</p>"}}})
    await snippets.create(ground, actor=audit.COMMAND, name="Where to call", block=block)
    source = mail_templates.original(content.Template.BULLETIN)
    await mail_templates.create(ground, actor=audit.COMMAND, name="Ours", source=source)
    rules = audience_rules.Rules(all_of=[audience_rules.Town(towns=["Lowell"])])
    await segments.create(ground, actor=audit.COMMAND, name="Around", rules=rules)
    await comments.write(
        ground, actor=audit.COMMAND, bulletin_id=bulletin_id, text="Is the day right?"
    )


async def _campaigns(ground: Ground) -> tuple[str, str]:
    """The name of what was sent in the archive, and the number of what waits for its time."""
    archived = scheduled = ""
    for name in ("Sent", "Draft", "Scheduled"):
        campaign = await lifecycle.create(
            ground,
            actor=audit.COMMAND,
            bulletin_id=1,
            name=name,
            audience=audiences.Audience(topics=["secure-communities"]),
        )
        if name == "Draft":
            continue
        await lifecycle.request_review(ground, actor=audit.COMMAND, campaign_id=campaign.id)
        await lifecycle.approve(ground, actor=audit.COMMAND, campaign_id=campaign.id)
        if name == "Scheduled":
            scheduled = str(campaign.id)
            await lifecycle.schedule(
                ground,
                actor=audit.COMMAND,
                campaign_id=campaign.id,
                at="2026-12-01T09:00",
                zone="UTC",
            )
        else:
            await lifecycle.start(ground, actor=audit.COMMAND, campaign_id=campaign.id)
            await worker.run_until_idle(ground)
            await lifecycle.follow_dispatches(ground)
            sent = await campaign_views.show(ground, campaign_id=campaign.id)
            archived = sent.campaign.archive_slug or ""
    return archived, scheduled


async def welcome_step(ground: Ground, issue_id: int) -> None:
    """A step that brought something once."""
    step = await welcome.add_step(
        ground,
        actor=audit.COMMAND,
        topic="secure-communities",
        version=0,
        draft=welcome.StepDraft(kind=StepKind.EXPLAINER, object_id=issue_id, days=1),
    )
    async with ground.db.transaction() as session:
        session.add(WelcomeMailing(step_id=step.id, digest="then", made_at=ground.clock.now()))


async def returned(ground: Ground) -> None:
    """A message that came back, with itself as evidence."""
    async with ground.db.transaction() as session:
        session.add(
            Return(
                delivery_id=1,
                subscriber_id=1,
                kind=BounceKind.SOFT.value,
                digest="returned",
                evidence=b"Subject: Undeliverable\r\n\r\nNot now.\r\n",
                received_at=ground.clock.now(),
            )
        )


async def neighbours(ground: Ground) -> None:
    """A form of a partner, and an organisation that asks to join."""
    await partners.create(
        ground,
        actor=audit.COMMAND,
        details=partners.Details(name="River Valley", key="river-valley"),
    )
    await forms.create(
        ground,
        actor=audit.COMMAND,
        details=forms.Details(slug="river", name="River page", topics=["action-alerts"]),
    )
    await applying.apply(
        ground,
        application=applying.Application(
            name="River Valley Workers",
            website="https://river.example",
            town="Lowell",
            languages=["English"],
            mission="We help workers.",
            contact_name="Dara Sok",
            contact_email="dara@river.example",
            contact_role="Director",
            agrees=True,
            language="en",
            network="203.0.113.0/24",
        ),
    )
    await gatherings.create(
        ground,
        actor=audit.COMMAND,
        details=gatherings.Details(
            name="Spring fair",
            code="spring-fair",
            day=date(2026, 11, 20),
            form_id=1,
            languages=["en", "es"],
        ),
    )
    await signing.sign(
        ground,
        signature=signing.Signature(
            organisation="Harbor Choir",
            name="Lidia Sosa",
            email="lidia@choir.example",
            agrees=True,
            version=1,
            language="en",
        ),
    )
    async with ground.db.transaction() as session:
        session.add(
            MemberQuestion(
                member_id=1, question="Why?", asked_at=ground.clock.now(), asked_by="office"
            )
        )
    async with ground.db.reading() as session:
        person = (await session.exec(select(Subscriber).order_by(col(Subscriber.id)))).first()
    assert person is not None
    await people.speaks_for_a_member(ground, person)
    async with ground.db.transaction() as session:
        session.add(
            MemberLogo(
                member_id=2,
                digest=_LOGO,
                alt="Two hands",
                width=1,
                height=1,
                content=b"\x89PNG",
                created_at=ground.clock.now(),
            )
        )


def addresses(ground: Ground) -> tuple[Address, ...]:
    """Every route of the application."""
    found = set()
    for route in app.build(ground).router.routes():
        pattern = _pattern(route.resource)
        found.add((pattern, route.method))
    return tuple(Address(method=method, pattern=pattern) for pattern, method in sorted(found))


def _pattern(resource: aiohttp_web.AbstractResource | None) -> str:
    assert resource is not None
    return resource.canonical


def token(ground: Ground, pattern: str) -> str:
    """The token that a route takes; blank for routes that take none."""
    minute = int(ground.clock.now().timestamp()) // 60
    numbers: dict[str, tuple[Purpose, tuple[int, ...]]] = {
        "/confirm": (Purpose.CONFIRM, (1, 2, minute)),
        "/unsubscribe": (Purpose.UNSUBSCRIBE, (1, 1, 0)),
        "/preferences": (Purpose.PREFERENCES, (1,)),
        "/come-back": (Purpose.COME_BACK, (1, minute)),
        "/join/confirm": (Purpose.MEMBER, (1,)),
        "/join/answer": (Purpose.QUESTION, (1, 1)),
        "/member": (Purpose.MEMBERSHIP, (2,)),
        "/statement/confirm": (Purpose.SIGN_ON, (1, minute)),
        "/view": (Purpose.VIEW, (1, 1, 1)),
        "/r": (Purpose.CLICK, (1, 1, 1, 0)),
        "/o": (Purpose.OPEN, (1, 1, 0)),
        "/events": (Purpose.EVENT, (1, 1)),
    }
    before = pattern.partition("/{token}")[0]
    if before == pattern or before not in numbers:
        return ""
    purpose, sealed = numbers[before]
    return ground.tokens.seal(purpose, *sealed)
