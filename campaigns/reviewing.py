"""Asking for a review and what comes of it: who is asked, who is told, when it is approved.

`lifecycle` calls these inside the transaction of the step that they belong to.
"""

from collections.abc import Iterable, Mapping

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import approvals, comments, transitions
from campaigns.approvals import Standing
from campaigns.models import Bulletin, Campaign
from campaigns.review_models import Review
from campaigns.transitions import Verb
from foundation import addresses, errors
from foundation.accounts.models import Staff
from foundation.audit import Actor, ActorKind
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.notices import Notice

_LONGEST_NOTE = 500
MOST_TOLD = 20


async def of_campaign(session: AsyncSession, campaign_id: int) -> Review:
    """What is kept about a campaign's review; blank where nobody asked for one yet."""
    return await session.get(Review, campaign_id) or Review(campaign_id=campaign_id)


async def ask(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, note: str,
    editor_id: int | None,
) -> None:  # fmt: skip
    """Keep who asks, and write to the editor who was named, or to all.

    Nobody is written to when it is asked for at the shell, where whoever asks approves it, too.
    Raises `errors.Invalid` for somebody who may not approve.
    """
    people = await approvals.who_may(session)
    named = [each for each in people if each.id == editor_id]
    if editor_id is not None and not named:
        raise errors.Invalid(N_("Choose somebody who may approve it."))
    review = await of_campaign(session, campaign.id)
    review.note = note.strip()[:_LONGEST_NOTE]
    review.asked_by, review.asked_by_id = actor.label, actor.staff_id
    review.asked_at, review.editor_id = ground.clock.now(), editor_id
    session.add(review)
    if actor.kind not in (ActorKind.STAFF, ActorKind.TOKEN):
        return
    others = [each for each in named or people if each.id != actor.staff_id]
    await _write(
        ground, session, others, "review_requested",
        campaign=campaign.name, who=actor.label, note=review.note,
        url=_review_url(ground, campaign.id),
    )  # fmt: skip


async def approve(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, bulletin: Bulletin
) -> Standing:
    """One more approval; with the last that is needed it may go out, and the author is told."""
    reached = await approvals.give(ground, session, actor, campaign, bulletin)
    if not approvals.is_enough(reached, actor):
        await transitions.move(
            ground, session, actor, campaign, Verb.SIGN,
            {"missing": reached.missing}, waiting_reason="",
        )  # fmt: skip
        return reached
    names = ", ".join(each.by for each in reached.given)
    await transitions.move(
        ground, session, actor, campaign, Verb.APPROVE,
        approved_version=bulletin.version, approved_by=names, waiting_reason="",
    )  # fmt: skip
    await _write(
        ground, session, await _author(session, actor, campaign.id), "review_approved",
        campaign=campaign.name, who=names, url=ground.url(f"/staff/campaigns/{campaign.id}"),
    )  # fmt: skip
    return reached


async def returned(
    ground: Ground, session: AsyncSession, actor: Actor, campaign: Campaign, reason: str
) -> None:
    """It was sent back: nobody's approval stands, and the author is told why."""
    await approvals.withdraw(ground, session, campaign.id)
    still_open = await comments.count_open(session, campaign.bulletin_id)
    await _write(
        ground, session, await _author(session, actor, campaign.id), "review_returned",
        campaign=campaign.name, who=actor.label, reason=reason, open=str(still_open),
        url=_review_url(ground, campaign.id),
    )  # fmt: skip


async def name_told(
    ground: Ground, *, actor: Actor, campaign_id: int, typed: Iterable[str]
) -> list[str]:
    """Who is told when the campaign goes out, besides the settings'; returns the addresses.

    Raises `errors.Invalid`, `errors.NotFound`.
    """
    found = list(dict.fromkeys(addresses.parse(each).email for each in typed if each.strip()))
    if len(found) > MOST_TOLD:
        raise errors.Invalid(N_("Name %(most)s addresses at most."), most=MOST_TOLD)
    async with ground.db.transaction() as session:
        campaign = await transitions.get(session, campaign_id)
        review = await of_campaign(session, campaign.id)
        before = review.tell
        review.tell = found
        session.add(review)
        transitions.note(
            ground, session, actor, campaign_id, "told-named",
            before={"tell": before}, after={"tell": found},
        )  # fmt: skip
    return found


async def _author(session: AsyncSession, actor: Actor, campaign_id: int) -> list[Staff]:
    """Who asked for the review, unless that is who acts."""
    review = await of_campaign(session, campaign_id)
    if review.asked_by_id in (None, actor.staff_id):
        return []
    statement = select(Staff).where(
        col(Staff.id) == review.asked_by_id, col(Staff.is_active).is_(True)
    )
    return list((await session.exec(statement)).all())


async def _write(
    ground: Ground, session: AsyncSession, people: Iterable[Staff], kind: str, **context: str
) -> None:
    said: Mapping[str, str] = context
    await ground.notices.queue_all(
        session,
        [Notice(kind=kind, to=each.email, language=each.language, context=said) for each in people],
    )


def _review_url(ground: Ground, campaign_id: int) -> str:
    return ground.url(f"/staff/campaigns/{campaign_id}/review")
