"""Pages of the log: who changed what, found by person, change, object and day, and taken along."""

import functools
from collections.abc import AsyncIterator, Sequence
from datetime import date

from aiohttp import web

from foundation.accounts import differences, log, log_fields, log_values, log_words
from foundation.accounts.models import Role
from foundation.audit import ActorKind, AuditEntry
from foundation.i18n import N_, Translator
from foundation.web import kit

_OTHERS = {
    ActorKind.TOKEN: N_("Programs, by the API"),
    ActorKind.COMMAND: N_("The command line"),
    ActorKind.SYSTEM: N_("Handbill itself"),
}
WORDS: web.AppKey[log_values.Words] = web.AppKey("log_values")
"""For values of every floor."""


def routes() -> list[web.RouteDef]:
    """The log."""
    return [
        web.get("/staff/audit", show),
        web.get("/staff/audit.csv", as_csv),
        web.get("/staff/audit.jsonl", as_json_lines),
    ]


@kit.staff(Role.EDITOR)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/audit`: newest first."""
    ground, speaks = kit.ground(request), kit.translator(request)
    wanted = _wanted(request)
    found = await log.page(ground, wanted=wanted, after=_number(request, "after"))
    query = {name: value for name, value in request.query.items() if name != "after" and value}
    return kit.render(
        request,
        "accounts/audit.html",
        entries=[
            (
                entry,
                log_words.said(entry.action, speaks),
                log_words.thing(entry.object_kind, speaks),
                _differences(request, entry),
                _label(entry, speaks),
            )
            for entry in found.entries
        ],
        wanted=wanted,
        people=[(str(each.id), each.name or each.email) for each in await log.people(ground)],
        others=[(kind.value, speaks.gettext(words)) for kind, words in _OTHERS.items()],
        who=request.query.get("who", ""),
        what=request.query.get("what", ""),
        changes=_actions(await log.actions(ground), speaks),
        is_narrowed=bool(query.keys() - {"lang", "text"}),
        next_url=str(request.rel_url.update_query(after=str(found.after))) if found.after else None,
        csv_url=str(request.rel_url.with_path("/staff/audit.csv").with_query(query)),
        json_url=str(request.rel_url.with_path("/staff/audit.jsonl").with_query(query)),
    )


@kit.staff(Role.EDITOR)
async def as_csv(request: web.Request) -> web.StreamResponse:
    """`GET /staff/audit.csv`: what the page shows, all of it."""
    pieces = log.csv_pieces(kit.ground(request), wanted=_wanted(request))
    return await _file(request, pieces, name="log.csv", media_type="text/csv")


@kit.staff(Role.EDITOR)
async def as_json_lines(request: web.Request) -> web.StreamResponse:
    """`GET /staff/audit.jsonl`: the same for programs, an object a line."""
    pieces = log.json_pieces(kit.ground(request), wanted=_wanted(request))
    return await _file(request, pieces, name="log.jsonl", media_type="application/jsonl")


async def _file(
    request: web.Request, pieces: AsyncIterator[bytes], *, name: str, media_type: str
) -> web.StreamResponse:
    first = await anext(pieces, b"")
    return await kit.file_in_pieces(request, first, pieces, name=name, media_type=media_type)


def _differences(
    request: web.Request, entry: AuditEntry
) -> Sequence[tuple[str, Sequence[differences.Piece]]]:
    """Each field that differs, in words, with what it was and is."""
    settings, speaks = kit.ground(request).settings, kit.translator(request)
    told = functools.partial(
        log_values.said, kind=entry.object_kind, words=request.app[WORDS], speaks=speaks
    )
    return [
        (log_fields.said(each.path, speaks, settings), each.pieces)
        for each in differences.between(entry.before, entry.after, told=told)
    ]


def _label(entry: AuditEntry, speaks: Translator) -> str:
    """Who it was; people and programs have names, the others have words."""
    named = entry.actor_kind in (ActorKind.STAFF, ActorKind.TOKEN)
    return entry.actor_label if named else speaks.gettext(_OTHERS[ActorKind(entry.actor_kind)])


def _wanted(request: web.Request) -> log.Wanted:
    """What the address asks for; what can't be understood is not asked for."""
    who, what = request.query.get("who", ""), request.query.get("what", "")
    is_thing = "." not in what
    return log.Wanted(
        staff_id=int(who) if who.isascii() and who.isdigit() and len(who) < 19 else None,
        kind=next((kind for kind in _OTHERS if kind.value == who), None),
        action="" if is_thing else what[:100],
        object_kind=what[:100] if is_thing else "",
        object_id=request.query.get("object", "").strip()[:100],
        since=_day(request, "since"),
        until=_day(request, "until"),
    )


def _actions(
    found: Sequence[str], speaks: Translator
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """By thing: its kind, its name, and (action, words) of all that happened to such."""
    things: dict[str, list[tuple[str, str]]] = {}
    for action in found:
        kind = action.partition(".")[0]
        things.setdefault(kind, []).append((action, log_words.said(action, speaks)))
    named = [(kind, log_words.thing(kind, speaks), acts) for kind, acts in things.items()]
    return sorted(named, key=lambda each: each[1].casefold())


def _day(request: web.Request, name: str) -> date | None:
    try:
        found = date.fromisoformat(request.query.get(name, ""))
    except ValueError:
        return None
    # Days at either end of the calendar have no day beside them.
    return found if 1970 <= found.year < 9000 else None


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
