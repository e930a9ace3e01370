"""Stories of a partner (`/staff/partners/{id}/stories`), for whoever signs in for it, and staff."""

from aiohttp import web

from campaigns import (
    development_drafts,
    developments,
    feed_reading,
    inbox_lists,
    inbox_staff_forms,
    issue_page,
    proposals,
    staff_forms,
)
from campaigns.proposals import Proposal
from foundation import errors
from foundation.accounts import api_tokens
from foundation.accounts.api_tokens import Scope
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form
from subscribers import partners


def routes() -> list[web.RouteDef]:
    """What is here."""
    here = "/staff/partners/{id}/stories"
    return [
        web.get(here, show),
        web.post(here, propose),
        web.post(f"{here}/token", make_token),
        web.post(f"{here}/token/revoke", revoke_token),
    ]


@kit.partner_or_staff
async def show(request: web.Request) -> web.Response:
    """`GET /staff/partners/{id}/stories`: a form, until when, and what became of earlier ones."""
    return await _page(request)


@kit.partner_or_staff
async def propose(request: web.Request) -> web.Response:
    """`POST /staff/partners/{id}/stories`."""
    _check_is_own(request)
    form = await forms.read(request)
    try:
        await proposals.propose(
            kit.ground(request),
            actor=kit.actor(request),
            partner_id=kit.number_in_path(request),
            proposal=_proposal(form),
        )
    except (errors.Invalid, errors.NotFound, errors.Refused) as problem:
        return await _page(request, values=staff_forms.typed(form), problem=problem)
    said = N_("Thank you. The editors see it now; what becomes of it stands below.")
    return kit.redirect(request, request.path, flash=kit.translator(request).gettext(said))


@kit.partner_or_staff
async def make_token(request: web.Request) -> web.Response:
    """`POST …/stories/token`: a token for a program of the partner, shown this once."""
    _check_is_own(request)
    await forms.read(request)
    partner = await partners.get(kit.ground(request), partner_id=kit.number_in_path(request))
    secret = await api_tokens.create(
        kit.ground(request),
        actor=kit.actor(request),
        name=f"{partner.name} ({partner.id})",
        scopes=frozenset({Scope.PROPOSE}),
        partner_id=partner.id,
    )
    return await _page(request, secret=secret)


@kit.partner_or_staff
async def revoke_token(request: web.Request) -> web.Response:
    """`POST …/stories/token/revoke`: the partner's program proposes nothing any more."""
    if not _may_end_token(request):
        raise errors.Forbidden(N_("Your role does not allow this. Ask an owner of this site."))
    await forms.read(request)
    number = kit.number_in_path(request)
    await api_tokens.revoke_of_partner(
        kit.ground(request), actor=kit.actor(request), partner_id=number
    )
    said = kit.translator(request).gettext(N_("The token does not work any more."))
    return kit.redirect(request, f"/staff/partners/{number}/stories", flash=said)


def _check_is_own(request: web.Request) -> None:
    """Staff have the inbox for this; what stands here is in the partner's name."""
    if kit.signed_in(request).partner_id is None:
        raise errors.Forbidden(N_("Only people of the partner propose in its name."))


def _may_end_token(request: web.Request) -> bool:
    """The partner itself, and editors, who have to act when a program of its runs wild."""
    person = kit.signed_in(request)
    return person.partner_id is not None or person.role.may(Role.EDITOR)


def _proposal(form: Form) -> Proposal:
    happened_on = staff_forms.read_day(form, "happened_on")
    kind = form.line("kind")
    values = {
        "headline": form.line("headline", limit=feed_reading.LINE, required=True),
        "summary": form.text("summary", limit=4000),
        "language": form.line("language", limit=35),
        "place": form.line("place", limit=120),
        "source_url": form.line("source_url", limit=feed_reading.LINK),
    }
    issue_id = form.number("issue_id", default=0) or 0
    form.check()
    if happened_on is None:  # `check` has raised
        raise errors.Invalid(N_("Choose a day."))
    return Proposal(
        issue_id=issue_id,
        happened_on=happened_on,
        kind=development_drafts.kind_from(kind),
        **values,
    )


async def _page(
    request: web.Request,
    *,
    values: dict[str, str] | None = None,
    problem: errors.HandbillError | None = None,
    secret: str = "",
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    partner = await partners.get(ground, partner_id=kit.number_in_path(request))
    async with ground.db.reading() as session:
        cut_offs = await proposals.cut_offs(ground, session)
        issues = await proposals.open_issues(session)
    today = inbox_lists.today(ground).isoformat()
    first = {"language": speaks.language, "happened_on": today, "kind": "news"}
    return kit.render(
        request,
        "people/stories.html",
        status=422 if problem else 200,
        partner=partner,
        is_own=kit.signed_in(request).partner_id is not None,
        may_end_token=_may_end_token(request),
        cut_offs=cut_offs,
        issues=[
            (str(each.id), issue_page.summarise(ground, each, speaks).title) for each in issues
        ],
        kinds=[
            (kind.value, speaks.gettext(word)) for kind, word in developments.KIND_WORDS.items()
        ],
        language_choices=inbox_staff_forms.language_choices(request),
        shown=[
            (each, inbox_lists.state_now(ground, each))
            for each in await proposals.listed(ground, partner_id=partner.id)
        ],
        state_words=proposals.STATE_WORDS,
        values=values if values is not None else first,
        problems=staff_forms.say(request, problem) if problem else {},
        token=await api_tokens.of_partner(ground, partner_id=partner.id),
        secret=secret,
        api_url=ground.url("/api/v1/proposals"),
    )
