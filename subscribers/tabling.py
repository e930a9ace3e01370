"""Takes a sign-up that was written down at a table: on our paper, or at our tablet.

It is what the form does, with three differences: the mail says where the address was written down,
the words are those of the paper, and an entry with a number that is known already (a tablet sends
again what it got no answer to) is kept once and mailed once. Called by `sheet_entry.py` and
`kiosk.py`; every entry is confirmed by its person, as any other.
"""

import enum
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import i18n
from foundation.addresses import Address
from foundation.frozen import frozen
from foundation.ground import Ground
from subscribers import (
    challenge,
    disposable,
    forms,
    intake,
    keeping,
    limits,
    signup,
    suppression,
)
from subscribers.intake import SignUpRequest
from subscribers.models import (
    Doubt,
    SignUp,
    SignUpState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Topic,
)
from subscribers.street_models import Gathering


class Outcome(enum.StrEnum):
    """What became of an entry; for staff, and for nobody at the table."""

    ASKED = "asked"
    """The mail to confirm is on its way."""
    LATER = "later"
    """The mail goes out by itself when a limit has room."""
    DOUBTFUL = "doubtful"
    """It looks like a program's; staff look at it first."""
    KNOWN = "known"
    """The person gets all of it already; nothing is mailed."""
    BARRED = "barred"
    """The address must not be mailed."""
    REPEATED = "repeated"
    """This very entry was taken before."""


@frozen
class Entry:
    """What somebody wrote down."""

    request: SignUpRequest
    typed_at: datetime
    """When, by the clock of where it was typed."""
    number: str | None = None
    """A random one that a tablet gave it."""
    gathering: Gathering | None = None


@frozen
class Taken:
    """An entry after it was taken."""

    outcome: Outcome
    signup_id: int | None = None


async def take(ground: Ground, *, entry: Entry) -> Taken:
    """Keep an entry and queue the mail that asks its person, all or nothing.

    Raises `errors.Invalid` with the wrong fields, `errors.NotFound` when the form is gone.
    """
    address = intake.check(entry.request)
    async with ground.db.transaction() as session:
        if entry.number and await _is_taken(session, entry.number):
            return Taken(outcome=Outcome.REPEATED)
        offer = await forms.offered(session, slug=entry.request.form)
        wanted = intake.chosen(offer, entry.request)
        person = await _person(ground, session, address, entry)
        outcome, doubt = await _judged(ground, session, entry, person, address, wanted)
        if outcome in (Outcome.KNOWN, Outcome.BARRED):
            return Taken(outcome=outcome)
        kept = keeping.Entry(
            person_id=person.id,
            email=person.email,
            request=entry.request,
            language=_language(ground, entry),
            topics=wanted,
            state=_STATES[outcome],
            doubt=doubt,
            form_id=offer.form.id if offer.form else None,
            partner_id=offer.partner.id if offer.partner else None,
            written=keeping.Written(
                typed_at=entry.typed_at,
                number=entry.number,
                gathering=entry.gathering,
                wording_id=_wording(ground, entry),
            ),
        )
        numbers = await keeping.keep(ground, session, [kept])
        return Taken(outcome=outcome, signup_id=numbers[0])


async def send_link(
    ground: Ground,
    session: AsyncSession,
    *,
    row: SignUp,
    person: Subscriber,
    wanted: Sequence[Topic],
) -> None:
    """Queue the mail to confirm; it says where, if the sign-up was written down at a gathering."""
    gathering = await session.get(Gathering, row.gathering_id) if row.gathering_id else None
    if gathering is None:
        await signup.send_link(ground, session, row=row, person=person, wanted=wanted)
        return
    notice = keeping.link(
        ground,
        signup_id=row.id,
        person_id=person.id,
        email=person.email,
        language=row.language,
        wanted=wanted,
    )
    await ground.notices.queue(session, keeping.at_table(notice, gathering))


_STATES = {
    Outcome.ASKED: SignUpState.SUBMITTED,
    Outcome.LATER: SignUpState.HELD,
    Outcome.DOUBTFUL: SignUpState.SUSPECT,
}


async def _is_taken(session: AsyncSession, number: str) -> bool:
    same = sa.select(sa.literal(1)).where(col(SignUp.entry_number) == number)
    return await session.scalar(same) is not None


async def _judged(
    ground: Ground,
    session: AsyncSession,
    entry: Entry,
    person: Subscriber,
    address: Address,
    wanted: list[Topic],
) -> tuple[Outcome, Doubt]:
    """Whether the mail may go out. Staff are told who is known; a tablet behaves as for anybody."""
    reasons = await suppression.reasons(ground, session, email_key=address.key)
    is_barred = bool(reasons & suppression.LASTING)
    if not entry.request.is_from_public:
        if is_barred:
            return Outcome.BARRED, Doubt.NONE
        if await _has_all(session, person, wanted):
            return Outcome.KNOWN, Doubt.NONE
    load = 0.0
    if entry.request.network:
        network = entry.request.network
        load = await limits.network_load(ground, session, name="signup", network=network)
    doubt = await _doubt(ground, session, entry, address, load=load)
    if doubt:
        return Outcome.DOUBTFUL, doubt
    may = load <= 1 and await limits.may_confirm(ground, session, address=address)
    return Outcome.ASKED if may and not is_barred else Outcome.LATER, Doubt.NONE


async def _doubt(
    ground: Ground, session: AsyncSession, entry: Entry, address: Address, *, load: float
) -> Doubt:
    if not entry.request.is_from_public:
        return Doubt.NONE
    if load > limits.FLOOD:
        return Doubt.FLOOD
    # A tablet can't be asked for work hours later; staff look at what came during an attack.
    if await challenge.is_asked_for(ground, session):
        return Doubt.NO_PROOF
    is_thrown_away = disposable.is_disposable(address, settings=ground.settings.signup)
    return Doubt.DISPOSABLE if is_thrown_away else Doubt.NONE


async def _has_all(session: AsyncSession, person: Subscriber, wanted: list[Topic]) -> bool:
    confirmed = await session.scalars(
        sa.select(col(Subscription.topic_id)).where(
            col(Subscription.subscriber_id) == person.id,
            col(Subscription.state) == SubscriptionState.CONFIRMED.value,
        )
    )
    return {topic.id for topic in wanted} <= set(confirmed)


async def _person(
    ground: Ground, session: AsyncSession, address: Address, entry: Entry
) -> Subscriber:
    """Who has the address; made when nobody has, knowing no more than address and language."""
    found = await keeping.people(
        ground, session, {address.key: (address, _language(ground, entry))}
    )
    number, _ = found[address.key]
    person = (await session.exec(select(Subscriber).where(Subscriber.id == number))).one()
    await suppression.link(ground, session, subscriber=person)
    return person


def _language(ground: Ground, entry: Entry) -> str:
    return i18n.match(entry.request.language, ground.catalog.languages)


def _wording(ground: Ground, entry: Entry) -> int | None:
    """The words of the paper as it was printed; a tablet shows those of the form."""
    if entry.request.via == "sheet" and entry.gathering is not None:
        kept = entry.gathering.wordings
        return kept.get(_language(ground, entry)) or next(iter(kept.values()))
    return None
