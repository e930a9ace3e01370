"""Who has approved a campaign as it stands, how many have to, and what changed since somebody did.

An approval counts for exactly what was read: the bulletin's version and what the campaign says
beside it. Whether it still does is seen by comparing, so no change can slip past it.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns.models import Bulletin, Campaign
from campaigns.review_models import Approval, Review
from campaigns.trial_models import Trial
from foundation import errors
from foundation.accounts.models import Role, Staff
from foundation.audit import Actor, ActorKind, AuditEntry
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

MAY_APPROVE = (Role.OWNER, Role.EDITOR)
_ALONE_ENOUGH = (ActorKind.COMMAND, ActorKind.SYSTEM)
"""Whoever has the shell is an owner; what goes out by itself was decided when that was set up."""
_MADE = col(AuditEntry.action) == "campaign.created"
_WROTE = sa.and_(
    col(AuditEntry.object_kind) == "bulletin", col(AuditEntry.action).not_like("bulletin.comment%")
)


class Facet(enum.StrEnum):
    """What of a campaign is approved beside its bulletin."""

    AUDIENCE = "audience"
    """Who gets it."""
    SENDER = "sender"
    """Name and address that it comes from, and where answers go."""
    RELAY = "relay"
    """The way out."""
    TRIAL = "trial"
    """The two forms that are tried, if any."""


FACET_WORDS: Mapping[Facet, str] = {
    Facet.AUDIENCE: N_("who gets it"),
    Facet.SENDER: N_("the sender"),
    Facet.RELAY: N_("the relay"),
    Facet.TRIAL: N_("the two forms that are tried"),
}


@frozen
class Authors:
    """Who wrote a campaign: by their number where the log has it, else by name."""

    names: frozenset[str]
    numbers: frozenset[int]

    def include(self, name: str, number: int | None) -> bool:
        """Whether somebody is one of them."""
        return number in self.numbers or name in self.names


@frozen
class Standing:
    """How far a campaign is approved."""

    given: Sequence[Approval]
    """Approvals that count, the first first; one for each person."""
    void: Sequence[Approval]
    """Those that count no more, the last first."""
    needed: int
    wanted: int
    """As the settings say; more than `needed` where so many people are not there."""
    changed: Sequence[Facet]
    """What the campaign says otherwise than when it was approved last."""
    authors: Authors
    do_authors_count: bool
    people: Sequence[Staff]
    """Who may approve, in the order of their addresses."""

    @property
    def missing(self) -> int:
        """How many more have to approve it."""
        return max(0, self.needed - len(self.given))

    @property
    def last(self) -> Approval | None:
        """The approval given last, whether it counts or not."""
        return max((*self.given, *self.void), key=lambda each: each.id, default=None)

    def may(self, actor: Actor) -> bool:
        """Whether somebody's approval counts, as far as who wrote it goes."""
        return self.do_authors_count or not self.authors.include(actor.label, actor.staff_id)


async def standing(
    ground: Ground, session: AsyncSession, campaign: Campaign, bulletin: Bulletin
) -> Standing:
    """How far a campaign is approved as it stands now."""
    statement = (
        select(Approval).where(Approval.campaign_id == campaign.id).order_by(col(Approval.id))
    )
    every = (await session.exec(statement)).all()
    now = await said(session, campaign)
    given: dict[int | str, Approval] = {}
    for each in every:
        counts = each.bulletin_version == bulletin.version and each.seen == now
        if counts and each.withdrawn_at is None:
            given.setdefault(each.staff_id or each.by, each)
    last = every[-1] if every else None
    authors = await _authors(session, campaign, bulletin)
    people = await who_may(session)
    others = _others(people, authors)
    wanted = ground.settings.release.approvers
    return Standing(
        given=list(given.values()),
        void=[each for each in reversed(every) if each not in given.values()],
        needed=min(wanted, max(1, others)),
        wanted=wanted,
        changed=[facet for facet in Facet if last and last.seen.get(facet) != now[facet]],
        authors=authors,
        do_authors_count=wanted == 1 or not others,
        people=people,
    )


