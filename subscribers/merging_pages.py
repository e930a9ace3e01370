"""Staff join two records of a person (`/staff/people/{id}/merge`): a look first, then for good."""

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_, Translator
from foundation.web import forms, kit
from subscribers import merging, people, plainly, public_links, topics
from subscribers.merging import Preview
from subscribers.models import SuppressionReason

_FIELDS = {
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "postal_code": N_("Postal code"),
    "town": N_("Town"),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/people/{id}/merge"
    return [web.get(one, show), web.post(one, choose), web.post(f"{one}/now", merge)]


@kit.staff(Role.EDITOR)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET …/merge?other=`: which other record, then what joining the two would do."""
    return await _page(request)


@kit.staff(Role.EDITOR)
async def choose(request: web.Request) -> web.StreamResponse:
    """`POST …/merge`: the other one by its address, which stays out of the page's own address."""
    form = await forms.read(request)
    try:
        number = await people.by_email(kit.ground(request), email=form.line("email"))
    except (errors.Invalid, errors.NotFound) as problem:
        return await _page(request, problem)
    return kit.redirect(request, f"{request.path}?other={number}")


@kit.staff(Role.EDITOR)
async def merge(request: web.Request) -> web.StreamResponse:
    """`POST …/merge/now`: for good; the person's number is the one that stays."""
    form = await forms.read(request)
    kept_id = kit.number_in_path(request)
    try:
        await merging.merge(
            kit.ground(request),
            actor=kit.actor(request),
            kept_id=kept_id,
            former_id=form.number("other", default=0) or 0,
            seen=(_moment(form.line("seen")), _moment(form.line("seen_other"))),
            elsewhere=public_links.elsewhere(request),
        )
    except (errors.Invalid, errors.Refused, errors.Conflict) as problem:
        return await _page(request, problem)
    said = kit.translator(request).gettext(N_("The two are one now."))
    return kit.redirect(request, f"/staff/people/{kept_id}", flash=said)


async def _page(
    request: web.Request, problem: errors.HandbillError | None = None
) -> web.StreamResponse:
    ground, speaks = kit.ground(request), kit.translator(request)
    kept_id = kit.number_in_path(request)
    person = await people.show(ground, subscriber_id=kept_id)
    found: Preview | None = None
    other = request.query.get("other", "")
    if other.isascii() and other.isdigit() and len(other) < 18:
        try:
            found = await merging.preview(ground, kept_id=kept_id, former_id=int(other))
        except (errors.Invalid, errors.NotFound) as wrong:
            problem = problem or wrong
    async with ground.db.reading() as session:
        names = {
            each.slug: topics.name(each, speaks.language)
            for each in await topics.everything(session)
        }
    return kit.render(
        request,
        "people/merge.html",
        status=_status(problem),
        problem=problem.say(speaks) if problem else "",
        person=person,
        found=found,
        refused=found.problem.say(speaks) if found and found.problem else "",
        topic_names=names,
        topic_states=plainly.TOPIC_STATES,
        details=_details(found, speaks) if found else [],
        barred_words=_why(found.barred, speaks) if found else [],
        stays_words=_why(found.stays_barred, speaks) if found else [],
    )


def _status(problem: errors.HandbillError | None) -> int:
    if problem is None:
        return 200
    return 409 if isinstance(problem, (errors.Conflict, errors.Refused)) else 422


def _why(reasons: Sequence[SuppressionReason], speaks: Translator) -> list[str]:
    return [speaks.gettext(plainly.SHORT_REASONS[each]) for each in reasons]


def _details(found: Preview, speaks: Translator) -> list[tuple[str, str]]:
    return [
        (speaks.gettext(_FIELDS[name]) if name in _FIELDS else name, value)
        for name, value in found.details.items()
    ]


def _moment(text: str) -> datetime:
    """When a record was changed last, as the preview showed it. Raises `errors.Conflict`."""
    try:
        return datetime.fromisoformat(text)
    except ValueError as problem:
        raise errors.Conflict(
            N_("This person was changed meanwhile. Reload the page, then change it again.")
        ) from problem
