"""Tells how sending is getting on in the reader's language: for a page, and for what comes live."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from campaigns import reasons
from delivery.progress import Progress, Reason
from foundation.frozen import frozen
from foundation.i18n import N_, Translator

_MOST = 6
"""Reasons that are told."""
NOTHING = "—"
"""Stands where nothing can be said."""


@frozen
class Told:
    """Words and figures; each of `texts` and `lists` has its place on the page by its name."""

    value: int
    """How many are done, for the bar."""
    maximum: int
    texts: Mapping[str, str]
    lists: Mapping[str, Sequence[str]]
    said: str
    """All of it in a sentence, for who listens instead of looking."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)


def tell(progress: Progress, speaks: Translator) -> Told:
    """The words for one moment."""
    done = speaks.gettext(N_("%(done)s of %(all)s done")) % {
        "done": speaks.number(progress.done),
        "all": speaks.number(progress.audience),
    }
    left = _left(progress, speaks)
    states = ("sent", "queued", "deferred", "failed", "uncertain", "cancelled")
    said = done
    if left != NOTHING:
        said = speaks.gettext(N_("%(done)s; about %(time)s left")) % {"done": done, "time": left}
    return Told(
        value=progress.done,
        maximum=progress.audience,
        texts={
            "done": done,
            **{state: speaks.number(getattr(progress, state)) for state in states},
            "rate": _rate(progress.per_second, speaks),
            "average": _rate(progress.average_per_second, speaks),
            "left": left,
            "later": _later(progress, speaks),
        },
        lists={
            "reasons": [_reason(each, speaks) for each in progress.reasons[:_MOST]],
            "relays": [
                _relay(name, count, progress.sent, speaks)
                for name, count in progress.relays.items()
            ],
        },
        said=said,
    )


def _rate(per_second: float, speaks: Translator) -> str:
    """By the second, or by the minute where that says more."""
    if per_second >= 1:
        return speaks.gettext(N_("%(count)s a second")) % {
            "count": speaks.number(round(per_second))
        }
    return speaks.gettext(N_("%(count)s a minute")) % {
        "count": speaks.number(round(per_second * 60))
    }


def _later(progress: Progress, speaks: Translator) -> str:
    """How many wait for the hour where they live; blank where nobody does."""
    if not progress.later or progress.last_due_at is None:
        return ""
    words = speaks.ngettext(
        "%(num)s person waits for the hour where they live; the last are due on %(moment)s.",
        "%(num)s people wait for the hour where they live; the last are due on %(moment)s.",
        progress.later,
    )
    return words % {
        "num": speaks.number(progress.later),
        "moment": speaks.moment(progress.last_due_at),
    }


def _left(progress: Progress, speaks: Translator) -> str:
    if progress.seconds_left is None or not progress.queued:
        return NOTHING
    return speaks.duration(progress.seconds_left)


def _reason(each: Reason, speaks: Translator) -> str:
    why = reasons.say(each.reason, speaks) or speaks.gettext(N_("no reason was noted"))
    code = f" ({each.reply_code})" if each.reply_code else ""
    return f"{speaks.number(each.count)} {why}{code}"


def _relay(name: str, count: int, sent: int, speaks: Translator) -> str:
    share = speaks.percent(count / sent if sent else 0.0, digits=0)
    return f"{name}: {speaks.number(count)} ({share})"
