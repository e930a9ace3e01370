"""A bulletin as a printable handbill: what stands on it, and a press that nobody can wear out.

`archive_pages.py` serves those of the archive, `handbill_pages.py` those of campaigns to staff.
"""

import asyncio
import base64
import hashlib
import io
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import archive, bulletins, campaign_views, compiling, pictures
from campaigns.archive_models import ArchivedEdition
from campaigns.archiving import for_anybody
from campaigns.models import Picture, Visibility
from foundation import errors, looks
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from templates import broadside, handbill, kept, palette, qr
from templates.handbill import Sheet

_KEPT = 64
"""Handbills in memory, of some 100 KB each."""
MOST_WAITING = 12
"""Different ones that may be asked for at once."""
_MOST_PIXELS = 1400
"""On a side of a picture: 300 to the inch in a column."""


@frozen
class Printed:
    """A handbill in one language."""

    pdf: bytes
    file_name: str
    language: str
    made_at: datetime


class Press:
    """Sets handbills one at a time, each once, and keeps the last ones.

    Who asks for one that is being set waits for that. When too many different ones wait already,
    `errors.Busy` is raised, so that nobody can take more than one core of the service.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._being_set: dict[str, asyncio.Task[bytes]] = {}
        self._turn = asyncio.Lock()

    async def pdf(self, sheet: Sheet, *, made_at: datetime) -> bytes:
        """The handbill, from memory if it was set before. Raises `errors.Busy`."""
        key = _key(sheet)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        task = self._being_set.get(key)
        if task is None:
            if len(self._being_set) >= MOST_WAITING:
                raise errors.Busy(
                    N_("Many handbills are being set just now. Try again in a minute.")
                )
            task = asyncio.create_task(self._set(key, sheet, made_at))
            self._being_set[key] = task
        # Whoever leaves meanwhile does not take it from the others.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Wait for what is being set; a thread can't be stopped."""
        await asyncio.gather(*self._being_set.values(), return_exceptions=True)

    async def _set(self, key: str, sheet: Sheet, made_at: datetime) -> bytes:
        try:
            async with self._turn:
                made = await asyncio.to_thread(handbill.pdf, sheet, stamp=int(made_at.timestamp()))
            self._kept[key] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return made
        finally:
            del self._being_set[key]


async def of_archive(ground: Ground, press: Press, *, slug: str, translator: Translator) -> Printed:
    """A bulletin of the archive, in a reader's language or the nearest.

    Raises `errors.NotFound`, `errors.Busy`.
    """
    async with ground.db.reading() as session:
        entry, campaign = await archive.find(session, slug=slug, translator=translator)
        row = await _row(session, entry.dispatch_id, entry.language)
    if row is None or not row.has_blocks:
        raise _not_kept()
    made_at = entry.sent_at
    origin = _Origin(number=campaign.id, url=f"/archive/{slug}", name=slug, made_at=made_at)
    return await _printed(ground, press, row.edition, origin)


async def of_campaign(ground: Ground, press: Press, *, campaign_id: int, language: str) -> Printed:
    """A campaign's bulletin as it went out, or as it stands now, whoever may read it later.

    A blank `language` is the bulletin's first.
    Raises `errors.NotFound`, `errors.Invalid` for one that can't be compiled, `errors.Busy`.
    """
    view = await campaign_views.show(ground, campaign_id=campaign_id)
    campaign, slug = view.campaign, view.campaign.archive_slug
    language = language or next(iter(view.languages), "")
    if language not in view.languages:
        raise _not_kept()
    is_public = campaign.visibility == Visibility.PUBLIC and view.dispatch is not None
    origin = _Origin(
        number=campaign.id,
        url=f"/archive/{slug}" if is_public else "/archive",
        name=slug or f"campaign-{campaign.id}",
        made_at=view.dispatch.started_at if view.dispatch else view.bulletin.updated_at,
    )
    async with ground.db.reading() as session:
        if view.dispatch is not None:
            row = await _row(session, view.dispatch.id, language)
            if row is None or not row.has_blocks:
                raise _not_kept()
            return await _printed(ground, press, row.edition, origin)
        made = await compiling.compile_whole(
            ground, session, bulletins.document_of(view.bulletin), language=language
        )
    edition = made.resolved.edition
    values = for_anybody(ground, ground.url(origin.url), campaign.name, edition.issue_title)
    return await _printed(ground, press, kept.kept(edition, values), origin)


