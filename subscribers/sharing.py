"""Lets an organisation have a person's address for its own list, when the person says so apart.

A form offers it unticked, in words that name the organisation. What was shown and ticked is kept
with the sign-up; only confirming by mail gives the address on. Taking it back goes out to the
organisation in the same way (`handing_on.py`). It has nothing to do with our own bulletins: who
unsubscribes from those still shares, and the other way round, until they say otherwise.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import addresses
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import consent, forms
from subscribers.intake import SignUpRequest
from subscribers.models import Consent, ConsentStep, Form, Partner, SignUp, Subscriber
from subscribers.partner_models import PartnerKey, Sharing, SharingKind

FIELD = "share"
"""The field of a form, once for each organisation that was ticked; holds the partner's key."""
_WORDING = "share"
_WORDS = N_(
    "Give my address to %(organization)s, too, for its own list. It then writes to me itself; I "
    "can take this back at any time behind the link in every mail."
)
_KEPT = timedelta(days=30)
"""A withdrawal of somebody who was erased, after it went out; until then it can be had again."""


@frozen
class Offer:
    """An organisation whose own list a form offers."""

    partner_id: int
    key: str
    name: str
    words: str
    """What the person agrees to."""


@frozen
class Holder:
    """An organisation that has a person's address, or gets it with the next export."""

    partner_id: int
    name: str
    since: datetime


async def offered(
    ground: Ground, session: AsyncSession, form: Form | None, *, language: str
) -> Sequence[Offer]:
    """The organisations that a form offers, in the order in which staff named them."""
    found = await forms.organisations(session, form) if form is not None else ()
    return said(ground, found, language)


def said(ground: Ground, organisations: Sequence[Partner], language: str) -> Sequence[Offer]:
    """What a form says of each organisation."""
    say = ground.translator(language).gettext
    return [
        Offer(
            partner_id=each.id,
            key=each.key,
            name=each.name,
            words=say(_WORDS) % {"organization": each.name},
        )
        for each in organisations
    ]


async def ask(
    ground: Ground,
    session: AsyncSession,
    *,
    signup_id: int,
    form: Form | None,
    request: SignUpRequest,
) -> None:
    """Keep what was shown and ticked with a sign-up, in the caller's transaction.

    The wording holds the words for every organisation that the form showed. A key that the form
    does not offer is passed over: nothing is given on that it did not show.
    """
    chosen = await _chosen(session, form, request.shares) if form is not None else []
    row = await session.get(SignUp, signup_id) if chosen else None
    if row is None:
        return
    row.shares = chosen
    session.add(row)
    shown = await offered(ground, session, form, language=row.language)
    wording = await consent.wording(
        session,
        key=_WORDING,
        language=row.language,
        text="\n".join(each.words for each in shown),
        now=ground.clock.now(),
    )
    for partner_id in chosen:
        consent.record(
            session,
            subscriber_id=row.subscriber_id,
            at=ground.clock.now(),
            step=ConsentStep.SHARE_ASKED,
            wording_id=wording.id,
            language=row.language,
            signup_id=row.id,
            form_id=row.form_id,
            partner_id=partner_id,
            network=request.network,
            via=request.via,
        )


async def give(
    ground: Ground, session: AsyncSession, *, row: SignUp, person: Subscriber, network: str
) -> None:
    """The person confirmed a sign-up: what was ticked in it holds now."""
    if not row.shares:
        return
    has = {each.partner_id for each in await holders(session, subscriber_id=person.id)}
    there = await session.scalars(
        sa.select(col(Partner.id)).where(
            col(Partner.id).in_(row.shares), col(Partner.is_active).is_(True)
        )
    )
    for partner_id in sorted(set(there) - has):
        asked = await session.scalar(
            sa.select(col(Consent.wording_id)).where(
                col(Consent.subscriber_id) == person.id,
                col(Consent.signup_id) == row.id,
                col(Consent.partner_id) == partner_id,
            )
        )
        consent.record(
            session,
            subscriber_id=person.id,
            at=ground.clock.now(),
            step=ConsentStep.SHARED,
            wording_id=asked,
            language=row.language,
            signup_id=row.id,
            form_id=row.form_id,
            partner_id=partner_id,
            network=network,
            via="link",
        )
        session.add(
            Sharing(
                partner_id=partner_id,
                subscriber_id=person.id,
                reference=_reference(ground, partner_id, person.id),
                kind=SharingKind.GIVEN.value,
                at=ground.clock.now(),
            )
        )


