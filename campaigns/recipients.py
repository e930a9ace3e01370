"""To whom a campaign did not simply go out, or whose mail came back: lists, counts, a CSV file."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from campaigns import campaign_views, transitions
from campaigns.models import Campaign
from delivery import listing
from delivery.listing import CameBack, Choice, Group, Listed
from delivery.models import DeliveryState
from foundation import cells
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground

PAGE = 100
_PIECE = 2000
COLUMNS = (
    "delivery", "email", "language", "state", "reason", "reply_code", "reply_text", "relay",
    "attempts", "first_attempt_at", "due_at", "may_get_it", "came_back", "came_back_reason",
)  # fmt: skip
"""Of the CSV file."""


@frozen
class Page:
    """Some of the recipients meant, and how many there are of each kind."""

    campaign: Campaign
    choice: Choice
    groups: Sequence[Group]
    """All the odd ones, whoever is meant; the largest group first."""
    returned: Sequence[Group]
    """Mail that was taken and came back: by its kind, in place of the state, and reason."""
    items: Sequence[Listed]
    next_after: int | None = None

    def count(self, choice: Choice) -> int:
        """How many `choice` means (without its `ids`)."""
        if choice.came_back is not None:
            back = choice.came_back
            return sum(
                group.count
                for group in self.returned
                if back.kind in (None, group.state) and back.reason in (None, group.reason)
            )
        return sum(
            group.count
            for group in self.groups
            if group.state == choice.state
            and choice.reason in (None, group.reason)
            and choice.reply_code in (None, group.reply_code or 0)
        )


async def page(
    ground: Ground,
    *,
    campaign_id: int,
    choice: Choice | None,
    after: int | None = None,
    limit: int = PAGE,
) -> Page:
    """A page by keyset; without a choice, of the first state that has anybody, else what came back.

    Raises `errors.NotFound`, also for a campaign that was not started yet.
    """
    async with ground.db.reading() as session:
        campaign = await transitions.get(session, campaign_id)
        order = await campaign_views.order_of(session, campaign_id)
        groups = await listing.groups(session, order.id)
        returned = await listing.returned(session, order.id)
        there = {group.state for group in groups}
        meant = choice or Choice(
            state=next((state for state in listing.ODD if state in there), DeliveryState.FAILED)
        )
        if choice is None and not there and returned:
            meant = Choice(state=DeliveryState.SENT, came_back=CameBack())
        found = await listing.listed(session, order.id, meant, after=after or 0, limit=limit + 1)
    return Page(
        campaign=campaign,
        choice=meant,
        groups=groups,
        returned=returned,
        items=found[:limit],
        next_after=found[limit - 1].id if len(found) > limit else None,
    )


async def chunks(ground: Ground, *, campaign_id: int, choice: Choice) -> AsyncIterator[bytes]:
    """The file in pieces, each read by itself. Raises `errors.NotFound` as `page` does."""
    async with ground.db.reading() as session:
        order = await campaign_views.order_of(session, campaign_id)
    yield cells.lines([COLUMNS]).encode("utf-8-sig")
    after = 0
    while True:
        async with ground.db.reading() as session:
            found = await listing.listed(session, order.id, choice, after=after, limit=_PIECE)
        if not found:
            return
        yield cells.lines([_cells(each) for each in found]).encode()
        after = found[-1].id


async def note_export(ground: Ground, *, actor: Actor, campaign_id: int, choice: Choice) -> None:
    """Put into the log who takes the file along. Raises `errors.NotFound`."""
    meant = {"of": choice.state.value, "reason": choice.reason, "reply_code": choice.reply_code}
    if choice.came_back is not None:
        meant |= {"came_back": choice.came_back.kind, "reason": choice.came_back.reason}
    async with ground.db.transaction() as session:
        await transitions.get(session, campaign_id)
        transitions.note(
            ground, session, actor, campaign_id, "recipients-exported", before={},
            after={name: value for name, value in meant.items() if value is not None},
        )  # fmt: skip


def _cells(row: Listed) -> list[str]:
    may_get_it = "yes" if row.may_get_it else "no"
    values = (
        row.id, row.email, row.language, row.state, row.reason, row.reply_code, row.reply_text,
        row.relay, row.attempts, row.first_attempt_at, row.due_at, may_get_it,
        row.came_back, row.came_back_reason,
    )  # fmt: skip
    return [cell(value) for value in values]


def cell(value: object) -> str:
    """A value as a cell of a file."""
    if value is None:
        return ""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
