"""A campaign's report in words: rules by which machines are known, parts, charts over the hours."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import breakdowns
from campaigns.breakdowns import Counted, Part, Row
from campaigns.models import HitKind, HitTotal
from campaigns.outcomes import Outcome
from delivery.models import Dispatch
from foundation.frozen import frozen
from foundation.i18n import N_, Translator
from templates import charts
from templates.charts import Drawing, Series

RULES: Mapping[str, str] = {
    "head": N_("asked only whether the address is there, without reading it"),
    "prefetch": N_("said that it fetches ahead, before anybody looks"),
    "agent": N_("gave itself the name of a scanner, preview or program, or none"),
    "privacy-proxy": N_("was a proxy that fetches every picture, whether or not the mail is read"),
    "too-soon": N_("came sooner after sending than people read"),
    "every-link": N_("followed every link of the mail at once"),
}
"""The rule's name → msgid, as “a machine, because it…”."""
PARTS: Mapping[Part, tuple[str, str, str]] = {
    Part.LANGUAGE: (N_("By language"), N_("Edition"), N_("None")),
    Part.SOURCE: (N_("By source"), N_("Source of their first sign-up"), N_("No source was noted")),
    Part.PARTNER: (N_("By partner"), N_("Partner"), N_("Not from a partner's page")),
    Part.FORM: (
        N_("By form"),
        N_("Form"),
        N_("Our own page, or brought along by the office"),
    ),
}
"""What stands over the table, over its first column, and for those without a name."""


@frozen
class Rule:
    """Hits that one rule took for machines'."""

    words: str
    opens: int
    clicks: int


def rules(
    found: Mapping[str, Mapping[str, int]], machine: Mapping[HitKind, int], speaks: Translator
) -> list[Rule]:
    """The most frequent first; the rest of `machine` was counted before rules were kept."""
    opens, clicks = (found.get(kind.value, {}) for kind in (HitKind.OPEN, HitKind.CLICK))
    together = {name: opens.get(name, 0) + clicks.get(name, 0) for name in {*opens, *clicks}}
    names = sorted(together, key=lambda name: (-together[name], name))
    told = [
        Rule(
            words=speaks.gettext(RULES[name]) if name in RULES else name,
            opens=opens.get(name, 0),
            clicks=clicks.get(name, 0),
        )
        for name in names
    ]
    rest = Rule(
        words=speaks.gettext(N_("by which rule was not noted at the time")),
        opens=machine[HitKind.OPEN] - sum(opens.values()),
        clicks=machine[HitKind.CLICK] - sum(clicks.values()),
    )
    return [*told, rest] if rest.opens > 0 or rest.clicks > 0 else told


def named(part: Part, row: Row, speaks: Translator) -> str:
    """What a row of a breakdown is called."""
    if row.name == breakdowns.OTHERS:
        return speaks.gettext(N_("All others"))
    if not row.name:
        return speaks.gettext(PARTS[part][2])
    if part is Part.LANGUAGE:
        return speaks.language_title(row.name)
    return row.name


async def by_hour(
    session: AsyncSession, order: Dispatch, counted: Counted | None, speaks: Translator
) -> tuple[list[Drawing], int]:
    """Charts of what was sent, opened and followed in each hour since the start.

    With them, how many of people's openings and clicks came after the last hour shown.
    """
    statement = (
        sa.select(col(HitTotal.kind), col(HitTotal.hour), sa.func.sum(col(HitTotal.human)))
        .where(col(HitTotal.dispatch_id) == order.id)
        .group_by(col(HitTotal.kind), col(HitTotal.hour))
    )
    begins = breakdowns.hour_of(order.started_at)
    hits: dict[str, list[int]] = {kind.value: [0] * breakdowns.HOURS for kind in HitKind}
    later = 0
    for kind, hour, human in (await session.execute(statement)).all():
        place = round((hour - begins) / timedelta(hours=1))
        if 0 <= place < breakdowns.HOURS:
            hits[kind][place] += int(human)
        else:
            later += int(human)
    sent = list(counted.sent_by_hour) if counted else []
    last = max([len(sent), *(_length(values) for values in hits.values()), 1])
    moments = [begins + timedelta(hours=n) for n in range(last)]
    names = [speaks.moment(moment, "short") for moment in moments]
    short_names = [speaks.hour(moment) for moment in moments]
    series = (
        (N_("Sent"), sent + [0] * (last - len(sent)) if counted else [None] * last),
        (N_("Opens by people"), hits[HitKind.OPEN.value][:last]),
        (N_("Clicks by people"), hits[HitKind.CLICK.value][:last]),
    )
    return [
        charts.draw(
            title=speaks.gettext(title),
            column=speaks.gettext(N_("Hour from")),
            names=names,
            short_names=short_names,
            series=[Series(name=speaks.gettext(title), values=values)],
            say=speaks.number,
        )
        for title, values in series
    ], later


def _length(values: Sequence[int]) -> int:
    return max([place + 1 for place, value in enumerate(values) if value], default=0)


def compared(outcomes: Sequence[Outcome], speaks: Translator) -> list[Drawing]:
    """Campaigns beside one another, the oldest first; each chart has one measure."""
    ordered = list(reversed(outcomes))
    names = [f"{speaks.date(each.campaign.started_at, 'short')} {each.campaign.name[:24]}"
             if each.campaign.started_at else each.campaign.name[:24]
             for each in ordered]  # fmt: skip
    measures = (
        (N_("Clicks for each hundred mails that arrived"),
         [each.clicks_a_hundred for each in ordered],
         lambda value: speaks.number(round(value, 1))),
        (N_("Share that unsubscribed"), [each.left for each in ordered],
         lambda value: speaks.percent(value, digits=2)),
    )  # fmt: skip
    return [
        charts.draw(
            title=speaks.gettext(title),
            column=speaks.gettext(N_("Campaign")),
            names=names,
            series=[Series(name=speaks.gettext(title), values=values)],
            say=say,
        )
        for title, values, say in measures
    ]
