"""Staff's pages about developments (`/staff/issues/{id}/developments`)."""

from aiohttp import web

from campaigns import (
    development_drafts,
    developments,
    issue_page,
    issues,
    staff_forms,
    waiting_texts,
    zips,
)
from campaigns import schedule as schedules
from campaigns.models import Development, Issue
from campaigns.staff_forms import FieldSpec, Widget
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form
from subscribers import partners

TEXTS = (
    FieldSpec(name="headline", label=N_("Headline"), limit=200),
    FieldSpec(name="summary", label=N_("Summary"), widget=Widget.RICH),
)


def routes() -> list[web.RouteDef]:
    """What is here."""
    here = "/staff/issues/{id}/developments"
    one = here + "/{development}"
    return [
        web.get(here, index),
        web.get(f"{here}/new", ask),
        web.post(f"{here}/new", save),
        web.get(one, ask),
        web.post(one, save),
        web.post(f"{one}/publish", publish),
        web.post(f"{one}/delete", delete),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET …/developments`: everything that happened, drafts first seen by their badge."""
    ground, speaks = kit.ground(request), kit.translator(request)
    is_draft = request.query.get("show") == "drafts"
    async with ground.db.reading() as session:
        issue = await issues.get(session, kit.number_in_path(request))
        page = await developments.listed(
            session,
            issue_id=issue.id,
            is_published=False if is_draft else None,
            after=request.query.get("after", ""),
        )
    more = str(request.rel_url.update_query(after=page.next_after)) if page.next_after else ""
    return kit.render(
        request,
        "bulletins/staff/developments.html",
        issue=issue,
        summary=issue_page.summarise(ground, issue, speaks),
        shown=[(each, developments.tell(ground, each, speaks)) for each in page.items],
        is_draft=is_draft,
        now=ground.clock.now(),
        next_url=more,
    )


@kit.staff(Role.AUTHOR)
async def ask(request: web.Request) -> web.StreamResponse:
    """`GET …/developments/new` and `…/developments/{development}`."""
    return await _page(request)


@kit.staff(Role.AUTHOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/developments/new` and `…/{development}`: keep it; editors may publish at once."""
    ground, actor = kit.ground(request), kit.actor(request)
    form = await forms.read(request)
    issue, present = await _found(request)
    try:
        draft = _draft(request, form, present)
        if present is None:
            await developments.add(ground, actor=actor, issue_id=issue.id, draft=draft)
        else:
            await developments.update(
                ground,
                actor=actor,
                development_id=present.id,
                version=staff_forms.version(form),
                draft=draft,
            )
    except (errors.Invalid, errors.Conflict) as problem:
        return await _page(request, staff_forms.typed(form), problem)
    said = N_("Published.") if draft.is_published else N_("Kept as a draft.")
    return _back(request, issue.id, said)


@kit.staff(Role.EDITOR)
async def publish(request: web.Request) -> web.StreamResponse:
    """`POST …/{development}/publish`: show it to everybody, or take it back."""
    form = await forms.read(request)
    issue, present = await _found(request)
    is_published = form.flag("is_published")
    await developments.publish(
        kit.ground(request),
        actor=kit.actor(request),
        development_id=present.id if present else 0,
        version=staff_forms.version(form),
        is_published=is_published,
    )
    return _back(request, issue.id, N_("Published.") if is_published else N_("Taken back."))


@kit.staff(Role.EDITOR)
async def delete(request: web.Request) -> web.StreamResponse:
    """`POST …/{development}/delete`."""
    form = await forms.read(request)
    issue, present = await _found(request)
    await developments.delete(
        kit.ground(request),
        actor=kit.actor(request),
        development_id=present.id if present else 0,
        version=staff_forms.version(form),
    )
    return _back(request, issue.id, N_("Deleted. The log keeps what it said."))


def _draft(
    request: web.Request, form: Form, present: Development | None
) -> development_drafts.Draft:
    """What was typed, as far as the person's role goes. Raises `errors.Invalid`, `Forbidden`."""
    is_editor = kit.signed_in(request).role.may(Role.EDITOR)
    if present is not None and present.is_published and not is_editor:
        raise errors.Forbidden(
            N_("This is public, so an editor has to change it. Authors write drafts.")
        )
    texts = staff_forms.read_sides(form, TEXTS, kit.ground(request).catalog.languages)
    happened_on = staff_forms.read_day(form, "happened_on")
    kind = form.line("kind")
    place = form.line("place", limit=120)
    postal_code = form.line("postal_code", limit=80)
    miles = form.number("miles", default=zips.USUAL_MILES)
    source_name = form.line("source_name", limit=200)
    source_url = form.line("source_url", limit=2000)
    key = form.line("key", limit=80)
    not_before = staff_forms.moment(request, form, "not_before")
    partner_id = form.number("partner_id")
    form.check()
    if happened_on is None:  # `check` has raised
        raise errors.Invalid(N_("Choose a day."))
    return development_drafts.Draft(
        kind=development_drafts.kind_from(kind),
        happened_on=happened_on,
        texts=texts,
        place=place,
        postal_code=postal_code,
        miles=miles or 0,
        source_name=source_name,
        source_url=source_url,
        key=key,
        is_published=is_editor and form.flag("is_published"),
        not_before=not_before,
        is_pinned=form.flag("is_pinned"),
        partner_id=partner_id,
    )


async def _found(request: web.Request) -> tuple[Issue, Development | None]:
    async with kit.ground(request).db.reading() as session:
        issue = await issues.get(session, kit.number_in_path(request))
        if "development" not in request.match_info:
            return issue, None
        present = await developments.get(session, kit.number_in_path(request, "development"))
    if present.issue_id != issue.id:
        raise errors.NotFound(N_("There is no such development."))
    return issue, present


def _back(request: web.Request, issue_id: int, msgid: str) -> web.StreamResponse:
    words = kit.translator(request).gettext(msgid)
    return kit.redirect(request, f"/staff/issues/{issue_id}/developments", flash=words)


async def _page(
    request: web.Request,
    values: dict[str, str] | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    issue, present = await _found(request)
    today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    kept = {
        "happened_on": today.isoformat(),
        "kind": "news",
        "miles": str(zips.USUAL_MILES),
    }
    if present:
        kept = staff_forms.side_values(TEXTS, present.texts) | {
            "happened_on": present.happened_on.isoformat(),
            "kind": present.kind,
            "place": present.place,
            "postal_code": present.postal_code,
            "miles": str(present.miles),
            "source_name": present.source_name,
            "source_url": present.source_url,
            "key": present.key or "",
            "is_published": "1" if present.is_published else "",
            "is_pinned": "1" if present.is_pinned else "",
            "partner_id": str(present.partner_id or ""),
            "not_before": schedules.local_text(present.not_before, ground.settings.site.zone)
            if present.not_before
            else "",
        }
    role = kit.signed_in(request).role
    return kit.render(
        request,
        "bulletins/staff/development.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        issue=issue,
        summary=issue_page.summarise(ground, issue, speaks),
        present=present,
        told=developments.tell(ground, present, speaks) if present else None,
        translated=waiting_texts.of_development(ground, present) if present else None,
        specs=TEXTS,
        values=values if values is not None else kept,
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
        kinds=[
            (kind.value, speaks.gettext(word)) for kind, word in developments.KIND_WORDS.items()
        ],
        partners=[
            (str(each.partner.id), each.partner.name) for each in await partners.listed(ground)
        ],
        site_zone=ground.settings.site.zone,
        most_miles=zips.MOST_MILES,
        may_publish=role.may(Role.EDITOR),
        may_change=role.may(Role.EDITOR) or not (present and present.is_published),
    )
