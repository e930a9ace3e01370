"""Staff's pages about feeds (`/staff/inbox/feeds`)."""

from aiohttp import web

from campaigns import feed_polling, feed_sources, inbox_staff_forms, staff_forms
from campaigns.feed_sources import FeedDraft
from campaigns.inbox_models import Feed, FeedState
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form
from subscribers import partners

PATH = "/staff/inbox/feeds"
TONES = {
    FeedState.ACTIVE.value: "good",
    FeedState.PAUSED.value: "warn",
    FeedState.BROKEN.value: "bad",
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get(PATH, index),
        web.get(f"{PATH}/new", ask),
        web.post(f"{PATH}/new", save),
        web.get(f"{PATH}/{{id}}", ask),
        web.post(f"{PATH}/{{id}}", save),
        web.post(f"{PATH}/{{id}}/act", act),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/inbox/feeds`: all of them, and how each does."""
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        found = await feed_sources.listed(session)
    return kit.render(
        request,
        "inbox/feeds.html",
        shown=found,
        title=feed_sources.title,
        issue_names=dict(await inbox_staff_forms.issue_choices(request)),
        states=feed_sources.STATE_WORDS,
        tones=TONES,
        problem=lambda each: _problem(each, speaks.language),
        may_change=kit.signed_in(request).role.may(Role.EDITOR),
    )


@kit.staff(Role.EDITOR)
async def ask(request: web.Request) -> web.StreamResponse:
    """`GET …/feeds/new` and `…/feeds/{id}`."""
    return await _page(request)


@kit.staff(Role.EDITOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/feeds/new` and `…/feeds/{id}`."""
    ground, actor = kit.ground(request), kit.actor(request)
    form = await forms.read(request)
    try:
        draft = _draft(form)
        if "id" in request.match_info:
            await feed_sources.update(
                ground,
                actor=actor,
                feed_id=kit.number_in_path(request),
                version=staff_forms.version(form),
                draft=draft,
            )
        else:
            await feed_sources.add(ground, actor=actor, draft=draft)
    except (errors.Invalid, errors.Conflict, errors.NotFound) as problem:
        return await _page(request, staff_forms.typed(form), problem)
    said = kit.translator(request).gettext(N_("Saved. It is read within a minute."))
    return kit.redirect(request, PATH, flash=said)


@kit.staff(Role.EDITOR)
async def act(request: web.Request) -> web.StreamResponse:
    """`POST …/feeds/{id}/act`: pause, resume, read now, or remove."""
    ground, actor, speaks = kit.ground(request), kit.actor(request), kit.translator(request)
    form = await forms.read(request)
    number, version = kit.number_in_path(request), staff_forms.version(form)
    match form.line("action"):
        case "pause":
            await feed_sources.pause(ground, actor=actor, feed_id=number, version=version)
            said = speaks.gettext(N_("Paused: nothing comes in by it until you resume it."))
        case "resume":
            await feed_sources.resume(ground, actor=actor, feed_id=number, version=version)
            said = speaks.gettext(N_("It is read again, from now on."))
        case "remove":
            await feed_sources.remove(ground, actor=actor, feed_id=number, version=version)
            said = speaks.gettext(N_("Removed. What came in by it stays."))
        case "read":
            reading = await feed_polling.poll_now(ground, feed_id=number)
            said = reading.say(speaks)
        case _:
            raise errors.Invalid(N_("Choose one of the buttons."))
    return kit.redirect(request, PATH, flash=said)


def _draft(form: Form) -> FeedDraft:
    draft = FeedDraft(
        issue_id=form.number("issue_id", default=0) or 0,
        url=form.line("url", limit=2000, required=True),
        name=form.line("name"),
        language=form.line("language", limit=35),
        partner_id=form.number("partner_id"),
        every_minutes=form.number("every_minutes"),
        include=form.text("include").splitlines(),
        exclude=form.text("exclude").splitlines(),
    )
    form.check()
    return draft


def _problem(feed: Feed, language: str) -> str:
    return feed.problem_texts.get(language) or feed.problem_texts.get("en", "")


async def _page(
    request: web.Request,
    values: dict[str, str] | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    feed = None
    if "id" in request.match_info:
        async with ground.db.reading() as session:
            feed = await feed_sources.get(session, kit.number_in_path(request))
    is_conflict = isinstance(problem, errors.Conflict)
    return kit.render(
        request,
        "inbox/feed.html",
        status=409 if is_conflict else 422 if problem else 200,
        feed=feed,
        title=feed_sources.title(feed) if feed else "",
        problem=_problem(feed, speaks.language) if feed else "",
        values=values if values is not None else _kept(request, feed),
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=is_conflict,
        issues=await inbox_staff_forms.issue_choices(request),
        language_choices=inbox_staff_forms.language_choices(request),
        partners=[
            (str(each.partner.id), each.partner.name) for each in await partners.listed(ground)
        ],
        states=feed_sources.STATE_WORDS,
        tones=TONES,
    )


def _kept(request: web.Request, feed: Feed | None) -> dict[str, str]:
    if feed is None:
        every = kit.ground(request).settings.desk.feed_every_minutes
        return {"every_minutes": str(every), "issue_id": request.query.get("issue", "")}
    return {
        "issue_id": str(feed.issue_id),
        "url": feed.url,
        "name": feed.name,
        "language": feed.language,
        "partner_id": str(feed.partner_id or ""),
        "every_minutes": str(feed.every_minutes),
        "include": "\n".join(feed.include),
        "exclude": "\n".join(feed.exclude),
    }