@frozen
class _Origin:
    """What a handbill is of."""

    number: int
    """The campaign's, by which sign-ups from the sheet are told apart."""
    url: str
    """The page where the whole can be read."""
    name: str
    made_at: datetime


async def _printed(
    ground: Ground, press: Press, edition: Mapping[str, Any], origin: _Origin
) -> Printed:
    sheet = await _sheet(ground, edition, origin)
    return Printed(
        pdf=await press.pdf(sheet, made_at=origin.made_at),
        file_name=f"{origin.name}-{sheet.language}.pdf",
        language=sheet.language,
        made_at=origin.made_at,
    )


async def _sheet(ground: Ground, edition: Mapping[str, Any], origin: _Origin) -> Sheet:
    language = edition["language"]
    speaks, site = ground.translator(language), ground.settings.site
    query = {"source": f"handbill-{origin.number}", "lang": language}
    signup = ground.url(f"/subscribe?{urlencode(query)}")
    async with ground.db.reading() as session:
        accent = (await looks.current(session)).accent or site.accent
    code = await asyncio.to_thread(qr.drawn, signup, kind=qr.Kind.SVG)
    return Sheet(
        language=language,
        direction=edition["direction"],
        paper=ground.settings.print.paper,
        accent=palette.light(accent).accent,
        publisher=site.name,
        postal_address=site.postal_address,
        title=edition["title"] or edition["subject"],
        lead=edition["preheader"],
        dateline=speaks.date(origin.made_at),
        issue=edition["issue_title"],
        pieces=broadside.pieces(
            edition,
            pictures=await _pictures(ground, edition),
            translator=speaks,
            whole_url=ground.url(origin.url),
        ),
        page_words=speaks.gettext(N_("Page")),
        invitation=speaks.gettext(N_("Get the bulletin")),
        promise=speaks.gettext(
            N_(
                "News on what matters to you, by e-mail, and nothing else. You can stop it at any "
                "time."
            )
        ),
        signup=signup,
        qr=code.decode(),
        qr_words=speaks.gettext(N_("QR code that leads to the form")),
        continues=f"{ground.url(origin.url)}?lang={language}",
        continues_words=speaks.gettext(N_("This bulletin goes on at:")),
    )


async def _pictures(ground: Ground, edition: Mapping[str, Any]) -> Mapping[str, str]:
    """The bulletin's pictures that are ours, each within an SVG; nothing is fetched elsewhere."""
    own = ground.url(pictures.PATH)
    sources = broadside.sources(edition)
    wanted = {src: src.removeprefix(own) for src in sources if src.startswith(own)}
    if not wanted:
        return {}
    statement = select(Picture).where(col(Picture.digest).in_(list(wanted.values())))
    async with ground.db.reading() as session:
        rows = {each.digest: each for each in (await session.exec(statement)).all()}
    return {
        src: await asyncio.to_thread(_as_svg, rows[digest].content)
        for src, digest in wanted.items()
        if digest in rows
    }


def _as_svg(content: bytes) -> str:
    """A picture no larger than paper shows, within an SVG: data, like all that goes to Typst."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        is_photograph = opened.format == "JPEG"
        image = opened.convert("RGB" if is_photograph else "RGBA")
    image.thumbnail((_MOST_PIXELS, _MOST_PIXELS))
    out = io.BytesIO()
    image.save(out, "JPEG" if is_photograph else "PNG", quality=85)
    kind = "jpeg" if is_photograph else "png"
    octets = base64.b64encode(out.getvalue()).decode()
    width, height = image.size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/{kind};base64,{octets}"/></svg>'
    )


async def _row(session: AsyncSession, dispatch_id: int, language: str) -> ArchivedEdition | None:
    statement = select(ArchivedEdition).where(
        ArchivedEdition.dispatch_id == dispatch_id, ArchivedEdition.language == language
    )
    return (await session.exec(statement)).first()


def _not_kept() -> errors.NotFound:
    return errors.NotFound(N_("There is no handbill of this bulletin in this language."))


def _key(sheet: Sheet) -> str:
    said = json.dumps(asdict(sheet), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
