"""What a form of the composer answers to a script that saves it while somebody writes.

The same addresses answer whole pages to who has no script: `block_pages.py` and `composer_pages.py`
ask here whether a script is at the other end, and what to tell it.
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from campaigns import (
    block_forms,
    bulletins,
    review_changes,
    staff_forms,
    versions,
    word_changes,
    wording,
)
from campaigns.composing import Clashing, Saved
from campaigns.documents import Document
from campaigns.merging import Clash, Prefer
from campaigns.models import Bulletin
from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.web import kit
from foundation.web.forms import Form
from templates import mergefields, prose

_JSON = "application/json"
_UNCACHED = {"Cache-Control": "no-store"}
_HEAD_LABELS = {
    **review_changes.HEAD_WORDS,
    "name": N_("Name"),
    "issue": N_("Issue"),
    "template": N_("Look"),
    "default_language": N_("Who reads another language gets"),
    "only_translated": N_("What is not in an edition's language"),
}
"""What the fields outside the blocks are called."""


@frozen
class Choice:
    """Two texts for one place, for whoever has to choose."""

    label: str
    language: str
    """Blank for what is the same in all languages."""
    mine: str
    theirs: str


def wants_values(request: web.Request) -> bool:
    """Whether a script asks, for which values are enough."""
    return request.headers.get("Accept", "").startswith(_JSON)


def preferred(form: Form) -> Prefer:
    """Whose words the person chose where two had written."""
    wished = form.line("prefer", limit=10)
    return Prefer(wished) if wished in list(Prefer) else Prefer.NOBODY


async def known_to(request: web.Request, bulletin: Bulletin) -> Document:
    """The bulletin as the script that asks knows it, by `?since=`. Raises `errors.NotFound`."""
    raw = request.query.get("since", "")
    number = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0
    async with kit.ground(request).db.reading() as session:
        return await versions.at(session, bulletin, number)


def base(form: Form | None, problem: errors.HandbillError | None, newest: Bulletin) -> int:
    """The version that a form is shown over, from which its next save is counted.

    Where it clashes that is still the one that the person began with: what they did not touch is
    not theirs to overwrite.
    """
    if form is not None and isinstance(problem, (Clashing, errors.Invalid)):
        return staff_forms.version(form)
    return newest.version


def kept(
    request: web.Request,
    bulletin: Bulletin,
    values: Mapping[str, str],
    *,
    known: Mapping[str, str],
    step: Saved | None = None,
    warned: str = "",
) -> web.Response:
    """What to say, and the values of a form that others gave other words than those `known`."""
    speaks = kit.translator(request)
    said = speaks.gettext(N_("Saved at %(time)s.")) % {"time": speaks.time(bulletin.updated_at)}
    return web.json_response(
        {
            "version": bulletin.version,
            "before": step.before if step else bulletin.version,
            "said": " ".join(filter(None, (said, warned))),
            "values": {
                name: values.get(name, "")
                for name in dict.fromkeys((*values, *known))
                if values.get(name, "") != known.get(name, "")
            },
        },
        headers=_UNCACHED,
    )


def refused(request: web.Request, problem: errors.HandbillError, block: str) -> web.Response:
    """Why nothing was kept; where two wrote different words, both texts to choose from."""
    speaks = kit.translator(request)
    told = staff_forms.say(request, problem)
    words = speaks.gettext(N_("Not saved: %(why)s Your words are kept here."))
    answer: dict[str, Any] = {
        "said": words % {"why": " ".join(dict.fromkeys(told.values()))},
        "problems": told,
    }
    if isinstance(problem, Clashing):
        answer["said"] = problem.say(speaks)
        answer["clash"] = kit.render(
            request,
            "bulletins/staff/_clash.html",
            who=problem.bulletin.updated_by,
            choices=choices(request, problem, block),
        ).text
    status = 409 if isinstance(problem, errors.Conflict) else 422
    return web.json_response(answer, status=status, headers=_UNCACHED)


def choices(request: web.Request, problem: Clashing, block: str) -> list[Choice]:
    """What both wrote in one block, or outside the blocks, in words."""
    speaks = kit.translator(request)
    document = bulletins.document_of(problem.bulletin)
    kind = next((each.kind for each in document.blocks if each.id == block), "")
    found: list[Choice] = []
    for clash in problem.clashes:
        if clash.block != block:
            continue
        label = _HEAD_LABELS.get(clash.field, "")
        if kind:
            described = block_forms.FORMS[kind]
            specs = [*described.sides, *described.shared, *described.inner]
            label = next((each.label for each in specs if each.name == clash.field), "")
        language = clash.language and wording.language_name(clash.language, speaks)
        found.append(
            Choice(
                label=": ".join(filter(None, (speaks.gettext(label or N_("Settings")), language))),
                language=clash.language,
                mine=_in_words(request, clash, clash.mine),
                theirs=_in_words(request, clash, clash.theirs),
            )
        )
    return found


def _in_words(request: web.Request, clash: Clash, value: Any) -> str:
    """One of the two, to be read."""
    speaks = kit.translator(request)
    if value is None:
        return speaks.gettext(N_("deleted"))
    if isinstance(value, Mapping):
        other = clash.theirs if value is clash.mine else clash.mine
        parts = [
            f"{name}: {each}"
            for name, each in value.items()
            if not isinstance(other, Mapping) or other.get(name) != each
        ]
        return "; ".join(parts) or "—"
    text = prose.plain(value) if word_changes.is_rich(clash.field) else str(value)
    return mergefields.at_a_glance(text)
