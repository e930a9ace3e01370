"""Takes what was sent in to sign up: everything that came at the same time, in one transaction.

`signup.submit` hands over what it has checked without the database; here forms, limits and
suppressions are looked at, each once for all, and `keeping.py` writes what follows. One commit
keeps a turn's sign-ups with their mail, and only then is anybody answered
(docs/decisions/0022-sign-ups-and-clicks-are-kept-in-groups.md).
"""

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, throttle
from foundation.addresses import Address
from foundation.ground import Ground
from subscribers import challenge, disposable, forms, intake, keeping, limits, sharing, suppression
from subscribers.forms import Offer
from subscribers.intake import SignUpRequest
from subscribers.models import Doubt, SignUpState, SuppressionReason, Topic


class Sent(NamedTuple):
    """A request that is in order as far as can be seen without the database."""

    request: SignUpRequest
    address: Address
    language: str
    doubt: Doubt = Doubt.NONE
    """What spoke against it already."""
    is_judged: bool = False
    """Whether its proof of work was looked at, or none is asked of whoever sent it."""


class SignUpOutcome(NamedTuple):
    """What became of a submission. Only `offer` may be shown to whoever sent it."""

    signup_id: int
    state: SignUpState
    offer: Offer


_Choice = tuple[Offer, Sequence[Topic]]
"""A form, and what somebody asks of it."""


class _Wanted(NamedTuple):
    """A request with what its form offers."""

    sent: Sent
    offer: Offer
    topics: Sequence[Topic]
    doubt: Doubt


async def take(
    ground: Ground, batch: Sequence[Sent]
) -> Sequence[SignUpOutcome | errors.HandbillError | None]:
    """Keep sign-ups, in the order in which they came in; for each its outcome or its refusal.

    None: the forms are under attack, so its proof has to be looked at first.
    """
    return await ground.db.at_a_stretch(functools.partial(_take, ground, batch))


async def _take(
    ground: Ground, batch: Sequence[Sent], session: AsyncSession
) -> Sequence[SignUpOutcome | errors.HandbillError | None]:
    read = await _read(ground, session, batch)
    wanted = {place: each for place, each in enumerate(read) if isinstance(each, _Wanted)}
    verdicts = await _judged(ground, session, list(wanted.values()))
    found = await keeping.people(
        ground,
        session,
        {
            each.sent.address.key: (each.sent.address, each.sent.language)
            for each in wanted.values()
        },
    )
    barred = await suppression.look_up(
        ground, session, {key: number for key, (number, _) in found.items()}
    )
    entries = [
        _entry(each, found, barred, *verdict)
        for each, verdict in zip(wanted.values(), verdicts, strict=True)
    ]
    numbers = await keeping.keep(ground, session, entries)
    for each, number in zip(wanted.values(), numbers, strict=True):
        if each.sent.request.shares:
            await sharing.ask(
                ground,
                session,
                signup_id=number,
                form=each.offer.form,
                request=each.sent.request,
            )
    kept = {
        place: SignUpOutcome(signup_id=number, state=entry.state, offer=each.offer)
        for (place, each), entry, number in zip(wanted.items(), entries, numbers, strict=True)
    }
    return [kept[place] if isinstance(each, _Wanted) else each for place, each in enumerate(read)]


async def _read(
    ground: Ground, session: AsyncSession, batch: Sequence[Sent]
) -> list[_Wanted | errors.HandbillError | None]:
    """Each request with its form; what it asks for may not be there."""
    is_attacked = not all(sent.is_judged for sent in batch) and await challenge.is_asked_for(
        ground, session
    )
    offers: dict[tuple[str, str], Offer | errors.HandbillError] = {}
    for form, partner in dict.fromkeys((sent.request.form, sent.request.partner) for sent in batch):
        try:
            offers[form, partner] = await forms.offered(session, slug=form, partner_key=partner)
        except errors.NotFound as problem:
            offers[form, partner] = problem
    choices: dict[object, _Choice | errors.HandbillError] = {}
    read: list[_Wanted | errors.HandbillError | None] = []
    for sent in batch:
        if is_attacked and not sent.is_judged:
            read.append(None)
            continue
        asked = sent.request
        # Most ask for the same.
        key = (asked.form, asked.partner, tuple(asked.topics), asked.has_choice, asked.origin)
        choice = choices.get(key)
        if choice is None:
            choice = choices[key] = _choice(offers[asked.form, asked.partner], asked)
        read.append(_wanted(sent, *choice) if isinstance(choice, tuple) else choice)
    return read


def _choice(
    offer: Offer | errors.HandbillError, asked: SignUpRequest
) -> _Choice | errors.HandbillError:
    if isinstance(offer, errors.HandbillError):
        return offer
    try:
        forms.check_origin(offer, asked.origin)
        return offer, intake.chosen(offer, asked)
    except errors.HandbillError as problem:
        return problem


def _wanted(sent: Sent, offer: Offer, topics: Sequence[Topic]) -> _Wanted:
    doubt = sent.doubt or (Doubt.HASTE if sent.request.is_hasty else Doubt.NONE)
    return _Wanted(sent=sent, offer=offer, topics=topics, doubt=doubt)


async def _judged(
    ground: Ground, session: AsyncSession, wanted: Sequence[_Wanted]
) -> list[tuple[Doubt, bool]]:
    """What speaks against each, and whether the limits have room for its mail."""
    tally = throttle.Tally(ground.clock.now())
    unlimited = limits.unlimited_domains(ground)
    counted = [
        limits.Submission(
            ground,
            tally,
            network=each.sent.request.network,
            form_id=each.offer.form.id if each.offer.form else None,
            partner_id=each.offer.partner.id if each.offer.partner else None,
            # What is doubtful brings no mail, and uses up nobody's.
            address=None if each.doubt else each.sent.address,
            unlimited=unlimited,
        )
        for each in wanted
    ]
    await tally.take(session)
    verdicts = [_verdict(ground, *pair) for pair in zip(wanted, counted, strict=True)]
    await tally.give_back(session)
    public = sum(each.sent.request.is_from_public for each in wanted)
    if public:
        await limits.note_submissions(ground, session, public)
    return verdicts


def _verdict(ground: Ground, wanted: _Wanted, counted: limits.Submission) -> tuple[Doubt, bool]:
    load = counted.network_load()
    doubt = wanted.doubt
    if not doubt and load > limits.FLOOD:
        doubt = Doubt.FLOOD
    if not doubt and wanted.sent.request.is_from_public:
        settings = ground.settings.signup
        if disposable.is_disposable(wanted.sent.address, settings=settings):
            doubt = Doubt.DISPOSABLE
    if doubt:
        return doubt, False
    return doubt, max(load, counted.page_load()) <= 1 and counted.may_confirm()


def _entry(
    wanted: _Wanted,
    people: Mapping[str, tuple[int, str]],
    barred: Mapping[str, frozenset[SuppressionReason]],
    doubt: Doubt,
    has_room: bool,
) -> keeping.Entry:
    key = wanted.sent.address.key
    number, email = people[key]
    may_go = has_room and not barred.get(key, frozenset()) & suppression.LASTING
    state = SignUpState.SUBMITTED if may_go else SignUpState.HELD
    return keeping.Entry(
        person_id=number,
        email=email,
        request=wanted.sent.request,
        language=wanted.sent.language,
        topics=wanted.topics,
        state=SignUpState.SUSPECT if doubt else state,
        doubt=doubt,
        form_id=wanted.offer.form.id if wanted.offer.form else None,
        partner_id=wanted.offer.partner.id if wanted.offer.partner else None,
    )
