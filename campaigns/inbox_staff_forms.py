"""The forms of the inbox: what was typed about an item, and what is decided by it."""

import enum
from collections.abc import Mapping
from datetime import date
from typing import Any

from aiohttp import web

from campaigns import (
    development_drafts,
    feed_reading,
    inbox,
    inbox_lists,
    issue_page,
    issues,
    staff_forms,
    wording,
)
from campaigns import schedule as schedules
from campaigns.inbox import Change
from campaigns.inbox_models import IncomingItem, ItemState, Origin
from campaigns.incoming import Offer
from foundation import errors
from foundation.i18n import N_
from foundation.web import kit
from foundation.web.forms import Form


class Decision(enum.StrEnum):
    """What a button asks for."""

    SAVE = "save"
    """Keep what was typed; nothing is decided."""
    KEEP = "keep"
    """Make it a draft of a development."""
    TRANSLATE = "translate"
    """The same, and go on to its other languages."""
    PUBLISH = "publish"
    """Make it a development that everybody sees."""
    DROP = "drop"
    """It is not for us."""
    HOLD = "hold"
    """Put it away until a day."""
    MERGE = "merge"
    """It tells the same as another."""
    REOPEN = "reopen"
    """Take the decision back."""


_STATES = {each.value: each for each in ItemState}
_ORIGINS = {each.value: each for each in Origin}
_WITH_TEXT = frozenset({Decision.SAVE, Decision.KEEP, Decision.TRANSLATE, Decision.PUBLISH})


def decision(form: Form) -> Decision:
    """What the pressed button asks for. Raises `errors.Invalid`."""
    try:
        return Decision(form.line("action"))
    except ValueError as problem:
        raise errors.Invalid(N_("Choose one of the buttons.")) from problem


async def decide(request: web.Request, form: Form, wanted: Decision) -> str:
    """Do it, and say which page shows what came of it. Raises as the verbs of `inbox.py` do."""
    ground, actor, number = kit.ground(request), kit.actor(request), kit.number_in_path(request)
    version = staff_forms.version(form)
    here = f"/staff/inbox/{number}"
    if wanted in _WITH_TEXT:
        change = read_change(request, form)
        edited = await inbox.edit(
            ground, actor=actor, item_id=number, version=version, change=change
        )
        if wanted is Decision.SAVE:
            return here
        made = await inbox.keep(
            ground,
            actor=actor,
            item_id=number,
            version=edited.version,
            is_published=wanted is Decision.PUBLISH,
        )
        if wanted is Decision.TRANSLATE:
            return f"/staff/issues/{made.issue_id}/developments/{made.id}"
        return "/staff/inbox"
    if wanted is Decision.DROP:
        reason = form.line("reason", limit=500)
        await inbox.drop(ground, actor=actor, item_id=number, version=version, reason=reason)
        return "/staff/inbox"
    if wanted is Decision.HOLD:
        until = staff_forms.read_day(form, "hold_until")
        form.check()
        await inbox.hold(
            ground, actor=actor, item_id=number, version=version, until=until or date.min
        )
        return "/staff/inbox"
    if wanted is Decision.MERGE:
        into = form.number("into", default=0) or 0
        form.check()
        await inbox.merge(ground, actor=actor, item_id=number, version=version, into_id=into)
        return f"/staff/inbox/{into}"
    await inbox.reopen(ground, actor=actor, item_id=number, version=version)
    return here


def read_change(request: web.Request, form: Form) -> Change:
    """What was typed about an item. Raises `errors.Invalid`."""
    happened_on = staff_forms.read_day(form, "happened_on")
    change: dict[str, Any] = {
        "issue_id": form.number("issue_id", default=0) or 0,
        "headline": form.line("headline", limit=feed_reading.LINE, required=True),
        "summary": form.text("summary"),
        "language": form.line("language", limit=35),
        "place": form.line("place", limit=120),
        "source_name": form.line("source_name", limit=200),
        "source_url": form.line("source_url", limit=feed_reading.LINK),
        "partner_id": form.number("partner_id"),
        "not_before": staff_forms.moment(request, form, "not_before"),
    }
    kind = form.line("kind")
    form.check()
    return Change(
        kind=development_drafts.kind_from(kind), happened_on=happened_on or date.min, **change
    )


def offer(change: Change, *, sender: str) -> Offer:
    """What was typed as something that comes in."""
    return Offer(
        identity="",
        headline=change.headline,
        summary=change.summary,
        language=change.language,
        happened_on=change.happened_on,
        kind=change.kind,
        place=change.place,
        source_name=change.source_name,
        source_url=change.source_url,
        partner_id=change.partner_id,
        not_before=change.not_before,
        sender=sender,
    )


def values_of(request: web.Request, item: IncomingItem) -> dict[str, str]:
    """An item as the values of its form."""
    zone = kit.ground(request).settings.site.zone
    return {
        "issue_id": str(item.issue_id),
        "headline": item.headline,
        "summary": item.summary,
        "language": item.language,
        "happened_on": item.happened_on.isoformat(),
        "kind": item.kind,
        "place": item.place,
        "source_name": item.source_name,
        "source_url": item.source_url,
        "partner_id": str(item.partner_id or ""),
        "not_before": schedules.local_text(item.not_before, zone) if item.not_before else "",
    }


def from_browser(request: web.Request) -> dict[str, str]:
    """The first values of a new item: what a bookmarklet found on the page."""
    ground, asked = kit.ground(request), request.query
    url = feed_reading.web_link(asked.get("url", ""))
    lang = asked.get("page_lang", "").partition("-")[0].lower()
    known = lang if lang in ground.catalog.languages else kit.translator(request).language
    return {
        "source_url": url,
        "headline": feed_reading.line(asked.get("title", "")),
        "summary": feed_reading.paragraphs(
            feed_reading.shortened(feed_reading.plain(asked.get("text", "")))
        ),
        "source_name": feed_reading.line(asked.get("site", ""), 200),
        "issue_id": asked.get("issue", ""),
        "language": known,
        "happened_on": inbox_lists.today(ground).isoformat(),
        "kind": "news",
    }


def read_query(asked: Mapping[str, str]) -> inbox_lists.Query:
    """Which items a list is asked for; what makes no sense is left out."""
    state = asked.get("state", ItemState.NEW.value)
    origin = asked.get("origin", "")
    return inbox_lists.Query(
        state=None if state == "all" else _STATES.get(state, ItemState.NEW),
        issue_id=_number(asked.get("issue", "")),
        feed_id=_number(asked.get("feed", "")),
        origin=_ORIGINS.get(origin),
        text=" ".join(asked.get("q", "").split())[:200],
    )


def ticked(form: Form) -> list[tuple[int, int]]:
    """Number and version of the items that were ticked."""
    parts = [each.partition(".") for each in form.lines("item", limit=inbox.MOST_AT_ONCE)]
    return [
        (number, version)
        for number, version in ((_number(first), _number(last)) for first, _, last in parts)
        if number and version
    ]


def back(form: Form, path: str) -> str:
    """The list that a decision was made on."""
    asked = form.line("back", limit=1000)
    return asked if asked.startswith(f"{path}?") else path


async def issue_choices(request: web.Request) -> list[tuple[str, str]]:
    """Issues by number, in the reader's language."""
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        found = await issues.everything(session)
    return [(str(each.id), issue_page.summarise(ground, each, speaks).title) for each in found]


def language_choices(request: web.Request) -> list[tuple[str, str]]:
    """The site's languages, in the reader's."""
    speaks = kit.translator(request)
    return [
        (code, wording.language_name(code, speaks).capitalize())
        for code in kit.ground(request).catalog.languages
    ]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
