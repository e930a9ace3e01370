"""The form in which staff make and change a campaign: which bulletin, to whom, from whom."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    archiving,
    audience_pages,
    audiences,
    bulletins,
    campaign_views,
    lifecycle,
    staff_forms,
)
from campaigns.audiences import Audience
from campaigns.campaign_views import View
from campaigns.models import Bulletin, Visibility
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_, Translator
from foundation.web import beside, forms, kit
from foundation.web.forms import Form
from subscribers import topics
from subscribers.models import Topic


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/campaigns/{id}"
    return [
        web.get("/staff/campaigns/new", ask_new),
        web.post("/staff/campaigns/new", create),
        web.get(f"{one}/edit", ask_edit),
        web.post(f"{one}/edit", save),
    ]


@kit.staff(Role.AUTHOR)
async def ask_new(request: web.Request) -> web.StreamResponse:
    """`GET /staff/campaigns/new?bulletin=`: which bulletin, to whom."""
    return await _form_page(request)


@kit.staff(Role.AUTHOR)
async def create(request: web.Request) -> web.StreamResponse:
    """`POST /staff/campaigns/new`: keep a draft; other buttons change or count the audience."""
    form = await forms.read(request)
    bulletin_id = form.number("bulletin", default=0) or 0
    if form.line("action"):
        return await _form_page(request, form)
    try:
        if not bulletin_id:
            form.problems["bulletin"] = errors.Invalid(N_("Choose the bulletin that goes out."))
        values = _read(form)
        form.check()
        made = await lifecycle.create(
            kit.ground(request), actor=kit.actor(request), bulletin_id=bulletin_id, **values
        )
    except errors.Invalid as problem:
        return await _form_page(request, form, problem)
    return kit.redirect(request, f"/staff/campaigns/{made.id}")


@kit.staff(Role.AUTHOR)
async def ask_edit(request: web.Request) -> web.StreamResponse:
    """`GET …/edit`: name, audience and sender of a draft."""
    return await _form_page(request)


@kit.staff(Role.AUTHOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/edit`: keep them; who comes second is told, and keeps what they typed."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    if form.line("action"):
        return await _form_page(request, form)
    try:
        values = _read(form)
        form.check()
        await lifecycle.update(
            kit.ground(request),
            actor=kit.actor(request),
            campaign_id=number,
            version=staff_forms.version(form),
            **values,
        )
    except (errors.Invalid, errors.Conflict, errors.Refused) as problem:
        return await _form_page(request, form, problem)
    words = kit.translator(request).gettext(N_("Saved."))
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


async def _form_page(
    request: web.Request,
    form: Form | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    """The form of a new campaign or of one that is there, as kept or as typed."""
    ground, speaks = kit.ground(request), kit.translator(request)
    is_new, page_id = "id" not in request.match_info, beside.page_id(form)
    async with ground.db.reading() as session:
        view = None if is_new else await campaign_views.read(session, kit.number_in_path(request))
        offered = (await bulletins.listed(session)).items if is_new else []
        every_topic = await topics.everything(session)
        bulletin = view.bulletin if view else await _chosen(request, session, form)
        audience = (
            staff_forms.audience(form) if form else _first_audience(view, bulletin, every_topic)
        )
        counting = audience_pages.counting(request, audience, bulletin, form=form, page_id=page_id)
        builder = await audience_pages.builder(request, session, audience, form)
        said = await audience_pages.sentence(request, session, audience)
    is_conflict = isinstance(problem, errors.Conflict)
    return kit.render(
        request,
        "campaigns/form.html",
        status=409
        if isinstance(problem, (errors.Conflict, errors.Refused))
        else 422
        if problem
        else 200,
        view=view,
        bulletin=bulletin,
        bulletins=[(str(each.id), each.name) for each in offered],
        values=staff_forms.typed(form) if form else _kept(view, bulletin),
        version=view.campaign.version if view else 1,
        page_id=page_id,
        audience=audience,
        topics=[
            (each.slug, topics.name(each, speaks.language), _hidden(each, speaks))
            for each in every_topic
        ],
        visibilities=visibilities(speaks),
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=is_conflict,
        default_from=ground.settings.from_name,
        default_address=ground.settings.mail.from_address,
        relays=[(each.name, each.name) for each in ground.settings.relay],
        **builder,
        **await audience_pages.told(
            request, audience, counting, sentence=said, form=form, count_path=audience_pages.COUNT
        ),
    )


async def _chosen(
    request: web.Request, session: AsyncSession, form: Form | None
) -> Bulletin | None:
    """The bulletin of a new campaign, if one is chosen. Raises `errors.NotFound`."""
    wished = form.values.get("bulletin", "") if form else request.query.get("bulletin", "")
    number = int(wished) if wished.isdecimal() else 0
    return await bulletins.get(session, number) if number else None


def _read(form: Form) -> dict[str, Any]:
    """What the form says, as `lifecycle.create` and `update` take it."""
    audience = staff_forms.audience(form)
    if not audiences.is_to_somebody(audience):
        form.problems["topics"] = errors.Invalid(N_("Choose one topic at least, or the members."))
    return {
        "name": form.line("name", limit=200, required=True),
        "audience": audience,
        "from_name": form.line("from_name", limit=200),
        "from_address": form.line("from_address", limit=254),
        "reply_to": form.line("reply_to", limit=254),
        "relay": form.line("relay", limit=200),
        "visibility": visibility(form),
        "archive_slug": form.line("archive_slug", limit=200),
    }


def visibility(form: Form) -> Visibility:
    """Who the form says can read it; everybody, when it says nothing that is known."""
    said = form.line("visibility")
    return Visibility(said) if said in set(Visibility) else Visibility.PUBLIC


def visibilities(speaks: Translator) -> list[tuple[str, str]]:
    """Who can read a bulletin afterwards, to choose from."""
    words = archiving.VISIBILITY_WORDS
    return [(each.value, speaks.gettext(text)) for each, text in words.items()]


def _first_audience(
    view: View | None, bulletin: Bulletin | None, every_topic: Sequence[Topic]
) -> Audience:
    """What is kept, or for a new campaign the followers of the bulletin's issue."""
    if view is not None:
        return audiences.parse(view.campaign.audience)
    issue = bulletins.document_of(bulletin).issue if bulletin else ""
    return Audience(topics=[each.slug for each in every_topic if each.slug == issue])


def _kept(view: View | None, bulletin: Bulletin | None) -> dict[str, str]:
    if view is None:
        return {
            "name": bulletin.name if bulletin else "",
            "bulletin": str(bulletin.id) if bulletin else "",
        }
    kept = view.campaign
    return {
        "name": kept.name,
        "from_name": kept.from_name,
        "from_address": kept.from_address,
        "reply_to": kept.reply_to,
        "relay": kept.relay,
        "visibility": kept.visibility,
        "archive_slug": kept.archive_slug or "",
    }


def _hidden(topic: Topic, speaks: Translator) -> str:
    return "" if topic.is_public else speaks.gettext(N_("Not offered on forms"))
