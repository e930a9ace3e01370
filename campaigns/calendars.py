"""Events for calendars: what bulletins told of, kept as sending starts, and written by RFC 5545.

An event has one UID for good. When a correction tells it otherwise, its SEQUENCE goes up, and every
calendar that has it or subscribes to it learns of the change.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    archive,
    block_content,
    block_models,
    bulletins,
    event_links,
    issues,
    links,
    wording,
)
from campaigns.archive_models import CalendarEvent
from campaigns.documents import Document
from campaigns.models import Bulletin, Campaign, Issue, Visibility
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from foundation.tokens import Purpose
from templates import prose

KEPT_FOR = timedelta(days=90)
"""How long what is over stays in a calendar that people subscribe to."""
MOST = 200


@frozen
class Happening:
    """An event in a reader's language."""

    uid: str
    title: str
    language: str
    language_note: str
    when_label: str
    place: str
    address: str
    body_html: str
    url: str
    calendar_url: str
    starts_at: datetime
    """In its own zone."""
    ends_at: datetime | None
    sequence: int
    changed_at: datetime


@frozen
class Calendar:
    """Events under one name."""

    name: str
    url: str
    """Where it is itself; blank for a single event."""
    events: Sequence[Happening]
    changed_at: datetime | None


async def keep(
    ground: Ground, session: AsyncSession, *, campaign: Campaign, bulletin: Bulletin
) -> None:
    """Keep a bulletin's events as sending starts; those that it tells otherwise are changed."""
    document = bulletins.document_of(bulletin)
    events = [each for each in document.blocks if isinstance(each, block_models.Event)]
    if not events:
        return
    origin = await event_links.origin(session, bulletin.id)
    statement = select(CalendarEvent).where(CalendarEvent.bulletin_id == origin)
    known = {each.number: each for each in (await session.exec(statement)).all()}
    now = ground.clock.now()
    for block in events:
        if block.starts_at is None:
            continue
        told = _told(ground, block, block.starts_at)
        row = known.get(event_links.number(block.id))
        if row is None:
            session.add(
                CalendarEvent(
                    bulletin_id=origin,
                    number=event_links.number(block.id),
                    issue_id=bulletin.issue_id,
                    campaign_id=campaign.id,
                    is_for_all=_is_for_all(block),
                    created_at=now,
                    updated_at=now,
                    **told,
                )
            )
        elif any(getattr(row, name) != value for name, value in told.items()):
            if campaign.corrects_id is not None:
                row.campaign_id, row.is_for_all = campaign.id, _is_for_all(block)
            elif await _is_corrected(session, row, bulletin):
                continue
            row.sqlmodel_update({**told, "sequence": row.sequence + 1, "updated_at": now})
            session.add(row)


async def one(ground: Ground, *, token: str, translator: Translator) -> Calendar:
    """The event that a link leads to; before its bulletin goes out, as it stands now.

    Raises `errors.BadToken`, `errors.NotFound`.
    """
    bulletin_id, number = (*ground.tokens.open(Purpose.EVENT, token), 0, 0)[:2]
    async with ground.db.reading() as session:
        statement = select(CalendarEvent).where(
            CalendarEvent.bulletin_id == bulletin_id, CalendarEvent.number == number
        )
        row = (await session.exec(statement)).first()
        if row is None:
            row = await _drafted(ground, session, bulletin_id, number)
        campaign = await session.get(Campaign, row.campaign_id) if row and row.campaign_id else None
    is_hidden = campaign is not None and campaign.visibility == Visibility.HIDDEN
    if row is None or is_hidden:
        raise errors.NotFound(N_("This event is not in any bulletin any more."))
    event = _tell(ground, row, translator)
    return Calendar(name=event.title, url="", events=[event], changed_at=row.updated_at)


async def upcoming(
    ground: Ground, *, issue: Issue, translator: Translator, limit: int
) -> Sequence[Happening]:
    """What comes next on an issue, the soonest first."""
    now = ground.clock.now()
    async with ground.db.reading() as session:
        found = await session.scalars(_public(since=now).where(_is_of(issue)).limit(limit))
        return [_tell(ground, each, translator) for each in found.all()]


async def calendar(ground: Ground, *, slug: str, translator: Translator) -> Calendar:
    """All events of an issue, or of the site with a blank `slug`. Raises `errors.NotFound`."""
    since = ground.clock.now() - KEPT_FOR
    statement = _public(since=since).limit(MOST)
    name, path = ground.settings.site.name, "/events.ics"
    async with ground.db.reading() as session:
        if slug:
            issue = await issues.by_slug(session, slug)
            if not issue.is_published:
                raise errors.NotFound(N_("There is no issue called “%(slug)s”."), slug=slug[:80])
            statement = statement.where(_is_of(issue))
            path = f"/issues/{slug}/events.ics"
            name = f"{issues.title(ground, issue, translator.language)} · {name}"
        rows = (await session.scalars(statement)).all()
        changed_at = await session.scalar(sa.select(sa.func.max(col(Campaign.updated_at))))
    return Calendar(
        name=name,
        url=ground.url(f"{path}?lang={translator.language}"),
        events=[_tell(ground, each, translator) for each in rows],
        changed_at=changed_at,
    )


