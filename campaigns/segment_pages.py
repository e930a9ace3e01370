"""Staff's pages of segments: rules over people that have a name (`/staff/segments`)."""

from typing import Any

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    audience_pages,
    audience_problems,
    audience_staff_forms,
    audience_words,
    segments,
    staff_forms,
    transitions,
)
from campaigns.audience_pages import Counting
from campaigns.audience_rules import Audience, Rules
from campaigns.campaign_pages import TONES
from campaigns.segment_models import Segment
from foundation import errors
from foundation.accounts.models import Role
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.web import beside, forms, kit
from foundation.web.forms import Form
from subscribers import exporting

_HOME = "/staff/segments"
_COUNT = f"{_HOME}/count"


def routes() -> list[web.RouteDef]:
    """What is here; fixed names stand before `{id}`."""
    one = f"{_HOME}/{{id}}"
    return [
        web.get(_HOME, index),
        web.get(f"{_HOME}/new", ask),
        web.post(f"{_HOME}/new", save),
        web.post(_COUNT, count),
        web.get(one, show),
        web.post(one, show),
        web.get(f"{one}/edit", ask),
        web.post(f"{one}/edit", save),
        web.post(f"{one}/put-away", put_away),
        web.post(f"{one}/export", export),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/segments`: every segment, by name, with whom it takes."""
    speaks = kit.translator(request)
    async with kit.ground(request).db.reading() as session:
        offered = await segments.offered(session)
        rules = [segments.rules_of(each) for each in offered]
        names = await audience_words.names_of(session, *rules)
    return kit.render(
        request,
        "campaigns/segments.html",
        items=[
            (each, audience_words.sentence(rule, names, speaks))
            for each, rule in zip(offered, rules, strict=True)
        ],
    )


@kit.staff(Role.VIEWER)
async def count(request: web.Request) -> web.StreamResponse:
    """`POST /staff/segments/count`: how many it has, while it is written."""
    form = await forms.read(request)
    async with kit.ground(request).db.reading() as session:
        asked = await _asked(request, session, _rules(form), form, page_id=beside.page_id(form))
    told = await _told(request, asked, form, count_path=_COUNT)
    return kit.render(request, "campaigns/_count.html", **told)


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET|POST /staff/segments/{id}`: how many it has, where it is used, perhaps a few people."""
    return await _segment_page(request)


@kit.staff(Role.AUTHOR)
async def ask(request: web.Request) -> web.StreamResponse:
    """`GET /staff/segments/new` and `…/{id}/edit`."""
    return await _form_page(request)


@kit.staff(Role.AUTHOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST /staff/segments/new` and `…/{id}/edit`; other buttons change or count the rule."""
    ground, actor = kit.ground(request), kit.actor(request)
    form = await forms.read(request)
    if form.line("action"):
        return await _form_page(request, form)
    try:
        rules = _rules(form)
        name = form.line("name", limit=segments.LONGEST_NAME, required=True)
        form.check()
        if "id" in request.match_info:
            kept = await segments.update(
                ground,
                actor=actor,
                segment_id=kit.number_in_path(request),
                version=staff_forms.version(form),
                name=name,
                rules=rules,
            )
        else:
            kept = await segments.create(ground, actor=actor, name=name, rules=rules)
    except (errors.Invalid, errors.Conflict) as problem:
        return await _form_page(request, form, problem)
    words = kit.translator(request).gettext(N_("Saved."))
    return kit.redirect(request, f"{_HOME}/{kept.id}", flash=words)


@kit.staff(Role.EDITOR)
async def put_away(request: web.Request) -> web.StreamResponse:
    """`POST …/put-away`: it is not offered any more."""
    await forms.read(request)
    try:
        await segments.put_away(
            kit.ground(request),
            actor=kit.actor(request),
            segment_id=kit.number_in_path(request),
        )
    except errors.Refused as problem:
        return await _segment_page(request, problem)
    words = kit.translator(request).gettext(N_("Put away: it is not offered any more."))
    return kit.redirect(request, _HOME, flash=words)


@kit.staff(Role.EDITOR)
async def export(request: web.Request) -> web.StreamResponse:
    """`POST …/export`: its people as a CSV file, with a line in the log."""
    await forms.read(request)
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        segment = await segments.get(session, kit.number_in_path(request))
    chosen = await segments.people_of(ground, segment)
    await exporting.note(ground, actor=kit.actor(request), segment=segment.name)
    pieces = exporting.chunks(ground, chosen=chosen)
    first = await anext(pieces)
    day = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    return await kit.csv_file(
        request, first, pieces, name=f"segment-{segment.id}-{day.isoformat()}.csv"
    )


async def _segment_page(
    request: web.Request, problem: errors.HandbillError | None = None
) -> web.Response:
    form = await forms.read(request) if request.method == "POST" and problem is None else None
    async with kit.ground(request).db.reading() as session:
        segment = await segments.get(session, kit.number_in_path(request))
        asked = await _asked(request, session, segments.rules_of(segment), form)
        where = await segments.uses(session, segment.id)
    role = kit.signed_in(request).role
    return kit.render(
        request,
        "campaigns/segment.html",
        status=409 if problem else 200,
        problem=problem.say(kit.translator(request)) if problem else "",
        segment=segment,
        uses=where,
        states=transitions.STATE_WORDS,
        tones=TONES,
        may_change=role.may(Role.AUTHOR) and segment.put_away_at is None,
        may_export=role.may(Role.EDITOR),
        **await _told(request, asked, form),
    )


async def _form_page(
    request: web.Request,
    form: Form | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    segment: Segment | None = None
    where, page_id = None, beside.page_id(form)
    async with kit.ground(request).db.reading() as session:
        if "id" in request.match_info:
            segment = await segments.get(session, kit.number_in_path(request))
            where = await segments.uses(session, segment.id)
        kept = segments.rules_of(segment) if segment else Rules()
        rules = _rules(form) if form else kept
        asked = await _asked(request, session, rules, form, page_id=page_id)
        builder = await audience_pages.builder(request, session, rules, form, is_segment=True)
    is_conflict = isinstance(problem, errors.Conflict)
    return kit.render(
        request,
        "campaigns/segment_form.html",
        status=409 if is_conflict else 422 if problem else 200,
        segment=segment,
        approved=where.approved if where else [],
        values=staff_forms.typed(form) if form else {"name": segment.name if segment else ""},
        version=segment.version if segment else 1,
        page_id=page_id,
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=is_conflict,
        **builder,
        **await _told(request, asked, form, count_path=_COUNT),
    )


@frozen
class _Asked:
    """A segment whose people are being counted."""

    audience: Audience
    counting: Counting
    sentence: str


async def _asked(
    request: web.Request,
    session: AsyncSession,
    rules: Rules,
    form: Form | None,
    *,
    page_id: str = "",
) -> _Asked:
    """Begin to count who is in a segment, and say whom it takes."""
    audience = await segments.audience_of(session, rules)
    return _Asked(
        audience=audience,
        counting=audience_pages.counting(request, audience, form=form, page_id=page_id),
        sentence=await audience_pages.sentence(request, session, rules),
    )


async def _told(
    request: web.Request, asked: _Asked, form: Form | None, *, count_path: str = ""
) -> dict[str, Any]:
    """Of a segment: its sentence, its count, perhaps a few people."""
    told = await audience_pages.told(
        request, asked.audience, asked.counting,
        sentence=asked.sentence, form=form, count_path=count_path,
    )  # fmt: skip
    return {**told, "is_segment": True}


def _rules(form: Form) -> Rules:
    return audience_problems.read(Rules, audience_staff_forms.read(form).groups)
