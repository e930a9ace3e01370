"""A person signs up: sent in by a form or program, to be confirmed behind a mailed link.

Sending in never changes what a known person has: names, language and tags wait in the sign-up until
it is confirmed, and nobody is un-confirmed. Whoever sends a form learns nothing about the address:
known, unknown, over a limit and suppressed addresses take the same way and get the same answer.
What happens behind the link is in `confirming.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, i18n, tables
from foundation.addresses import Address
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice
from foundation.tokens import Purpose
from subscribers import (
    challenge,
    consent,
    disposable,
    forms,
    intake,
    limits,
    suppression,
    topics,
    typos,
)
from subscribers.confirming import Answer, Confirmed, confirm, look
from subscribers.forms import Offer
from subscribers.intake import HONEYPOT, SignUpRequest
from subscribers.models import (
    ConsentStep,
    Doubt,
    SignUp,
    SignUpState,
    Subscriber,
    Subscription,
    SubscriptionState,
    Topic,
)

__all__ = [
    "HONEYPOT",
    "Answer",
    "Confirmed",
    "SignUpOutcome",
    "SignUpRequest",
    "ask",
    "confirm",
    "look",
    "send_link",
    "submit",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class SignUpOutcome:
    """What became of a submission. Only `offer` may be shown to whoever sent it."""

    signup_id: int
    state: SignUpState
    offer: Offer


async def submit(ground: Ground, *, request: SignUpRequest) -> SignUpOutcome:
    """Take a sign-up and queue the mail that asks the person to confirm it.

    Raises `errors.Invalid` with the wrong fields, `errors.NotFound` when the form is gone, and
    `errors.ProofNeeded` under attack. Over a limit the sign-up is held, not lost:
    `retention.release_held` sends its mail when there is room. What looks like a program's waits
    for staff (`doubts.py`).
    """
    address = _checked(ground, request)
    language = i18n.match(request.language, ground.catalog.languages)
    doubt = await challenge.judge(ground, request=request)
    async with ground.db.transaction() as session:
        offer = await forms.offered(session, slug=request.form, partner_key=request.partner)
        wanted = intake.chosen(offer, request)
        state, doubt = await _judged(ground, session, address, request, offer, doubt=doubt)
        if request.is_from_public:
            await limits.note_submission(ground, session)
        person = await _person(ground, session, address, language=language)
        row = SignUp(
            subscriber_id=person.id,
            form_id=offer.form.id if offer.form else None,
            partner_id=offer.partner.id if offer.partner else None,
            state=state.value,
            doubt=doubt.value,
            topics=[topic.slug for topic in wanted],
            language=language,
            tags=intake.clean_tags(request.tags),
            created_at=ground.clock.now(),
            source=intake.cut(request, "source"),
            referrer_host=intake.cut(request, "referrer_host"),
            page_path=intake.cut(request, "page_path"),
            utm_source=intake.cut(request, "utm_source"),
            utm_medium=intake.cut(request, "utm_medium"),
            utm_campaign=intake.cut(request, "utm_campaign"),
            first_name=intake.tidy(request.first_name),
            last_name=intake.tidy(request.last_name),
            postal_code=intake.tidy(request.postal_code),
        )
        await _keep(ground, session, person, row, wanted, network=request.network, via=request.via)
    return SignUpOutcome(signup_id=row.id, state=state, offer=offer)


async def ask(
    ground: Ground,
    session: AsyncSession,
    *,
    person: Subscriber,
    topics: Sequence[Topic],
    source: str,
    now: datetime,
    via: str = "import",
    network: str = "",
) -> SignUpState:
    """Ask somebody whom we have already to confirm further topics, within the limits.

    For uploads, and for people who come back through their preferences.
    """
    address = Address(email=person.email, key=person.email_key)
    lasting = await suppression.reasons(ground, session, email_key=address.key)
    may = await limits.may_confirm(ground, session, address=address)
    is_sent = may and not lasting & suppression.LASTING
    row = SignUp(
        subscriber_id=person.id,
        state=SignUpState.SUBMITTED if is_sent else SignUpState.HELD,
        topics=[topic.slug for topic in topics],
        language=i18n.match(person.language, ground.catalog.languages),
        source=source[: intake.ABOUT_ORIGIN["source"]],
        created_at=now,
    )
    await _keep(ground, session, person, row, topics, network=network, via=via)
    return SignUpState(row.state)


async def send_link(
    ground: Ground,
    session: AsyncSession,
    *,
    row: SignUp,
    person: Subscriber,
    wanted: Sequence[Topic],
) -> None:
    """Queue the mail that asks to confirm a sign-up."""
    now = ground.clock.now()
    url = ground.link("/confirm", Purpose.CONFIRM, row.id, person.id, int(now.timestamp()) // 60)
    await ground.notices.queue(
        session,
        Notice(
            kind="confirm",
            to=person.email,
            language=row.language,
            context={
                "confirm_url": url,
                "topics": topics.names(wanted, row.language, default=ground.catalog.default),
            },
            subscriber_id=person.id,
        ),
    )


def _checked(ground: Ground, request: SignUpRequest) -> Address:
    """The address. Raises `errors.Invalid` for what is wrong or looks like a slip."""
    address = intake.check(request)
    if not request.is_from_public:
        return address
    typos.point_out(address, sure=request.sure)
    settings = ground.settings.signup
    if settings.disposable == "refuse" and disposable.is_disposable(address, settings=settings):
        said = N_("Mail to throw-away addresses does not last. Give one that you keep.")
        raise intake.to_mend({"email": errors.Invalid(said)})
    return address


async def _judged(
    ground: Ground,
    session: AsyncSession,
    address: Address,
    request: SignUpRequest,
    offer: Offer,
    *,
    doubt: Doubt,
) -> tuple[SignUpState, Doubt]:
    """Whether the confirmation mail goes out now, and what speaks against the sign-up.

    Counters always come in the order network, partner, form, address, domain, total, submissions:
    on PostgreSQL their rows hold back a second submission for the same address, and one order keeps
    clear of deadlocks.
    """
    load = await limits.network_load(ground, session, name="signup", network=request.network)
    doubt = doubt or _doubt(ground, address, request, load=load)
    if doubt:
        return SignUpState.SUSPECT, doubt
    pages = await limits.page_load(
        ground,
        session,
        form_id=offer.form.id if offer.form else None,
        partner_id=offer.partner.id if offer.partner else None,
    )
    if max(load, pages) > 1 or not await limits.may_confirm(ground, session, address=address):
        return SignUpState.HELD, doubt
    reasons = await suppression.reasons(ground, session, email_key=address.key)
    is_barred = bool(reasons & suppression.LASTING)
    return SignUpState.HELD if is_barred else SignUpState.SUBMITTED, doubt


def _doubt(ground: Ground, address: Address, request: SignUpRequest, *, load: float) -> Doubt:
    """Why it looks like a program's."""
    settings = ground.settings.signup
    if request.is_hasty:
        return Doubt.HASTE
    if load > limits.FLOOD:
        return Doubt.FLOOD
    if request.is_from_public and disposable.is_disposable(address, settings=settings):
        return Doubt.DISPOSABLE
    return Doubt.NONE