async def give(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, bulletin: Bulletin
) -> Standing:
    """Somebody approves it, in the caller's transaction; approving twice counts once.

    Raises `errors.Refused` for whoever wrote it, where others have to.
    """
    before = await standing(ground, session, campaign, bulletin)
    if actor.kind not in _ALONE_ENOUGH and not before.may(actor):
        raise errors.Refused(N_("You wrote it, so somebody else has to read and approve it."))
    if (actor.label, actor.staff_id) not in {(each.by, each.staff_id) for each in before.given}:
        session.add(
            Approval(
                campaign_id=campaign.id,
                by=actor.label,
                staff_id=actor.staff_id,
                bulletin_version=bulletin.version,
                seen=await said(session, campaign),
                given_at=ground.clock.now(),
            )
        )
        await session.flush()
    return await standing(ground, session, campaign, bulletin)


def is_enough(reached: Standing, actor: Actor) -> bool:
    """Whether it may go out now that `actor` has approved it."""
    return actor.kind in _ALONE_ENOUGH or not reached.missing


async def withdraw(ground: Ground, session: AsyncSession, campaign_id: int) -> None:
    """An editor sent it back, so nobody's approval stands any more."""
    statement = select(Approval).where(
        Approval.campaign_id == campaign_id, col(Approval.withdrawn_at).is_(None)
    )
    for each in (await session.exec(statement)).all():
        each.withdrawn_at = ground.clock.now()
        session.add(each)


async def said(session: AsyncSession, campaign: Campaign) -> dict[str, Any]:
    """What a campaign says beside its bulletin, facet → value; equal values mean the same."""
    trial = await session.get(Trial, campaign.id)
    return {
        Facet.AUDIENCE.value: campaign.audience,
        Facet.SENDER.value: [campaign.from_name, campaign.from_address, campaign.reply_to],
        Facet.RELAY.value: campaign.relay,
        Facet.TRIAL.value: trial.plan if trial else {},
    }


async def who_may(session: AsyncSession) -> Sequence[Staff]:
    """The people who may approve, in the order of their addresses."""
    statement = (
        select(Staff)
        .where(
            col(Staff.role).in_([role.value for role in MAY_APPROVE]),
            col(Staff.is_active).is_(True),
        )
        .order_by(col(Staff.email_key))
    )
    return (await session.exec(statement)).all()


async def _authors(session: AsyncSession, campaign: Campaign, bulletin: Bulletin) -> Authors:
    """Who made the campaign, wrote its bulletin last, or asked for the review."""
    review = await session.get(Review, campaign.id)
    made, wrote = campaign.created_by, bulletin.updated_by
    found = [
        (made, await _number(session, campaign.id, made, _MADE)),
        (wrote, await _number(session, bulletin.id, wrote, _WROTE)),
    ]
    if review is not None and review.asked_by:
        found.append((review.asked_by, review.asked_by_id))
    return Authors(
        names=frozenset(name for name, number in found if name and number is None),
        numbers=frozenset(number for _, number in found if number is not None),
    )


async def _number(
    session: AsyncSession, object_id: int, name: str, did: sa.ColumnElement[bool]
) -> int | None:
    """The number of who did something last under a name, of which there may be two."""
    statement = (
        sa.select(col(AuditEntry.staff_id))
        .where(
            col(AuditEntry.object_id) == str(object_id), col(AuditEntry.actor_label) == name, did
        )
        .order_by(col(AuditEntry.id).desc())
        .limit(1)
    )
    return await session.scalar(statement)


def _others(people: Sequence[Staff], authors: Authors) -> int:
    """How many may approve besides those who wrote it."""
    return sum(not authors.include(each.name or each.email, each.id) for each in people)
