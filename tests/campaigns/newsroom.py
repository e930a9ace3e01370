"""An issue with what belongs to it, for tests about bulletins and pages."""

import hashlib
import struct
import zlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from campaigns import (
    archiving,
    bulletins,
    calendars,
    compiling,
    development_drafts,
    developments,
    documents,
    issues,
    materials,
    pictures,
)
from campaigns.models import (
    Bulletin,
    Campaign,
    CampaignState,
    Development,
    DevelopmentKind,
    Issue,
    Material,
    PartKind,
)
from campaigns.models import Picture as PictureRow
from delivery.models import Dispatch, DispatchPlan, DispatchState
from foundation import audit
from foundation.audit import Actor, ActorKind
from foundation.ground import Ground

ANA = Actor(kind=ActorKind.STAFF, label="Ana")
BEN = Actor(kind=ActorKind.STAFF, label="Ben")
TITLES = {
    "en": {"title": "Secure Communities", "summary": "A program and what it does."},
    "es": {"title": "Comunidades Seguras", "summary": "Un programa y lo que hace."},
}
PDF = b"%PDF-1.7\nfor tests\n%%EOF\n"


async def issue(ground: Ground, *, slug: str = "secure-communities", **more: Any) -> Issue:
    """A published issue in two languages."""
    draft = issues.IssueDraft(**{"texts": TITLES, "is_published": True, **more})
    return await issues.create(ground, actor=audit.SYSTEM, slug=slug, draft=draft)


async def parts(ground: Ground, of: Issue) -> None:
    """One part of each kind, two for the process."""
    await issues.replace_parts(
        ground,
        actor=audit.SYSTEM,
        issue_id=of.id,
        drafts=[
            part(PartKind.PROCESS, "Without", "Sin", key="without"),
            part(PartKind.PROCESS, "With", "Con", key="with"),
            part(
                PartKind.FIGURE,
                "Boston",
                "Boston",
                key="boston-none",
                value="53%",
                source_name="MIRA",
                source_url="https://mira.example/",
            ),
            part(PartKind.POSITION, "We stand against it", "Nos oponemos"),
            part(PartKind.REASON, "It misses", "No alcanza"),
            part(PartKind.QUESTION, "Is it an order?", "¿Es una orden?"),
            part(PartKind.PROGRAM, "Legal help", "Ayuda legal", url="https://help.example/"),
            part(PartKind.LINK, "Photos", "Fotos", url="https://photos.example/"),
        ],
    )


def part(kind: PartKind, english: str, spanish: str, **more: str) -> issues.PartDraft:
    """A part in two languages; its body repeats the title."""
    texts = {
        "en": {"title": english, "body": f"<p>{english}, in full.</p>"},
        "es": {"title": spanish, "body": f"<p>{spanish}, completo.</p>"},
    }
    return issues.PartDraft(kind=kind, texts=texts, **more)


def news(
    headline: str = "A meeting in Chelsea",
    *,
    spanish: str | None = "Una reunión en Chelsea",
    day: date = date(2026, 10, 20),
    **more: Any,
) -> development_drafts.Draft:
    """What happened, in one or two languages."""
    texts = {"en": {"headline": headline, "summary": f"<p>{headline}: told.</p>"}}
    if spanish:
        texts["es"] = {"headline": spanish, "summary": f"<p>{spanish}: contado.</p>"}
    values: dict[str, Any] = {
        "kind": DevelopmentKind.PUBLIC_MEETING,
        "happened_on": day,
        "texts": texts,
        "place": "Chelsea",
        "source_name": "The Paper",
        "source_url": "https://paper.example/story",
        "is_published": True,
    }
    return development_drafts.Draft(**(values | more))


async def development(ground: Ground, of: Issue, draft: development_drafts.Draft) -> Development:
    """A development of an issue."""
    return await developments.add(ground, actor=audit.SYSTEM, issue_id=of.id, draft=draft)


