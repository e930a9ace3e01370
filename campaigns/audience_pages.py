"""What pages show of an audience: its sentence, its count, a few people, and the form's conditions.

Campaigns, series and segments share it.
"""

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    audience_choices,
    audience_estimates,
    audience_staff_forms,
    audience_words,
    audiences,
    bulletins,
    staff_forms,
    wording,
)
from campaigns.audience_estimates import Estimate
from campaigns.audience_rules import Audience, Rules
from campaigns.models import Bulletin
from foundation import errors
from foundation.accounts.models import Role
from foundation.asides import Asking
from foundation.web import beside, forms, kit
from foundation.web.forms import Form

COUNT = "/staff/campaigns/count"
Counting = Asking[audiences.Counted]
"""A count that goes on beside the page."""
ASKED = ("count", "sample")
"""Buttons whose answer is waited for."""
_ESTIMATED_WITHIN_S = 0.5
"""An estimate that takes longer is none."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.post(COUNT, count)]


@kit.staff(Role.VIEWER)
async def count(request: web.Request) -> web.StreamResponse:
    """`POST /staff/campaigns/count`: how many an audience has, while it is chosen."""
    form = await forms.read(request)
    audience, number = staff_forms.audience(form), form.number("bulletin", default=0) or 0
    async with kit.ground(request).db.reading() as session:
        bulletin = await bulletins.get(session, number) if number else None
        page = beside.page_id(form)
        asking = counting(request, audience, bulletin, form=form, page_id=page)
        said = await sentence(request, session, audience)
    values = await told(request, audience, asking, sentence=said, form=form, count_path=COUNT)
    return kit.render(request, "campaigns/_count.html", **values)


def counting(
    request: web.Request,
    audience: Audience,
    bulletin: Bulletin | None = None,
    *,
    form: Form | None = None,
    page_id: str = "",
) -> Counting:
    """Begin to count an audience, for the `bulletin` that it is chosen for, if there is one.

    Whoever pressed a button of `form` for the count, or for a few people, waits for it. `page_id`
    is that of a page on which an audience is chosen.
    """
    ground = kit.ground(request)
    languages = bulletins.languages(bulletin) if bulletin else ground.catalog.languages

    async def count(session: AsyncSession) -> audiences.Counted:
        ordered = audiences.ordered(ground, languages, languages[0] if languages else "")
        return await audiences.count_in(ground, session, audience, languages=ordered)

    asked = (audience.model_dump_json(), tuple(languages))
    is_asked = _action(form) in ASKED
    return beside.begin(request, "count", asked, count, page_id=page_id, is_again=is_asked)


async def told(
    request: web.Request,
    audience: Audience,
    asking: Counting,
    *,
    sentence: str,
    form: Form | None = None,
    count_path: str = "",
) -> dict[str, Any]:
    """What `_count.html` says of an audience; `form` is what was sent in to choose it.

    `asking` is what was begun by `counting`. `count_path` takes the form around it, where that may
    hold another audience by now than the page came with.
    """
    found, problem = None, ""
    try:
        found = await asking.answer()
    except errors.Invalid as invalid:
        problem = invalid.say(kit.translator(request))
    is_coming = found is None and not problem
    with_sample = _action(form) == "sample" and found is not None
    return {
        "sentence": sentence,
        "counted": found,
        "count_problem": problem,
        "is_being_counted": is_coming,
        "count_path": count_path,
        "estimate": await _estimate(request, audience) if is_coming else None,
        "is_by_name": audience_words.is_by_name(audience),
        "exclusions": audiences.EXCLUSIONS,
        "people": await _a_few(request, audience) if with_sample else None,
    }


def _action(form: Form | None) -> str:
    return form.line("action") if form is not None else ""


async def sentence(request: web.Request, session: AsyncSession, rules: Audience | Rules) -> str:
    """An audience or segment in words."""
    names = await audience_words.names_of(session, rules)
    return audience_words.sentence(rules, names, kit.translator(request))


async def _estimate(request: web.Request, audience: Audience) -> Estimate | None:
    """About how many; None where that can't be told at once either."""
    try:
        async with asyncio.timeout(_ESTIMATED_WITHIN_S):
            return await audience_estimates.estimate(kit.ground(request), audience)
    except (TimeoutError, errors.Invalid):
        return None


async def _a_few(request: web.Request, audience: Audience) -> Sequence[dict[str, Any]]:
    """Some of them, others each time: by name, or by an address that is not spelled out."""
    found = await audiences.sample(
        kit.ground(request), audience, share=secrets.randbelow(1000) / 1000
    )
    return [
        {
            "id": person.id,
            "name": f"{person.first_name} {person.last_name}".strip() or _masked(person.email),
            "town": person.town or person.postal_code,
            "language": wording.language_name(person.language, kit.translator(request)),
        }
        for person in found
    ]


def _masked(email: str) -> str:
    local, _, domain = email.partition("@")
    return f"{local[:1]}…@{domain}"


async def builder(
    request: web.Request,
    session: AsyncSession,
    rules: Audience | Rules,
    form: Form | None = None,
    *,
    is_segment: bool = False,
) -> dict[str, Any]:
    """What `_conditions.html` shows: lines as kept or as typed, and all there is to choose from."""
    lines = audience_staff_forms.lines_of(rules)
    focus = ""
    if form is not None:
        typed = audience_staff_forms.read(Form(form.values))
        is_older = any(name in form.values for name in ("languages", "members", "received"))
        if not is_older and "not_received" not in form.values:
            lines, focus = list(typed.lines), typed.focus
    ground, speaks = kit.ground(request), kit.translator(request)
    choices = await audience_choices.offered(ground, session, rules, speaks)
    has_segments = not is_segment and bool(choices["segment"])
    kinds = audience_staff_forms.KINDS if has_segments else audience_staff_forms.SIMPLE_KINDS
    return {
        "condition_lines": lines,
        "condition_focus": focus,
        "condition_groups": audience_staff_forms.GROUPS,
        "condition_kinds": kinds,
        "condition_choices": choices,
    }