def written(shown: Calendar, *, language: str) -> bytes:
    """A calendar as RFC 5545 writes it, with its time zones, folded and escaped."""
    import icalendar

    made = icalendar.Calendar()
    made.add("prodid", "-//Handbill//Bulletins//EN")
    made.add("version", "2.0")
    made.add("name", shown.name)  # RFC 7986 §5.1
    made.add("x-wr-calname", shown.name)
    if shown.url:
        made.add("url", shown.url)
        made.add("refresh-interval", timedelta(hours=6), {"VALUE": "DURATION"})
        made.add("x-published-ttl", "PT6H")
    for each in shown.events:
        event = icalendar.Event()
        event.add("uid", each.uid)
        event.add("dtstamp", each.changed_at)
        event.add("last-modified", each.changed_at)
        event.add("sequence", each.sequence)
        event.add("dtstart", each.starts_at)
        if each.ends_at is not None and each.ends_at > each.starts_at:
            event.add("dtend", each.ends_at)
        event.add("summary", each.title, {"LANGUAGE": each.language or language})
        if where := ", ".join(filter(None, (each.place, each.address))):
            event.add("location", where)
        if said := "\n\n".join(filter(None, (prose.plain(each.body_html), each.url))):
            event.add("description", said)
        if each.url:
            event.add("url", each.url)
        made.add_component(event)
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _public(*, since: datetime) -> sa.Select[CalendarEvent]:
    """Events that everybody may read of, the soonest first; what is going on is not over."""
    last = sa.func.coalesce(col(CalendarEvent.ends_at), col(CalendarEvent.starts_at))
    return (
        sa.select(CalendarEvent)
        .join(Campaign, col(Campaign.id) == col(CalendarEvent.campaign_id))
        .where(
            col(CalendarEvent.is_for_all).is_(True),
            last >= since,
            *archive.is_shown(),
        )
        .order_by(col(CalendarEvent.starts_at), col(CalendarEvent.id))
    )


def _is_of(issue: Issue) -> sa.ColumnElement[bool]:
    return col(CalendarEvent.issue_id) == issue.id


def _is_for_all(block: block_models.Event) -> bool:
    return block.condition is None and block.near is not block_models.Near.ONLY


async def _is_corrected(session: AsyncSession, row: CalendarEvent, bulletin: Bulletin) -> bool:
    """Whether another bulletin told it later, which one sent again does not undo."""
    teller = await session.get(Campaign, row.campaign_id) if row.campaign_id else None
    return teller is not None and teller.bulletin_id != bulletin.id


async def _drafted(
    ground: Ground, session: AsyncSession, bulletin_id: int, number: int
) -> CalendarEvent | None:
    """The event of a bulletin that is still written, for previews and tests."""
    bulletin = await session.get(Bulletin, bulletin_id)
    if bulletin is None:
        return None
    document: Document = bulletins.document_of(bulletin)
    for block in document.blocks:
        is_meant = event_links.number(block.id) == number
        if is_meant and isinstance(block, block_models.Event) and block.starts_at is not None:
            return CalendarEvent(
                bulletin_id=bulletin_id,
                number=number,
                created_at=bulletin.updated_at,
                updated_at=bulletin.updated_at,
                **_told(ground, block, block.starts_at),
            )
    return None


def _told(ground: Ground, block: block_models.Event, starts_at: datetime) -> dict[str, Any]:
    """An event's columns, as a bulletin tells it."""
    zone = block.zone or ground.settings.site.zone
    tzinfo = ZoneInfo(zone)
    return {
        "starts_at": starts_at.replace(tzinfo=tzinfo),
        "ends_at": block.ends_at.replace(tzinfo=tzinfo) if block.ends_at else None,
        "zone": zone,
        "url": block.url,
        "texts": {
            code: text.model_dump() for code, text in block.texts.items() if text.title.strip()
        },
    }


def _tell(ground: Ground, row: CalendarEvent, translator: Translator) -> Happening:
    worded = wording.pick(
        row.texts, translator, need="title", default=ground.settings.site.language
    )
    tzinfo = ZoneInfo(row.zone)
    starts_at = row.starts_at.astimezone(tzinfo)
    ends_at = row.ends_at.astimezone(tzinfo) if row.ends_at else None
    token = ground.tokens.seal(Purpose.EVENT, row.bulletin_id, row.number)
    host = urlsplit(ground.settings.site.url).hostname or "localhost"
    return Happening(
        uid=f"event-{row.bulletin_id}-{row.number}@{host}",
        title=worded["title"],
        language=worded.language,
        language_note=worded.note,
        when_label=block_content.when(
            starts_at.replace(tzinfo=None),
            ends_at.replace(tzinfo=None) if ends_at else None,
            zone=row.zone,
            translator=translator,
        ),
        place=worded["place"],
        address=worded["address"],
        body_html=links.absolute_html(ground, worded["body_html"]),
        url=links.absolute(ground, worded["url"] or row.url),
        calendar_url=f"/events/{token}.ics?lang={translator.language}",
        starts_at=starts_at,
        ends_at=ends_at,
        sequence=row.sequence,
        changed_at=row.updated_at,
    )