async def handout(
    ground: Ground, of: Issue, *, slug: str = "intake-form", languages: tuple[str, ...] = ("en",)
) -> Material:
    """A handout with a PDF in some languages."""
    texts = {
        "en": {"title": "The intake form", "description": "Line by line."},
        "es": {"title": "La ficha de ingreso", "description": "Renglón por renglón."},
    }
    made = await materials.add(
        ground,
        actor=audit.SYSTEM,
        issue_id=of.id,
        slug=slug,
        draft=materials.Draft(texts=texts),
    )
    for code in languages:
        await materials.put_file(
            ground,
            actor=audit.SYSTEM,
            material_id=made.id,
            language=code,
            file_name=f"form-{code}.pdf",
            content=PDF + code.encode(),
        )
    return made


def png(width: int = 40, height: int = 20, *, extra: bytes = b"") -> bytes:
    """A real PNG; `extra` chunks stand before its pixels."""
    rows = b"".join(b"\x00" + b"\x8c\x2f\x1b" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


async def picture(ground: Ground, file_name: str = "figures.png") -> PictureRow:
    """A picture that was uploaded."""
    return await pictures.add(ground, actor=audit.SYSTEM, file_name=file_name, content=png())


async def old_picture(ground: Ground, content: bytes, width: int) -> str:
    """A picture as it was kept before they were made smaller; its digest."""
    digest = hashlib.sha256(content).hexdigest()
    async with ground.db.transaction() as session:
        session.add(
            PictureRow(
                digest=digest,
                file_name="old.png",
                media_type="image/png",
                width=width,
                height=1,
                content=content,
                created_at=ground.clock.now(),
            )
        )
    return digest


def written(**changes: Any) -> documents.Document:
    """A bulletin in two languages with one text."""
    values: dict[str, Any] = {
        "name": "October",
        "issue": "secure-communities",
        "default_language": "en",
        "editions": {
            "en": {"subject": "What happened", "preheader": "In October"},
            "es": {"subject": "Lo que pasó", "preheader": "En octubre"},
        },
        "blocks": [text_block("Hello", "Hola")],
    }
    return documents.parse(values | changes)


def text_block(english: str, spanish: str = "", **more: str) -> Mapping[str, Any]:
    """A text block's values."""
    texts = {"en": {"html": f"<p>{english}</p>"}}
    if spanish:
        texts["es"] = {"html": f"<p>{spanish}</p>"}
    return {"kind": "rich_text", "texts": texts, **more}


async def bulletin(ground: Ground, document: documents.Document | None = None) -> Bulletin:
    """A bulletin that was kept."""
    return await bulletins.create(ground, actor=ANA, document=document or written())


async def sent(
    ground: Ground,
    *,
    slug: str = "october",
    document: documents.Document | None = None,
    **more: Any,
) -> Campaign:
    """A bulletin that went out, with its frozen plans."""
    written_down = await bulletin(ground, document)
    now = ground.clock.now()
    values: dict[str, Any] = {"state": CampaignState.SENT, "archive_slug": slug} | more
    async with ground.db.transaction() as session:
        campaign = Campaign(
            bulletin_id=written_down.id, name="October", created_at=now, updated_at=now, **values
        )
        session.add(campaign)
        await session.flush()
        dispatch = Dispatch(
            campaign_id=campaign.id,
            name="October",
            state=DispatchState.SENT,
            from_name="x",
            from_address="x@coalition.example",
            default_language="en",
            started_at=now,
        )
        session.add(dispatch)
        await session.flush()
        made = await compiling.compile_editions(ground, session, written_down)
        for code, each in made.items():
            frozen = each.plan.freeze()
            session.add(DispatchPlan(dispatch_id=dispatch.id, language=code, plan=frozen))
        await calendars.keep(ground, session, campaign=campaign, bulletin=written_down)
        await archiving.keep(
            ground,
            session,
            campaign=campaign,
            dispatch_id=dispatch.id,
            archive_url=ground.url(f"/archive/{slug}"),
            editions=made.values(),
        )
    return campaign
