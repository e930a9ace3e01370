"""The inbox for programs: items that came in, put in, and decided about."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from campaigns import feed_reading, inbox, inbox_lists, incoming, issues
from campaigns.content_api import Row, ShortText, Version, Words
from campaigns.inbox import Change
from campaigns.inbox_models import IncomingItem, ItemState, Origin
from campaigns.incoming import Offer
from campaigns.models import DevelopmentKind
from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web import api
from foundation.web.api import Body, Call, Endpoint, Page

Headline = Annotated[str, Field(max_length=feed_reading.LINE)]
Link = Annotated[str, Field(max_length=feed_reading.LINK)]
_STATES = {each.value: each for each in ItemState}
_ORIGINS = {each.value: each for each in Origin}
_EMPTIED = {"not_before", "partner_id"}
"""What null takes away from an item."""


class ItemOut(BaseModel):
    """Something that came in; `summary` is HTML."""

    id: int
    state: str
    origin: str
    issue_id: int
    feed_id: int | None
    partner_id: int | None
    sender: str
    language: str
    headline: str
    summary: str
    source_name: str
    source_url: str
    happened_on: date
    kind: str
    place: str
    hold_until: date | None
    not_before: datetime | None
    reason: str
    same_as_id: int | None
    development_id: int | None
    received_at: datetime
    version: int


class ItemIn(Body):
    """A new item for an issue, named by its slug; `identity` is what you call it, once each."""

    issue: ShortText
    headline: Annotated[Headline, Field(min_length=1)]
    summary: Words = ""
    language: ShortText = ""
    happened_on: date | None = None
    kind: DevelopmentKind | None = None
    place: ShortText = ""
    source_name: ShortText = ""
    source_url: Link = ""
    partner_id: Row | None = None
    not_before: AwareDatetime | None = None
    identity: Link = ""


class ItemChange(Body):
    """What changes; what is left out stays. `version` as last seen.

    `not_before` and `partner_id` are taken away by null.
    """

    version: Version
    issue_id: Row | None = None
    headline: Headline | None = None
    summary: Words | None = None
    language: ShortText | None = None
    happened_on: date | None = None
    kind: DevelopmentKind | None = None
    place: ShortText | None = None
    source_name: ShortText | None = None
    source_url: Link | None = None
    partner_id: Row | None = None
    not_before: AwareDatetime | None = None


class Keeping(Body):
    """The version that was seen, and whether everybody is to see it."""

    version: Version
    is_published: bool = False


class Dropping(Body):
    """The version that was seen, and why."""

    version: Version
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Holding(Body):
    """The version that was seen, and until when."""

    version: Version
    until: date


class Merging(Body):
    """The version that was seen, and the item that tells the same."""

    version: Version
    into: Row


class Reopening(Body):
    """The version that was seen."""

    version: Version


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write, tag, one = Scope.READ, Scope.CONTENT, "Inbox", "/incoming/{id}"
    return [
        Endpoint(method="GET", path="/incoming", handler=list_items, scope=read, tag=tag,
                 summary="List what came in, the last first", is_list=True, answer=Page[ItemOut],
                 query=(("state", ", ".join(_STATES) + "; all of them if left out"),
                        ("issue", "The issue's slug"), ("feed", "The feed's number"),
                        ("origin", ", ".join(_ORIGINS)), ("q", "Words in it"))),
        Endpoint(method="POST", path="/incoming", handler=add_item, scope=write, tag=tag,
                 summary="Put something into the inbox; the answer is it, or what was there before",
                 body=ItemIn, answer=ItemOut, status=201),
        Endpoint(method="GET", path=one, handler=show_item, scope=read, tag=tag,
                 summary="Show an item", answer=ItemOut),
        Endpoint(method="PATCH", path=one, handler=change_item, scope=write, tag=tag,
                 summary="Change an item that is not decided about", body=ItemChange,
                 answer=ItemOut),
        Endpoint(method="POST", path=f"{one}/keep", handler=keep_item, scope=write, tag=tag,
                 summary="Make it a development", body=Keeping, answer=ItemOut),
        Endpoint(method="POST", path=f"{one}/drop", handler=drop_item, scope=write, tag=tag,
                 summary="Drop it with a reason", body=Dropping, answer=ItemOut),
        Endpoint(method="POST", path=f"{one}/hold", handler=hold_item, scope=write, tag=tag,
                 summary="Put it away until a day", body=Holding, answer=ItemOut),
        Endpoint(method="POST", path=f"{one}/merge", handler=merge_item, scope=write, tag=tag,
                 summary="Say that it tells the same as another", body=Merging, answer=ItemOut),
        Endpoint(method="POST", path=f"{one}/reopen", handler=reopen_item, scope=write, tag=tag,
                 summary="Take the decision back", body=Reopening, answer=ItemOut),
    ]  # fmt: skip


async def list_items(call: Call) -> Page[ItemOut]:
    """Those that came last first."""
    state, origin, feed = call.query("state"), call.query("origin"), call.query("feed") or ""
    if state is not None and state not in _STATES:
        raise errors.Invalid(N_("“state” is one of %(known)s."), known=", ".join(_STATES))
    if origin is not None and origin not in _ORIGINS:
        raise errors.Invalid(N_("“origin” is one of %(known)s."), known=", ".join(_ORIGINS))
    if feed and not (feed.isascii() and feed.isdigit() and len(feed) < 18):
        raise errors.Invalid(N_("“feed” is a number."))
    async with call.ground.db.reading() as session:
        slug = call.query("issue")
        query = inbox_lists.Query(
            state=_STATES[state] if state else None,
            issue_id=(await issues.by_slug(session, slug)).id if slug else None,
            feed_id=int(feed) if feed else None,
            origin=_ORIGINS[origin] if origin else None,
            text=(call.query("q") or "")[:200],
        )
        found = await inbox_lists.listed(
            call.ground, session, query, after=call.after, limit=call.limit
        )
    return Page(
        items=[_out(call, each) for each in found.items],
        next=api.cursor(found.next_after) if found.next_after else None,
    )


async def add_item(call: Call) -> ItemOut:
    """Put it in; what is known or told before is answered as it stands."""
    body: ItemIn = call.body
    async with call.ground.db.reading() as session:
        issue = await issues.by_slug(session, body.issue)
    offer = Offer(
        identity=body.identity,
        headline=body.headline,
        summary=body.summary,
        language=body.language or call.ground.settings.site.language,
        happened_on=body.happened_on or inbox_lists.today(call.ground),
        kind=body.kind,
        place=body.place,
        source_name=body.source_name,
        source_url=body.source_url,
        partner_id=body.partner_id,
        not_before=body.not_before,
        sender=call.actor.label,
    )
    taken = await incoming.take_in(
        call.ground, actor=call.actor, issue_id=issue.id, origin=Origin.API, offers=[offer]
    )
    return await _answer(call, taken.every[0])


async def show_item(call: Call) -> ItemOut:
    """One item."""
    return await _answer(call, call.number())


async def change_item(call: Call) -> ItemOut:
    """Change what was named; refused with 409 when somebody else was faster."""
    body: ItemChange = call.body
    async with call.ground.db.reading() as session:
        now = await inbox_lists.get(session, call.number())
    said = body.model_dump(exclude={"version"}, exclude_none=True)
    said |= body.model_dump(include=_EMPTIED & body.model_fields_set)
    before: dict[str, Any] = {
        name: getattr(now, name) for name in ItemChange.model_fields if name != "version"
    }
    values = {**before, **said}
    values["kind"] = DevelopmentKind(values["kind"])
    await inbox.edit(
        call.ground,
        actor=call.actor,
        item_id=now.id,
        version=body.version,
        change=Change(**values),
    )
    return await _answer(call, now.id)


async def keep_item(call: Call) -> ItemOut:
    """Make it a development."""
    body: Keeping = call.body
    await inbox.keep(
        call.ground,
        actor=call.actor,
        item_id=call.number(),
        version=body.version,
        is_published=body.is_published,
    )
    return await _answer(call, call.number())


async def drop_item(call: Call) -> ItemOut:
    """Drop it."""
    body: Dropping = call.body
    await inbox.drop(
        call.ground,
        actor=call.actor,
        item_id=call.number(),
        version=body.version,
        reason=body.reason,
    )
    return await _answer(call, call.number())


async def hold_item(call: Call) -> ItemOut:
    """Put it away."""
    body: Holding = call.body
    await inbox.hold(
        call.ground, actor=call.actor, item_id=call.number(), version=body.version, until=body.until
    )
    return await _answer(call, call.number())


async def merge_item(call: Call) -> ItemOut:
    """Make it one with another."""
    body: Merging = call.body
    await inbox.merge(
        call.ground,
        actor=call.actor,
        item_id=call.number(),
        version=body.version,
        into_id=body.into,
    )
    return await _answer(call, call.number())


async def reopen_item(call: Call) -> ItemOut:
    """Take the decision back."""
    body: Reopening = call.body
    await inbox.reopen(call.ground, actor=call.actor, item_id=call.number(), version=body.version)
    return await _answer(call, call.number())


async def _answer(call: Call, number: int) -> ItemOut:
    async with call.ground.db.reading() as session:
        return _out(call, await inbox_lists.get(session, number))


def _out(call: Call, item: IncomingItem) -> ItemOut:
    values = {name: getattr(item, name) for name in ItemOut.model_fields}
    return ItemOut(**values | {"state": inbox_lists.state_now(call.ground, item).value})