async def _person(
    ground: Ground, session: AsyncSession, address: Address, *, language: str
) -> Subscriber:
    """Who has an address; made when nobody has, knowing no more than the address and language."""
    now = ground.clock.now()
    await session.execute(
        tables.insert_for(session, Subscriber)
        .values(
            email=address.email,
            email_key=address.key,
            first_name="",
            last_name="",
            postal_code="",
            town="",
            language=language,
            fields={},
            allows_tracking=False,
            soft_bounces=0,
            created_at=now,
            updated_at=now,
        )
        .on_conflict_do_nothing(index_elements=["email_key"])
    )
    statement = select(Subscriber).where(Subscriber.email_key == address.key)
    person = (await session.exec(statement)).one()
    await suppression.link(ground, session, subscriber=person)
    return person


async def _keep(
    ground: Ground,
    session: AsyncSession,
    person: Subscriber,
    row: SignUp,
    wanted: Sequence[Topic],
    *,
    network: str,
    via: str,
) -> None:
    """The sign-up, what it asks for as pending, the consent step, and the mail if it may go out."""
    session.add(row)
    await session.flush()
    now = ground.clock.now()
    for topic in wanted:
        # A topic that the person has, or took back, stays as it is until they confirm.
        await session.execute(
            tables.insert_for(session, Subscription)
            .values(
                subscriber_id=person.id,
                topic_id=topic.id,
                state=SubscriptionState.PENDING.value,
                since=now,
                signup_id=row.id,
            )
            .on_conflict_do_nothing(index_elements=["subscriber_id", "topic_id"])
        )
    wording = await consent.asked(ground, session, consent.SIGNUP, language=row.language)
    consent.record(
        session,
        subscriber_id=person.id,
        at=now,
        step=ConsentStep.ASKED,
        topics=row.topics,
        wording_id=wording.id,
        language=row.language,
        signup_id=row.id,
        form_id=row.form_id,
        network=network,
        via=via,
    )
    if row.state == SignUpState.SUBMITTED:
        await send_link(ground, session, row=row, person=person, wanted=wanted)
