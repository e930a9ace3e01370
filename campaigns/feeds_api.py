"""Feeds for programs: added, changed, paused, removed, and read at once."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from campaigns import feed_polling, feed_reading, feed_sources, issues
from campaigns.content_api import Row, ShortText, Version
from campaigns.feed_sources import FeedDraft
from campaigns.inbox_models import Feed
from foundation.accounts.api_tokens import Scope
from foundation.web import api
from foundation.web.api import Body, Call, Endpoint, Page

Link = Annotated[str, Field(max_length=feed_reading.LINK)]
Words = Annotated[list[ShortText], Field(max_length=50)]
Minutes = Annotated[int, Field(ge=feed_sources.LEAST_MINUTES, le=feed_sources.MOST_MINUTES)]


class FeedOut(BaseModel):
    """A feed; `problem` is what went wrong the last time, in English."""

    id: int
    issue_id: int
    url: str
    name: str
    title: str
    language: str
    partner_id: int | None
    every_minutes: int
    include: list[str]
    exclude: list[str]
    state: str
    next_at: datetime
    read_at: datetime | None
    failures: int
    problem: str
    added: int
    left_out: int
    version: int


class FeedIn(Body):
    """A new feed of an issue, named by its slug."""

    issue: ShortText
    url: Link
    name: ShortText = ""
    language: ShortText = ""
    partner_id: Row | None = None
    every_minutes: Minutes | None = None
    include: Words = []
    exclude: Words = []


class FeedChange(Body):
    """What changes; what is left out stays. `partner_id` is taken away by null."""

    version: Version
    issue_id: Row | None = None
    url: Link | None = None
    name: ShortText | None = None
    language: ShortText | None = None
    partner_id: Row | None = None
    every_minutes: Minutes | None = None
    include: Words | None = None
    exclude: Words | None = None


class SeenFeed(Body):
    """The version that was seen."""

    version: Version


class ReadingOut(BaseModel):
    """What came of reading a feed; `known` came in before, `same` was told by others before."""

    added: int
    known: int
    same: int
    left_out: int
    is_unchanged: bool
    problem: str


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write, tag, one = Scope.READ, Scope.CONTENT, "Feeds", "/feeds/{id}"
    return [
        Endpoint(method="GET", path="/feeds", handler=list_feeds, scope=read, tag=tag,
                 summary="List feeds", is_list=True, answer=Page[FeedOut],
                 query=(("issue", "The issue's slug"),)),
        Endpoint(method="POST", path="/feeds", handler=add_feed, scope=write, tag=tag,
                 summary="Add a feed", body=FeedIn, answer=FeedOut, status=201),
        Endpoint(method="GET", path=one, handler=show_feed, scope=read, tag=tag,
                 summary="Show a feed", answer=FeedOut),
        Endpoint(method="PATCH", path=one, handler=change_feed, scope=write, tag=tag,
                 summary="Change a feed", body=FeedChange, answer=FeedOut),
        Endpoint(method="POST", path=f"{one}/pause", handler=pause_feed, scope=write, tag=tag,
                 summary="Pause a feed", body=SeenFeed, answer=FeedOut),
        Endpoint(method="POST", path=f"{one}/resume", handler=resume_feed, scope=write, tag=tag,
                 summary="Resume a feed", body=SeenFeed, answer=FeedOut),
        Endpoint(method="POST", path=f"{one}/remove", handler=remove_feed, scope=write, tag=tag,
                 summary="Remove a feed; what came in by it stays", body=SeenFeed, status=204),
        Endpoint(method="POST", path=f"{one}/read", handler=read_feed, scope=write, tag=tag,
                 summary="Read a feed now", answer=ReadingOut),
    ]  # fmt: skip


async def list_feeds(call: Call) -> Page[FeedOut]:
    """In the order in which they were added."""
    async with call.ground.db.reading() as session:
        slug = call.query("issue")
        found = await feed_sources.listed(
            session,
            issue_id=(await issues.by_slug(session, slug)).id if slug else None,
            after=call.after,
            limit=call.limit + 1,
        )
    return Page(
        items=[_out(call, each) for each in found[: call.limit]],
        next=api.page(found, limit=call.limit, number_of=lambda each: each.id),
    )


async def add_feed(call: Call) -> FeedOut:
    """Add one to an issue."""
    body: FeedIn = call.body
    async with call.ground.db.reading() as session:
        issue = await issues.by_slug(session, body.issue)
    draft = FeedDraft(issue_id=issue.id, **body.model_dump(exclude={"issue"}))
    return _out(call, await feed_sources.add(call.ground, actor=call.actor, draft=draft))


async def show_feed(call: Call) -> FeedOut:
    """One feed."""
    async with call.ground.db.reading() as session:
        return _out(call, await feed_sources.get(session, call.number()))


async def change_feed(call: Call) -> FeedOut:
    """Change what was named; refused with 409 when somebody else was faster."""
    body: FeedChange = call.body
    async with call.ground.db.reading() as session:
        now = await feed_sources.get(session, call.number())
    said = body.model_dump(exclude={"version"}, exclude_none=True)
    said |= body.model_dump(include={"partner_id"} & body.model_fields_set)
    before: dict[str, Any] = {
        name: getattr(now, name) for name in FeedChange.model_fields if name != "version"
    }
    changed = await feed_sources.update(
        call.ground,
        actor=call.actor,
        feed_id=now.id,
        version=body.version,
        draft=FeedDraft(**{**before, **said}),
    )
    return _out(call, changed)


async def pause_feed(call: Call) -> FeedOut:
    """Read it no more."""
    body: SeenFeed = call.body
    paused = await feed_sources.pause(
        call.ground, actor=call.actor, feed_id=call.number(), version=body.version
    )
    return _out(call, paused)


async def resume_feed(call: Call) -> FeedOut:
    """Read it again."""
    body: SeenFeed = call.body
    resumed = await feed_sources.resume(
        call.ground, actor=call.actor, feed_id=call.number(), version=body.version
    )
    return _out(call, resumed)


async def remove_feed(call: Call) -> None:
    """Take it away."""
    body: SeenFeed = call.body
    await feed_sources.remove(
        call.ground, actor=call.actor, feed_id=call.number(), version=body.version
    )


async def read_feed(call: Call) -> ReadingOut:
    """Read it at once."""
    found = await feed_polling.poll_now(call.ground, feed_id=call.number())
    return ReadingOut(
        added=len(found.taken.added),
        known=len(found.taken.known),
        same=len(found.taken.same),
        left_out=found.left_out,
        is_unchanged=found.is_unchanged,
        problem=str(found.problem) if found.problem else "",
    )


def _out(call: Call, feed: Feed) -> FeedOut:
    values = {name: getattr(feed, name) for name in FeedOut.model_fields if name != "problem"}
    language = call.ground.settings.site.language
    said = feed.problem_texts.get("en") or feed.problem_texts.get(language, "")
    return FeedOut(problem=said, **values)
