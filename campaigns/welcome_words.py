"""How staff's pages, and programs, say what a welcome is and what came of it."""

from collections.abc import Mapping
from datetime import time

from babel import dates

from campaigns.welcome_models import SkipReason, StepKind, StopReason, WelcomeStep
from foundation.i18n import N_, NN_, Translator

KIND_WORDS: Mapping[StepKind, str] = {
    StepKind.EXPLAINER: N_("The issue's page"),
    StepKind.MATERIAL: N_("Handout"),
    StepKind.LAST_BULLETIN: N_("The last bulletin"),
    StepKind.BULLETIN: N_("A bulletin written for it"),
}
STOP_WORDS: Mapping[str, str] = {
    StopReason.LEFT: N_("left the topic"),
    StopReason.SUPPRESSED: N_("may not be mailed any more"),
    StopReason.ERASED: N_("were erased"),
    StopReason.SWITCHED_OFF: N_("it was switched off"),
}
SKIP_WORDS: Mapping[str, str] = {
    SkipReason.HAS_IT: N_("have the bulletin already"),
    SkipReason.NOT_READY: N_("it could not be made for a week"),
}


def when(step: WelcomeStep, speaks: Translator) -> str:
    """“3 days after confirming, at 9:00 AM”."""
    if step.days == 0:
        words = speaks.gettext(N_("On the day of confirming, at %(hour)s"))
    else:
        words = speaks.ngettext(*_WHEN, step.days)
    return words % {"count": step.days, "hour": hour(step.hour, speaks)}


def hour(number: int, speaks: Translator) -> str:
    """An hour of the day as a language writes it."""
    return dates.format_time(time(number), "short", locale=speaks.locale).replace("\u202f", " ")


_WHEN = NN_(
    "%(count)s day after confirming, at %(hour)s", "%(count)s days after confirming, at %(hour)s"
)
