"""What a campaign's page shows of its review, and of the moments before it goes out."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import alert_release, approvals, comments, reviewing, wording
from campaigns.approvals import FACET_WORDS, Standing
from campaigns.campaign_views import View
from campaigns.documents import Document
from campaigns.models import CampaignState
from campaigns.review_models import Approval, Review
from foundation.accounts.models import Role
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.web import kit

_ABOUT_TO_S = 600
"""In the last minutes before it starts by itself, a scheduled campaign counts down, too."""


@frozen
class Countdown:
    """How long until it begins by itself, and can be undone."""

    seconds: int
    of_seconds: int
    is_start: bool
    """Somebody pressed Start; else it was scheduled."""


@frozen
class Panel:
    """What the panel shows to somebody."""

    kept: Review
    editor: str
    """Whom it was given to; blank: any editor."""
    editors: Sequence[tuple[str, str]]
    """Whom it can be given to: number and name."""
    standing: Standing
    void: Approval | None
    """The approval given last, where a change voided it."""
    changed: Sequence[str]
    """What changed since the last approval, in words."""
    open_comments: int
    may_approve: bool
    """Whether the approval of whoever looks would count, and was not given."""
    is_author: bool
    takes_two: bool
    """It is an alert that two people release."""
    countdown: Countdown | None
    may_name: bool
    always_told: Sequence[str]
    """Addresses of the settings."""


async def panel(request: web.Request, session: AsyncSession, view: View) -> Panel:
    """The panel for whoever is signed in."""
    ground, speaks = kit.ground(request), kit.translator(request)
    me, role = kit.actor(request), kit.signed_in(request).role
    campaign = view.campaign
    standing = await approvals.standing(ground, session, campaign, view.bulletin)
    review = await reviewing.of_campaign(session, campaign.id)
    names = {each.id: each.name or each.email for each in standing.people}
    void = standing.last if standing.last in standing.void else None
    changed = [speaks.gettext(FACET_WORDS[each]) for each in standing.changed]
    if void is not None and void.bulletin_version != view.bulletin.version:
        changed.insert(0, speaks.gettext(N_("the bulletin")))
    return Panel(
        kept=review,
        editor=names.get(review.editor_id or 0, ""),
        editors=[(str(number), name) for number, name in names.items() if number != me.staff_id],
        standing=standing,
        void=void,
        changed=changed,
        open_comments=await comments.count_open(session, view.bulletin.id),
        may_approve=standing.may(me)
        and (me.label, me.staff_id) not in {(each.by, each.staff_id) for each in standing.given},
        is_author=standing.authors.include(me.label, me.staff_id),
        takes_two=alert_release.takes_two(ground, view.bulletin),
        countdown=_countdown(request, view),
        may_name=role.may(Role.EDITOR) and campaign.state != CampaignState.CANCELLED,
        always_told=ground.settings.release.tell,
    )


async def remarks(
    request: web.Request, bulletin_id: int, document: Document, *, back: int = 0
) -> dict[str, Any]:
    """What `bulletins/staff/_comments.html` needs; `back` is the campaign whose review it is on."""
    speaks = kit.translator(request)
    async with kit.ground(request).db.reading() as session:
        found = await comments.of_bulletin(
            session, bulletin_id, [block.id for block in document.blocks]
        )
    languages = [(code, wording.language_name(code, speaks)) for code in document.languages]
    return {
        "remarks": found,
        "remarks_back": back,
        "remarks_bulletin": bulletin_id,
        "may_remark": kit.signed_in(request).role.may(Role.TRANSLATOR),
        "remark_languages": [("", speaks.gettext(N_("every language"))), *languages],
    }


def _countdown(request: web.Request, view: View) -> Countdown | None:
    campaign, now = view.campaign, kit.ground(request).clock.now()
    if campaign.state != CampaignState.SCHEDULED or campaign.scheduled_at is None:
        return None
    seconds = (campaign.scheduled_at - now).total_seconds()
    if campaign.undo_from is None and seconds > _ABOUT_TO_S:
        return None
    window = _ABOUT_TO_S
    if campaign.undo_from is not None:
        window = round((campaign.scheduled_at - campaign.undo_from).total_seconds())
    return Countdown(
        seconds=max(0, round(seconds)),
        of_seconds=window,
        is_start=campaign.undo_from is not None,
    )
