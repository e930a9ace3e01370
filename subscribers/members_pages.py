"""Staff's pages about the coalition's organisations (`/staff/members`)."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from multidict import MultiDict

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import contacts, join, members, partnering, plainly, questions, renewing
from subscribers.models import MemberState

_ORDER = (
    MemberState.APPLIED,
    MemberState.APPROVED,
    MemberState.DECLINED,
    MemberState.LEFT,
    MemberState.UNCONFIRMED,
)


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/members/{id}"
    return [
        web.get("/staff/members", index),
        web.get("/staff/members/unanswered", unanswered),
        web.get(one, show),
        web.post(one, update),
        web.post(f"{one}/approve", approve),
        web.post(f"{one}/decline", decline),
        web.post(f"{one}/left", mark_left),
        web.post(f"{one}/stays", mark_stays),
        web.post(f"{one}/ask", ask),
        web.post(f"{one}/partner", become_partner),
        web.post(f"{one}/contacts", add_contact),
        web.post(f"{one}/contacts/{{contact}}", change_contact),
        web.post(f"{one}/contacts/{{contact}}/remove", remove_contact),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.Response:
    """`GET /staff/members`: organisations by state; who waits for an answer comes first."""
    ground = kit.ground(request)
    counts = await members.counts(ground)
    state = _state(request, counts)
    after = request.query.get("after", "")
    page = await members.listed(
        ground,
        state=state,
        after=int(after) if after.isdecimal() and len(after) < 18 else None,
    )
    query = MultiDict(state=state.value, after=str(page.next_after or ""))
    return kit.render(
        request,
        "people/members.html",
        page=page,
        state=state,
        tabs=_tabs(request, state, counts, waiting=len(await renewing.unanswered(ground))),
        next_url=f"/staff/members?{_encoded(query)}" if page.next_after else None,
    )


@kit.staff(Role.VIEWER)
async def unanswered(request: web.Request) -> web.Response:
    """`GET /staff/members/unanswered`: who was asked whether it stays, and said nothing yet."""
    ground = kit.ground(request)
    found = await renewing.unanswered(ground)
    return kit.render(
        request,
        "people/members_unanswered.html",
        waits=[(member, renewing.has_not_answered(ground, member)) for member in found],
        tabs=_tabs(request, None, await members.counts(ground), waiting=len(found)),
    )


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.Response:
    """`GET /staff/members/{id}`: one organisation, its contacts, and what may be decided."""
    return await _page(request)


@kit.staff(Role.EDITOR)
async def update(request: web.Request) -> web.Response:
    """`POST /staff/members/{id}`: mend what is known."""
    form = await forms.read(request)

    async def act() -> None:
        details = members.Details(
            name=form.line("name", limit=120, required=True),
            website=form.line("website", limit=300),
            town=form.line("town", limit=120),
            languages=_listed(form.line("languages", limit=200)),
            mission=form.text("mission", limit=2000),
            is_listed=form.flag("is_listed"),
        )
        version = _version(form)
        form.check()
        await members.update(
            kit.ground(request),
            actor=kit.actor(request),
            member_id=kit.number_in_path(request),
            version=version,
            details=details,
        )

    return await _acted(request, form, act, said=N_("Kept."))


@kit.staff(Role.EDITOR)
async def approve(request: web.Request) -> web.Response:
    """`POST …/approve`: take the organisation in and tell it."""
    form = await forms.read(request)

    async def act() -> None:
        await members.approve(
            kit.ground(request),
            actor=kit.actor(request),
            member_id=kit.number_in_path(request),
            version=_version(form),
            reason=form.text("welcome", limit=1000),
        )

    said = N_("Approved. The organization gets a mail about it.")
    return await _acted(request, form, act, said=said)


@kit.staff(Role.EDITOR)
async def decline(request: web.Request) -> web.Response:
    """`POST …/decline`: turn it down with a reason, and tell it."""
    form = await forms.read(request)

    async def act() -> None:
        await members.decline(
            kit.ground(request),
            actor=kit.actor(request),
            member_id=kit.number_in_path(request),
            version=_version(form),
            reason=form.text("reason", limit=1000),
        )

    said = N_("Declined. The organization gets a mail with the reason.")
    return await _acted(request, form, act, said=said)


@kit.staff(Role.EDITOR)
async def mark_left(request: web.Request) -> web.Response:
    """`POST …/left`: a member no more."""
    form = await forms.read(request)

    async def act() -> None:
        await members.mark_left(
            kit.ground(request),
            actor=kit.actor(request),
            member_id=kit.number_in_path(request),
            version=_version(form),
            reason=form.text("left_reason", limit=1000),
        )

    return await _acted(request, form, act, said=N_("Marked as left."))


@kit.staff(Role.EDITOR)
async def mark_stays(request: web.Request) -> web.Response:
    """`POST …/stays`: the member told the office that it stays."""
    form = await forms.read(request)

    async def act() -> None:
        await renewing.stays_says_staff(
            kit.ground(request), actor=kit.actor(request), member_id=kit.number_in_path(request)
        )

    return await _acted(request, form, act, said=N_("Kept. It is asked again after a year."))


@kit.staff(Role.EDITOR)
async def add_contact(request: web.Request) -> web.Response:
    """`POST …/contacts`: one more person, who is asked by mail to confirm."""
    form = await forms.read(request)

    async def act() -> None:
        name = form.line("contact_name", limit=120, required=True)
        email = form.line("contact_email", limit=320, required=True)
        role = form.line("contact_role", limit=120)
        form.check()
        await contacts.add(
            kit.ground(request),
            actor=kit.actor(request),
            member_id=kit.number_in_path(request),
            name=name,
            email=email,
            role=role,
            duties=join.duties(form, "duties"),
        )

    return await _acted(
        request, form, act, said=N_("Added. They get a mail with a button to confirm.")
    )


@kit.staff(Role.EDITOR)
async def change_contact(request: web.Request) -> web.Response:
    """`POST …/contacts/{contact}`: what a contact is and looks after."""
    form = await forms.read(request)

    async def act() -> None:
        role = form.line("role", limit=120)
        form.check()
        await contacts.change(
            kit.ground(request),
            actor=kit.actor(request),
            member_id=kit.number_in_path(request),
            contact_id=kit.number_in_path(request, "contact"),
            role=role,
            duties=join.duties(form, "duties"),
        )

    return await _acted(request, form, act, said=N_("Kept."))


@kit.staff(Role.EDITOR)
async def remove_contact(request: web.Request) -> web.Response:
    """`POST …/contacts/{contact}/remove`: somebody speaks for the organization no longer."""
    form = await forms.read(request)

    async def act() -> None:
        await contacts.remove(
            kit.ground(request),
            actor=kit.actor(request),
            member_id=kit.number_in_path(request),
            contact_id=kit.number_in_path(request, "contact"),
        )

    return await _acted(request, form, act, said=N_("Removed."))


@kit.staff(Role.EDITOR)
async def ask(request: web.Request) -> web.Response:
    """`POST …/ask`: a question by mail, before deciding."""
    form = await forms.read(request)

    async def act() -> None:
        question = form.text("question", limit=questions.LONGEST)
        form.check()
        await questions.ask(
            kit.ground(request),
            actor=kit.actor(request),
            member_id=kit.number_in_path(request),
            question=question,
        )

    said = N_("Asked. The answer will stand here.")
    return await _acted(request, form, act, said=said)


@kit.staff(Role.EDITOR)
async def become_partner(request: web.Request) -> web.Response:
    """`POST …/partner`: the member's pages may carry our form from now on."""
    form = await forms.read(request)
    try:
        made = await partnering.become_partner(
            kit.ground(request), actor=kit.actor(request), member_id=kit.number_in_path(request)
        )
    except errors.Refused as problem:
        return await _page(request, problem=problem, values=form.values)
    said = N_("This member is a partner now. Look over what was taken from its details.")
    return kit.redirect(
        request, f"/staff/partners/{made.id}", flash=kit.translator(request).gettext(said)
    )


