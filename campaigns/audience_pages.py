"""What pages show of an audience: its sentence, its count, a few people, and the form's conditions.

Campaigns, series and segments share it.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from campaigns import (
    audience_choices,
    audience_staff_forms,
    audience_words,
    audiences,
    bulletins,
    staff_forms,
    wording,
)
from campaigns.audience_rules import Audience, Rules
from campaigns.models import Bulletin
from foundation import errors
from foundation.accounts.models import Role
from foundation.web import forms, kit
from foundation.web.forms import Form


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.post("/staff/campaigns/count", count)]


@kit.staff(Role.VIEWER)
async def count(request: web.Request) -> web.StreamResponse:
    """`POST /staff/campaigns/count`: how many an audience has, while it is chosen."""
    form = await forms.read(request)
    bulletin = await bulletin_of(request, form.number("bulletin", default=0) or 0)
    return kit.render(
        request, "campaigns/_count.html", **await shown(request, form, bulletin=bulletin)
    )


async def shown(
    request: web.Request, form: Form, *, bulletin: Bulletin | None = None
) -> dict[str, Any]:
    """Of an audience that is being chosen: its sentence, its count, perhaps a few people."""
    audience = staff_forms.audience(form)
    return await told(
        request, audience, bulletin=bulletin, with_sample=form.line("action") == "sample"
    )


async def told(
    request: web.Request,
    audience: Audience,
    *,
    bulletin: Bulletin | None = None,
    with_sample: bool = False,
) -> dict[str, Any]:
    """What `_count.html` says of an audience."""
    found, problem = await counted(request, audience, bulletin)
    return {
        "sentence": await sentence(request, audience),
        "counted": found,
        "count_problem": problem,
        "is_by_name": audience_words.is_by_name(audience),
        "exclusions": audiences.EXCLUSIONS,
        "people": await _a_few(request, audience) if with_sample and found else None,
    }


async def sentence(request: web.Request, rules: Audience | Rules) -> str:
    """An audience or segment in words."""
    async with kit.ground(request).db.reading() as session:
        names = await audience_words.names_of(session, rules)
    return audience_words.sentence(rules, names, kit.translator(request))


async def counted(
    request: web.Request, audience: Audience, bulletin: Bulletin | None
) -> tuple[audiences.Counted | None, str]:
    """How many it is now; None, and why, while something is named that is not there."""
    ground = kit.ground(request)
    languages = bulletins.languages(bulletin) if bulletin else ground.catalog.languages
    try:
        found = await audiences.count(
            ground,
            audience,
            languages=languages,
            default_language=languages[0] if languages else "",
        )
    except errors.Invalid as problem:
        return None, problem.say(kit.translator(request))
    return found, ""


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
    async with ground.db.reading() as session:
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


async def bulletin_of(request: web.Request, number: int) -> Bulletin | None:
    """The bulletin that an audience is chosen for, if one is chosen."""
    async with kit.ground(request).db.reading() as session:
        return await bulletins.get(session, number) if number else None
