"""The page on which a bulletin is composed, as every handler that changes it shows it again."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    block_forms,
    block_models,
    bulletins,
    composer,
    preview_pages,
    readers,
    review_panel_pages,
    sections,
    shortening_pages,
    somebody,
    staff_forms,
    translating,
    wording,
)
from campaigns.composing import Saved
from campaigns.documents import Document
from campaigns.preflight import audience as about_audience
from campaigns.preflight import checklist, items
from campaigns.preflight.items import Where
from foundation import errors
from foundation.accounts.models import Role
from foundation.findings import Tone
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.web import kit
from templates import content

_TO_LOOK_AT = (Tone.BAD, Tone.WARN)
TEMPLATE_WORDS = {
    content.Template.BULLETIN: (N_("Bulletin"), N_("A regular one, with several parts")),
    content.Template.ALERT: (N_("Alert"), N_("A short call to do one thing now")),
}


async def render(
    request: web.Request,
    *,
    problem: errors.HandbillError | None = None,
    step: Saved | None = None,
    opened: str = "",
    said: str = "",
) -> web.Response:
    """The page; after a change by script with the `step` that it was, and the block to open."""
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, kit.number_in_path(request))
        looked, found = await checklist.of_bulletin(ground, session, bulletin)
        campaigns = await bulletins.campaigns_of(session, bulletin.id)
        entries = {
            each.id: await shortening_pages.entries(ground, session, looked.document, each, speaks)
            for each in looked.document.blocks
        }
        is_counted = "count" in request.query
        seen = await _seen(ground, session, looked.document) if is_counted else {}
    document = looked.document
    role = kit.signed_in(request).role
    return kit.render(
        request,
        "bulletins/staff/compose.html",
        status=409 if problem else 200,
        bulletin=bulletin,
        document=document,
        entries=entries,
        blocks=[_shown_block(each, document, speaks) for each in document.blocks],
        seen={number: each.say(speaks) for number, each in seen.items()},
        is_counted=is_counted,
        block_forms=block_forms.FORMS,
        findings=[(each, each.say(speaks)) for each in found if each.tone in _TO_LOOK_AT],
        attention={_block_of(each) for each in found if each.tone in _TO_LOOK_AT},
        progress=translating.progress(document),
        waiting=translating.by_block(document),
        may_translate=role.may(Role.TRANSLATOR),
        campaigns=campaigns,
        templates=TEMPLATE_WORDS,
        problems=staff_forms.say(request, problem) if problem else {},
        offered=[
            (code, wording.language_name(code, speaks))
            for code in preview_pages.editions_of(document)
        ],
        start=composer.START,
        step=step,
        opened=opened,
        said=said,
        may_write=role.may(Role.AUTHOR),
        may_delete=role.may(Role.EDITOR),
        **await review_panel_pages.remarks(request, bulletin.id, document),
    )


async def _seen(
    ground: Ground, session: AsyncSession, document: Document
) -> Mapping[int, items.Item]:
    """Of blocks that are for some: how many of those whom the bulletin is for it is."""
    try:
        audience = somebody.audience_of(document)
        counted = await sections.count(ground, session, document=document, audience=audience)
    except errors.Invalid:
        return {}  # an issue without a topic, or one that is gone
    return {each.number: about_audience.section(each) for each in counted.blocks}


def _block_of(item: items.Item) -> int:
    """The block that something is about, from 1; 0 for what is about none."""
    if item.place and item.place.where is Where.BLOCK:
        return int(item.place.name)
    return item.finding.block if item.finding else 0


def _shown_block(block: block_models.AnyBlock, document: Document, speaks: Any) -> dict[str, Any]:
    return {
        "id": block.id,
        "kind": block.kind,
        "about": composer.about(block, speaks),
        "glance": composer.excerpt(block, document.default_language)[:60],
        "seen_by": readers.words(block, speaks),
        "texts": [(code, composer.excerpt(block, code)) for code in document.languages],
        "has_texts": block.kind in block_forms.WORDED
        or any(composer.excerpt(block, code) for code in document.languages),
    }
