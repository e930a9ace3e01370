"""Segments for programs: rules over people that have a name, and how many each has."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from campaigns import audience_problems, audiences, segments
from campaigns.audience_rules import Rules, Simples
from campaigns.segment_models import Segment
from foundation import i18n
from foundation.accounts.api_tokens import Scope
from foundation.web.api import Body, Call, Endpoint, Page

Name = Annotated[str, Field(min_length=1, max_length=segments.LONGEST_NAME)]


class SegmentIn(Body):
    """A segment: its people fit each of `all_of`, one of `any_of`, and none of `none_of`."""

    name: Name
    all_of: Simples = []
    any_of: Simples = []
    none_of: Simples = []


class SegmentChange(SegmentIn):
    """The same over the `version` that was seen."""

    version: Annotated[int, Field(ge=1, le=2**31)]


class SegmentOut(BaseModel):
    """A segment in a list."""

    id: int
    name: str
    rules: dict[str, Any]
    version: int
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime
    put_away_at: datetime | None


class SegmentWhole(SegmentOut):
    """A segment with how many people it has who can be mailed, and the campaigns that go by it."""

    people: int
    by_language: dict[str, int]
    campaigns: list[int]


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write, tag, one = Scope.READ, Scope.CAMPAIGNS, "Segments", "/segments/{id}"
    return [
        Endpoint(method="GET", path="/segments", handler=list_segments, scope=read, tag=tag,
                 summary="List segments by name", is_list=True, answer=Page[SegmentOut]),
        Endpoint(method="POST", path="/segments", handler=create, scope=write, tag=tag,
                 summary="Make a segment", body=SegmentIn, answer=SegmentWhole, status=201),
        Endpoint(method="GET", path=one, handler=show, scope=read, tag=tag,
                 summary="Show a segment, counted now", answer=SegmentWhole),
        Endpoint(method="PUT", path=one, handler=change, scope=write, tag=tag,
                 summary="Change a segment; approvals that rest on it are taken back",
                 body=SegmentChange, answer=SegmentWhole),
        Endpoint(method="POST", path=f"{one}/put-away", handler=put_away, scope=write, tag=tag,
                 summary="Offer it no more", answer=SegmentWhole),
    ]  # fmt: skip


async def list_segments(call: Call) -> Page[SegmentOut]:
    """All at once: they are few."""
    async with call.ground.db.reading() as session:
        found = await segments.offered(session)
    return Page(items=[SegmentOut.model_validate(each.model_dump()) for each in found])


async def create(call: Call) -> SegmentWhole:
    """A rule under a name."""
    body: SegmentIn = call.body
    made = await segments.create(call.ground, actor=call.actor, name=body.name, rules=_rules(body))
    return await _shown(call, made)


async def show(call: Call) -> SegmentWhole:
    """One segment."""
    async with call.ground.db.reading() as session:
        found = await segments.get(session, call.number())
    return await _shown(call, found)


async def change(call: Call) -> SegmentWhole:
    """Its name and rule."""
    body: SegmentChange = call.body
    kept = await segments.update(
        call.ground,
        actor=call.actor,
        segment_id=call.number(),
        version=body.version,
        name=body.name,
        rules=_rules(body),
    )
    return await _shown(call, kept)


async def put_away(call: Call) -> SegmentWhole:
    """Not while something that is to come uses it."""
    await segments.put_away(call.ground, actor=call.actor, segment_id=call.number())
    return await show(call)


def _rules(body: SegmentIn) -> Rules:
    values = body.model_dump(mode="json", include=set(Rules.model_fields))
    return audience_problems.read(Rules, values)


async def _shown(call: Call, segment: Segment) -> SegmentWhole:
    ground = call.ground
    async with ground.db.reading() as session:
        audience = await segments.audience_of(session, segments.rules_of(segment))
        counted = await audiences.count_in(
            ground, session, audience, languages=ground.catalog.languages or [i18n.SOURCE]
        )
        where = await segments.uses(session, segment.id)
    return SegmentWhole(
        **segment.model_dump(exclude={"name_key"}),
        people=counted.included,
        by_language=dict(counted.by_language),
        campaigns=[each.id for each in where.coming],
    )
