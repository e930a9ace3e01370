"""Owners' pages: the team and API tokens."""

from aiohttp import web

from foundation import errors
from foundation.accounts import api_tokens, invitations, second_step, team
from foundation.accounts.models import OFFICE, Role
from foundation.accounts.roles import ROLE_WORDS
from foundation.i18n import N_
from foundation.web import forms, kit

SCOPE_WORDS = {
    api_tokens.Scope.READ: N_("Read everything"),
    api_tokens.Scope.SUBSCRIBERS: N_("Change people, forms and members"),
    api_tokens.Scope.CONTENT: N_("Change developments and bulletins"),
    api_tokens.Scope.CAMPAIGNS: N_("Create and send campaigns"),
}


def routes() -> list[web.RouteDef]:
    """Team and tokens."""
    return [
        web.get("/staff/team", show_team),
        web.post("/staff/team", add_person),
        web.post("/staff/team/{id}", change_person),
        web.post("/staff/team/{id}/invite-again", invite_again),
        web.post("/staff/team/{id}/withdraw", withdraw),
        web.post("/staff/team/{id}/sign-out", sign_out_everywhere),
        web.post("/staff/team/{id}/reset-second-step", reset_second_step),
        web.get("/staff/tokens", show_tokens),
        web.post("/staff/tokens", create_token),
        web.post("/staff/tokens/revoke", revoke_token),
    ]


@kit.staff(Role.OWNER)
async def show_team(request: web.Request) -> web.StreamResponse:
    """Everybody, with roles."""
    return await _team_page(request)


@kit.staff(Role.OWNER)
async def add_person(request: web.Request) -> web.StreamResponse:
    """Invite somebody by mail."""
    form = await forms.read(request)
    email = form.line("email", limit=300, required=True)
    name = form.line("name", limit=100)
    language = form.line("language", limit=20)
    try:
        role = _role(form.line("role"))
        form.check()
        await team.add(
            kit.ground(request),
            actor=kit.actor(request),
            email=email,
            role=role,
            name=name,
            language=language,
            is_mailed=True,
        )
    except errors.Invalid as problem:
        return await _team_page(request, problem=problem, email=email, name=name)
    words = kit.translator(request).gettext(N_("The invitation to %(email)s is on its way."))
    return kit.redirect(request, "/staff/team", flash=words % {"email": email})


@kit.staff(Role.OWNER)
async def change_person(request: web.Request) -> web.StreamResponse:
    """Another role, or close or reopen the account."""
    form = await forms.read(request)
    await team.change(
        kit.ground(request),
        actor=kit.actor(request),
        staff_id=kit.number_in_path(request),
        role=_role(form.line("role")),
        is_active=form.flag("is_active"),
    )
    return kit.redirect(request, "/staff/team", flash=kit.translator(request).gettext(N_("Saved.")))


@kit.staff(Role.OWNER)
async def invite_again(request: web.Request) -> web.StreamResponse:
    """Mail an invitation once more."""
    person = await invitations.send_again(
        kit.ground(request), actor=kit.actor(request), staff_id=kit.number_in_path(request)
    )
    return _done(request, N_("The invitation to %(email)s is on its way."), email=person.email)


@kit.staff(Role.OWNER)
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take an invitation back."""
    person = await invitations.withdraw(
        kit.ground(request), actor=kit.actor(request), staff_id=kit.number_in_path(request)
    )
    return _done(request, N_("%(email)s is not invited any more."), email=person.email)


@kit.staff(Role.OWNER)
async def sign_out_everywhere(request: web.Request) -> web.StreamResponse:
    """Sign somebody out in every browser."""
    await team.sign_out_everywhere(
        kit.ground(request), actor=kit.actor(request), staff_id=kit.number_in_path(request)
    )
    return _done(request, N_("They are signed out everywhere."))


@kit.staff(Role.OWNER)
async def reset_second_step(request: web.Request) -> web.StreamResponse:
    """Help somebody who lost telephone and recovery codes."""
    await second_step.reset(
        kit.ground(request), actor=kit.actor(request), staff_id=kit.number_in_path(request)
    )
    return _done(
        request, N_("Their second step is gone. They sign in without it, and were told by mail.")
    )


@kit.staff(Role.OWNER)
async def show_tokens(request: web.Request) -> web.StreamResponse:
    """Programs that use the API."""
    return await _tokens_page(request)


@kit.staff(Role.OWNER)
async def create_token(request: web.Request) -> web.StreamResponse:
    """Make a token and show its secret this once."""
    form = await forms.read(request)
    name = form.line("name", limit=100)
    try:
        form.check()
        secret = await api_tokens.create(
            kit.ground(request),
            actor=kit.actor(request),
            name=name,
            scopes=api_tokens.scopes_from(form.lines("scope")),
        )
    except errors.Invalid as problem:
        return await _tokens_page(request, name=name, problem=problem)
    return await _tokens_page(request, secret=secret)


@kit.staff(Role.OWNER)
async def revoke_token(request: web.Request) -> web.StreamResponse:
    """End a token at once."""
    form = await forms.read(request)
    name = form.line("name", limit=100)
    await api_tokens.revoke(kit.ground(request), actor=kit.actor(request), name=name)
    words = kit.translator(request).gettext(N_("The token “%(name)s” no longer works."))
    return kit.redirect(request, "/staff/tokens", flash=words % {"name": name})


def _done(request: web.Request, words: str, **values: str) -> web.Response:
    said = kit.translator(request).gettext(words)
    return kit.redirect(request, "/staff/team", flash=said % values if values else said)


def _role(name: str) -> Role:
    found = next((role for role in OFFICE if role == name), None)
    if found is None:
        raise errors.Invalid(N_("Choose a role from the list."))
    return found


async def _team_page(
    request: web.Request, *, problem: errors.Invalid | None = None, email: str = "", name: str = ""
) -> web.Response:
    speaks, ground = kit.translator(request), kit.ground(request)
    catalog = ground.catalog
    invited = await invitations.pending(ground)
    waiting = {each.person.id for each in invited}
    everybody = await team.everybody(ground)
    return kit.render(
        request,
        "accounts/team.html",
        status=422 if problem else 200,
        everybody=[each for each in everybody if each.id not in waiting],
        invited=invited,
        with_second_step=await second_step.who_has_one(ground),
        roles=[
            (role.value, speaks.gettext(word), speaks.gettext(hint))
            for role, (word, hint) in ROLE_WORDS.items()
        ],
        offered=[(code, catalog.translator(code).name) for code in catalog.languages],
        email=email,
        name=name,
        problem=problem.say(speaks) if problem else "",
    )


async def _tokens_page(
    request: web.Request,
    *,
    secret: str = "",
    name: str = "",
    problem: errors.Invalid | None = None,
) -> web.Response:
    speaks = kit.translator(request)
    return kit.render(
        request,
        "accounts/tokens.html",
        status=422 if problem else 200,
        tokens=await api_tokens.everything(kit.ground(request)),
        scopes=[(scope.value, speaks.gettext(words), "") for scope, words in SCOPE_WORDS.items()],
        secret=secret,
        name=name,
        problem=problem.say(speaks) if problem else "",
    )
