"""Says in words what became of a date, and why an item is in an edition or out of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaigns import wording
from campaigns.series_models import RunOutcome, RunReason, SeriesItem, SeriesRun, SeriesState
from campaigns.series_past import ByHand
from campaigns.series_plans import Fallback
from campaigns.series_selection import Choice, ItemReason
from foundation.i18n import N_, NN_, Translator

STATES: Mapping[SeriesState, str] = {
    SeriesState.ACTIVE: N_("runs"),
    SeriesState.PAUSED: N_("paused"),
    SeriesState.BROKEN: N_("broken"),
    SeriesState.DELETED: N_("was deleted"),
}
OUTCOMES: Mapping[RunOutcome, str] = {
    RunOutcome.DRAFTED: N_("drafted"),
    RunOutcome.SKIPPED: N_("left out"),
    RunOutcome.MISSED: N_("missed"),
}
_RUN: Mapping[RunReason, str] = {
    RunReason.BY_HAND: N_("%(who)s left it out."),
    RunReason.PAUSED: N_("The series was paused."),
    RunReason.LATE: N_("The service was down, and it was too late to catch up."),
    RunReason.OVERTAKEN: N_("The service was down, and the next edition was due already."),
    RunReason.DELETED: N_("It does not go out by itself: the series was deleted."),
    RunReason.NOT_GREEN: N_("It does not go out by itself: %(said)s"),
}
_TOO_LITTLE = NN_(
    "There was %(found)s new item, and an edition needs %(needed)s.",
    "There were %(found)s new items, and an edition needs %(needed)s.",
)
_ITEM: Mapping[ItemReason, str] = {
    ItemReason.NEW: N_("new"),
    ItemReason.CARRIED: N_("did not fit before"),
    ItemReason.RETURNED: N_("somebody took it out of edition %(edition)s"),
    ItemReason.PINNED: N_("pinned"),
    ItemReason.DRAFT: N_("not published yet"),
    ItemReason.EMBARGO: N_("held until %(until)s"),
    ItemReason.USED: N_("was in edition %(edition)s"),
    ItemReason.TOO_OLD: N_("too long ago"),
    ItemReason.PASSED_OVER: N_("did not fit before, and its section takes nothing along"),
    ItemReason.NO_TRANSLATION: N_("has no text in the languages of the series"),
    ItemReason.NO_FILE: N_("has no file yet"),
    ItemReason.NOT_YET: N_("is of a later day"),
    ItemReason.NO_SECTION: N_("no section takes its kind"),
    ItemReason.SECTION_FULL: N_("its section takes %(most)s"),
    ItemReason.EDITION_FULL: N_("an edition takes %(most)s"),
    ItemReason.PARTNER_QUOTA: N_("%(partner)s has its %(most)s already"),
    ItemReason.SECTION_SHORT: N_("its section needs %(least)s"),
    ItemReason.EDITION_SHORT: N_("there was too little for an edition"),
}
BY_HAND: Mapping[ByHand, str] = {
    ByHand.TAKEN_OUT: N_("taken out by hand since"),
    ByHand.PUT_IN: N_("put in by hand since"),
}
_MISSING: Mapping[Fallback, str] = {
    Fallback.LABEL: N_("in another language, which is said, for readers of %(languages)s"),
    Fallback.LEAVE_OUT: N_("not in the edition in %(languages)s"),
}


def of_run(run: SeriesRun, speaks: Translator) -> str:
    """Why a date has no edition, or why its edition waits; blank when there is nothing to say."""
    if not run.reason:
        return ""
    reason = RunReason(run.reason)
    if reason is RunReason.TOO_LITTLE:
        return speaks.ngettext(*_TOO_LITTLE, run.values["found"]) % run.values
    said = run.values.get("said", {})
    values = {"who": run.made_by, "said": said.get(speaks.language) or said.get("en", "")}
    return speaks.gettext(_RUN[reason]) % values


def of_item(item: SeriesItem | Choice, speaks: Translator, by_hand: ByHand | None = None) -> str:
    """Why an item is in or out, and what people changed about that since."""
    said = _why(ItemReason(item.reason), item.values, speaks)
    return f"{said} · {speaks.gettext(BY_HAND[by_hand])}" if by_hand else said


def title(titles: Mapping[str, str], speaks: Translator, *, default: str) -> str:
    """What an item is called, in a reader's language where it can be."""
    if not titles:
        return "—"
    return titles[wording.choose(titles, speaks.language, default=default)]


def _why(reason: ItemReason, values: Mapping[str, Any], speaks: Translator) -> str:
    shown = dict(values)
    if "until" in shown:
        shown["until"] = speaks.moment(datetime.fromisoformat(shown["until"]))
    said = speaks.gettext(_ITEM[reason]) % shown
    if not shown.get("missing"):
        return said
    names = ", ".join(wording.language_name(code, speaks) for code in shown["missing"])
    note = speaks.gettext(_MISSING[Fallback(shown["fallback"])]) % {"languages": names}
    return f"{said} · {note}"
