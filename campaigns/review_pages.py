"""Staff's pages of review: blocks with remarks beside the mails, and alerts that two release."""

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    alert_release,
    audience_pages,
    audiences,
    block_forms,
    bulletins,
    campaign_pages,
    campaign_views,
    check_pages,
    comments,
    composer,
    documents,
    review_changes,
    review_panel_pages,
    reviewing,
    transitions,
    wording,
)
from campaigns.campaign_views import View
from campaigns.documents import Document
from campaigns.models import BulletinVersion, CampaignState
from campaigns.review_changes import Changes
from campaigns.transitions import Verb
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/campaigns/{id}"
    return [
        web.get(f"{one}/review", show),
        web.get(f"{one}/release", ask_release),
        web.post(f"{one}/release", release),
        web.post(f"{one}/tell", tell),
        web.post("/staff/bulletins/{id}/comments", comment),
        web.post("/staff/bulletins/{id}/comments/settle", settle),
    ]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET …/review`: each block with what is said of it, what changed, and the mails beside."""
    return await _review_page(request)


@kit.staff(Role.TRANSLATOR)
async def comment(request: web.Request) -> web.StreamResponse:
    """`POST /staff/bulletins/{id}/comments`: a remark on a block or on all of it, or an answer."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    text = form.text("text", limit=comments.LONGEST)
    block = form.line("block", limit=20)
    language, answers = form.line("language", limit=20), form.number("answers")
    try:
        form.check()
        made = await comments.write(
            kit.ground(request),
            actor=kit.actor(request),
            bulletin_id=number,
            text=text,
            block=block,
            language=language,
            answers_id=answers,
        )
    except errors.Invalid as problem:
        said = next(iter(problem.fields.values()), problem).say(kit.translator(request))
        known = "" if "block" in form.problems else block
        return kit.redirect(request, _back(form, number, known), flash=said)
    return kit.redirect(request, _back(form, number, made.block))


@kit.staff(Role.TRANSLATOR)
async def settle(request: web.Request) -> web.StreamResponse:
    """`POST …/comments/settle`: it is dealt with, or it is not after all."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    found = await comments.settle(
        kit.ground(request),
        actor=kit.actor(request),
        bulletin_id=number,
        comment_id=form.number("comment", default=0) or 0,
        is_settled=form.flag("settled"),
    )
    return kit.redirect(request, _back(form, number, found.block))


@kit.staff(Role.EDITOR)
async def tell(request: web.Request) -> web.StreamResponse:
    """`POST …/tell`: whom to write to when it goes out and when that is done."""
    form = await forms.read(request)
    number = kit.number_in_path(request)
    typed = form.text("tell", limit=2000).replace(",", "\n").split("\n")
    try:
        form.check()
        await reviewing.name_told(
            kit.ground(request), actor=kit.actor(request), campaign_id=number, typed=typed
        )
    except errors.Invalid as problem:
        return await campaign_pages.render_campaign(request, problem)
    words = kit.translator(request).gettext(N_("Saved."))
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


@kit.staff(Role.EDITOR)
async def ask_release(request: web.Request) -> web.StreamResponse:
    """`GET …/release`: the alert as it goes out, and who has confirmed it."""
    return await _release_page(request)


@kit.staff(Role.EDITOR)
async def release(request: web.Request) -> web.StreamResponse:
    """`POST …/release`: confirm it; with the second person it goes out at once."""
    await forms.read(request)
    number = kit.number_in_path(request)
    try:
        is_sent = await alert_release.confirm(
            kit.ground(request), actor=kit.actor(request), campaign_id=number
        )
    except (errors.Refused, errors.Conflict, errors.Invalid) as problem:
        return await _release_page(request, problem)
    if not is_sent:
        return kit.redirect(request, f"/staff/campaigns/{number}/release")
    words = kit.translator(request).gettext(N_("Released: the alert is going out."))
    return kit.redirect(request, f"/staff/campaigns/{number}", flash=words)


async def _review_page(request: web.Request) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        view = await campaign_views.read(session, kit.number_in_path(request))
        document = bulletins.document_of(view.bulletin)
        shown = await review_panel_pages.panel(request, session, view)
        changes = await _changes(session, view, shown, document)
    remarks = await review_panel_pages.remarks(
        request, view.bulletin.id, document, back=view.campaign.id
    )
    role = kit.signed_in(request).role
    return kit.render(
        request,
        "campaigns/review.html",
        view=view,
        campaign=view.campaign,
        bulletin=view.bulletin,
        document=document,
        review=shown,
        changes=changes,
        kind_words=review_changes.KIND_WORDS,
        head_words=review_changes.HEAD_WORDS,
        blocks=[
            {
                "id": block.id,
                "label": block_forms.FORMS[block.kind].label,
                "about": composer.about(block, speaks),
                "texts": [(code, composer.excerpt(block, code)) for code in document.languages],
            }
            for block in document.blocks
        ],
        may={verb.value for verb in view.verbs if role.may(campaign_pages.NEEDS[verb])},
        state_word=transitions.STATE_WORDS[CampaignState(view.campaign.state)],
        tone=campaign_pages.TONES[view.campaign.state],
        language_name=lambda code: wording.language_name(code, speaks),
        **remarks,
    )


async def _release_page(
    request: web.Request, problem: errors.HandbillError | None = None
) -> web.StreamResponse:
    ground, speaks = kit.ground(request), kit.translator(request)
    number = kit.number_in_path(request)
    view = await campaign_views.show(ground, campaign_id=number)
    may_confirm = Verb.APPROVE in view.verbs and alert_release.takes_two(ground, view.bulletin)
    if problem is None and not may_confirm:
        return kit.redirect(request, f"/staff/campaigns/{number}")
    audience = audiences.parse(view.campaign.audience)
    async with ground.db.reading() as session:
        begun = await check_pages.begin(request, session, number)
        said = await audience_pages.sentence(request, session, audience)
    return kit.render(
        request,
        "campaigns/release.html",
        status=409 if problem else 200,
        problem=problem.say(speaks) if problem else "",
        view=view,
        campaign=view.campaign,
        bulletin=view.bulletin,
        document=bulletins.document_of(view.bulletin),
        standing=await alert_release.show(ground, actor=kit.actor(request), campaign_id=number),
        panel=await check_pages.panel(request, begun),
        minutes=ground.settings.release.alert_minutes,
        language_name=lambda code: wording.language_name(code, speaks),
        may_confirm=may_confirm,
        **await audience_pages.told(request, audience, begun.counting, sentence=said),
    )


async def _changes(
    session: AsyncSession, view: View, shown: review_panel_pages.Panel, document: Document
) -> Changes | None:
    """What changed since the last approval; None where nobody gave one, or nothing did."""
    last = shown.standing.last
    if last is None or last.bulletin_version == view.bulletin.version:
        return None
    before = await session.get(BulletinVersion, (view.bulletin.id, last.bulletin_version))
    return review_changes.between(documents.parse(before.document), document) if before else None


def _back(form: forms.Form, bulletin_id: int, block: str) -> str:
    """Where the remark stands: on a campaign's review page, or in the composer."""
    campaign = form.number("back") or 0
    page = f"/staff/campaigns/{campaign}/review" if campaign else f"/staff/bulletins/{bulletin_id}"
    return f"{page}#block-{block}" if block else f"{page}#remarks"