async def _acted(
    request: web.Request, form: forms.Form, act: Callable[[], Awaitable[None]], *, said: str
) -> web.Response:
    """Back to the organisation's page: with a word if it worked, with what is wrong if not."""
    try:
        await act()
    except (errors.Invalid, errors.Conflict, errors.Refused) as problem:
        return await _page(request, problem=problem, values=form.values)
    return kit.redirect(
        request,
        f"/staff/members/{kit.number_in_path(request)}",
        flash=kit.translator(request).gettext(said),
    )


async def _page(
    request: web.Request,
    *,
    problem: errors.HandbillError | None = None,
    values: MultiDict[str] | None = None,
) -> web.Response:
    speaks = kit.translator(request)
    card = await members.card(kit.ground(request), member_id=kit.number_in_path(request))
    member = card.member
    shown: dict[str, Any] = {
        "name": member.name,
        "website": member.website,
        "town": member.town,
        "languages": ", ".join(member.languages),
        "mission": member.mission,
        "is_listed": member.is_listed,
        **(values or {}),
    }
    fields = problem.fields if isinstance(problem, errors.Invalid) else {}
    status = 200
    if problem is not None:
        status = 422 if isinstance(problem, errors.Invalid) else 409
    state = MemberState(member.state)
    return kit.render(
        request,
        "people/member.html",
        status=status,
        card=card,
        member=member,
        state=state,
        has_not_answered=renewing.has_not_answered(kit.ground(request), member),
        may_become={each.value for each in members.TRANSITIONS[state]},
        values=shown,
        problems={name: each.say(speaks) for name, each in fields.items()},
        message=problem.say(speaks) if problem else "",
        states=plainly.MEMBER_STATES,
        tones=plainly.MEMBER_TONES,
        duties=join.duty_choices(request),
        duty_names=plainly.DUTIES,
        answered_by={contact.id: contact.name for contact in card.contacts},
    )


def _state(request: web.Request, counts: dict[MemberState, int]) -> MemberState:
    asked = request.query.get("state", "")
    if asked in [state.value for state in MemberState]:
        return MemberState(asked)
    return MemberState.APPLIED if counts[MemberState.APPLIED] else MemberState.APPROVED


def _tabs(
    request: web.Request,
    present: MemberState | None,
    counts: dict[MemberState, int],
    *,
    waiting: int,
) -> list[tuple[str, str, bool]]:
    """By state, and who has not said yet whether it stays, where there is one."""
    speaks = kit.translator(request)
    tabs = [
        (
            f"/staff/members?state={state.value}",
            f"{speaks.gettext(plainly.MEMBER_STATES[state])} ({speaks.number(counts[state])})",
            state is present,
        )
        for state in _ORDER
    ]
    if waiting or present is None:
        asked = speaks.gettext(N_("Asked whether they stay"))
        label = f"{asked} ({speaks.number(waiting)})"
        tabs.append(("/staff/members/unanswered", label, present is None))
    return tabs


def _encoded(query: MultiDict[str]) -> str:
    return "&".join(f"{name}={value}" for name, value in query.items())


def _version(form: forms.Form) -> int:
    return form.number("version", default=0) or 0


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