async def holders(session: AsyncSession, *, subscriber_id: int) -> list[Holder]:
    """The organisations that have a person's address, by name."""
    of_person = sa.select(col(Sharing.partner_id)).where(
        col(Sharing.subscriber_id) == subscriber_id
    )
    there = await session.exec(select(Partner).where(col(Partner.id).in_(of_person)))
    names = {partner.id: partner.name for partner in there.all()}
    last = await _last(session, subscriber_id)
    found = [
        Holder(partner_id=each.partner_id, name=names[each.partner_id], since=each.at)
        for each in last.values()
        if each.kind == SharingKind.GIVEN
    ]
    return sorted(found, key=lambda each: each.name)


async def withdraw(
    ground: Ground,
    session: AsyncSession,
    *,
    person: Subscriber,
    partner_id: int,
    via: str,
    network: str,
) -> bool:
    """The person takes it back: the partner is told, unless it never got the address.

    Returns whether it had been given.
    """
    given = (await _last(session, person.id)).get(partner_id)
    if given is None or given.kind != SharingKind.GIVEN:
        return False
    consent.record(
        session,
        subscriber_id=person.id,
        at=ground.clock.now(),
        step=ConsentStep.SHARE_WITHDRAWN,
        language=person.language,
        partner_id=partner_id,
        network=network,
        via=via,
    )
    # An export at this moment holds the row: then it has gone out, and this finds it so.
    unheard = await session.execute(
        sa.delete(Sharing)
        .where(col(Sharing.id) == given.id, col(Sharing.batch).is_(None))
        .returning(col(Sharing.id))
    )
    if unheard.first() is None:
        session.add(_withdrawal(ground, given, subscriber_id=person.id))
    return True


async def forget(ground: Ground, session: AsyncSession, *, subscriber_id: int) -> None:
    """Before a person is erased: only what partners have still to be told is kept, unnamed."""
    heard = await _last(session, subscriber_id, is_heard=True)
    owed = [each for each in heard.values() if each.kind == SharingKind.GIVEN]
    await session.execute(sa.delete(Sharing).where(col(Sharing.subscriber_id) == subscriber_id))
    for each in owed:
        session.add(_withdrawal(ground, each, subscriber_id=None))


async def tidy(ground: Ground) -> None:
    """Forget withdrawals of erased people that went out long enough ago."""
    async with ground.db.transaction() as session:
        await session.execute(
            sa.delete(Sharing).where(
                col(Sharing.subscriber_id).is_(None),
                col(Sharing.batch).is_not(None),
                col(Sharing.at) < ground.clock.now() - _KEPT,
            )
        )


async def _chosen(session: AsyncSession, form: Form, keys: Sequence[str]) -> list[int]:
    """The partners among those that a form offers whose keys were sent in."""
    had = sa.select(col(PartnerKey.partner_id)).where(
        col(PartnerKey.key).in_(keys), col(PartnerKey.retired_at).is_(None)
    )
    found = await session.scalars(
        sa.select(col(Partner.id)).where(
            sa.or_(col(Partner.key).in_(keys), col(Partner.id).in_(had)),
            col(Partner.is_active).is_(True),
        )
    )
    wanted = set(found)
    return [number for number in form.shares if number in wanted]


def _withdrawal(ground: Ground, given: Sharing, *, subscriber_id: int | None) -> Sharing:
    return Sharing(
        partner_id=given.partner_id,
        subscriber_id=subscriber_id,
        reference=given.reference,
        kind=SharingKind.WITHDRAWN.value,
        at=ground.clock.now(),
    )


async def _last(
    session: AsyncSession, subscriber_id: int, *, is_heard: bool = False
) -> dict[int, Sharing]:
    """What was noted last about a person, by partner; or what the partner heard last."""
    statement = (
        select(Sharing).where(Sharing.subscriber_id == subscriber_id).order_by(col(Sharing.id))
    )
    if is_heard:
        statement = statement.where(col(Sharing.batch).is_not(None))
    return {each.partner_id: each for each in (await session.exec(statement)).all()}


def _reference(ground: Ground, partner_id: int, subscriber_id: int) -> str:
    secret = ground.tokens.derive("sharing")
    return addresses.keyed_hash(f"{partner_id}:{subscriber_id}", secret=secret)
