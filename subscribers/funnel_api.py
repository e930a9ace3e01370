"""`/api/v1/partners/{id}/funnel`: what a partner's pages brought, for the office's programs."""

from collections.abc import Sequence
from datetime import date, timedelta

from pydantic import BaseModel

from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web.api import Call, Endpoint
from subscribers import funnel, page_path, partners
from subscribers.funnel import Counts, Part, Wish

_USUAL_DAYS = 28


class CountsOut(BaseModel):
    """How far people came."""

    seen: int
    started: int
    submitted: int
    confirmed: int
    stayed: int


class RowOut(CountsOut):
    """The same for one day, page, form or language."""

    name: str
    """A date, a path, a form's name or a language's code; blank: not known, or our own page."""


class FunnelOut(BaseModel):
    """The numbers, together and by each part."""

    since: date
    until: date
    settled_until: date
    """The last day of which it is known who stayed; later days have 0 there."""
    total: CountsOut
    days: list[RowOut]
    pages: list[RowOut]
    forms: list[RowOut]
    languages: list[RowOut]


def endpoints() -> Sequence[Endpoint]:
    """What is here."""
    return (
        Endpoint(
            method="GET",
            path="/partners/{id}/funnel",
            handler=show,
            scope=Scope.READ,
            tag="Partners",
            summary="What a partner's pages brought, from seen to stayed",
            answer=FunnelOut,
            query=(
                ("since", "first day, such as 2026-11-01; four weeks ago when left out"),
                ("until", "last day; today when left out"),
                ("form", "a form's number; 0 is the one at /subscribe"),
                ("page", "a path"),
                ("language", "a language's code"),
            ),
        ),
    )


async def show(call: Call) -> FunnelOut:
    """Exact numbers. Raises `errors.NotFound` and `errors.Invalid`."""
    ground = call.ground
    partner = await partners.get(ground, partner_id=call.number())
    today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    until = _day(call, "until") or today
    found = await funnel.funnel(
        ground,
        Wish(
            partner_id=partner.id,
            since=_day(call, "since") or until - timedelta(days=_USUAL_DAYS - 1),
            until=until,
            form_id=funnel.form_number(call.query("form")),
            page=page_path.clean(call.query("page") or "") or None,
            language=call.query("language") or None,
        ),
    )
    return FunnelOut(
        since=found.wish.since,
        until=found.wish.until,
        settled_until=found.settled_until,
        total=CountsOut.model_validate(_named(found.total)),
        days=_rows(found, Part.DAY),
        pages=_rows(found, Part.PAGE),
        forms=_rows(found, Part.FORM),
        languages=_rows(found, Part.LANGUAGE),
    )


def _rows(found: funnel.Funnel, part: Part) -> list[RowOut]:
    return [
        RowOut.model_validate({"name": row.name, **_named(row.counts)}) for row in found.rows[part]
    ]


def _named(counts: Counts) -> dict[str, int]:
    return {stage.value: number for stage, number in counts.items()}


def _day(call: Call, name: str) -> date | None:
    text = call.query(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as problem:
        said = errors.Invalid(N_("Write a date as year-month-day."))
        raise errors.Invalid(said.msgid, fields={name: said}) from problem
