"""Pictures: how heavy and how large they are, and whether their words are any good.

Ours are weighed in the database; those elsewhere by what following them said (`following`).
"""

import re
from collections.abc import Mapping

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import pictures, resolving
from campaigns.compiling import Looked
from campaigns.models import Bulletin, Picture
from campaigns.preflight import items, places
from campaigns.preflight.items import Item, Place
from campaigns.preflight.models import LinkCheck
from foundation.ground import Ground
from foundation.i18n import N_
from templates import content

HEAVY_BYTES = 400 * 1024
TOTAL_BYTES = 1024 * 1024
WIDE_PIXELS = 2 * resolving.PICTURE_WIDTH
"""What a sharp screen shows at most."""
_FILE_NAME = re.compile(
    r"[\w .()-]+\.(?:jpe?g|png|gif|webp|heic)|(?:IMG|DSC|image)[ _-]?\d+", re.IGNORECASE
)


async def look(
    ground: Ground,
    session: AsyncSession,
    bulletin: Bulletin,
    looked: Looked,
    checks: Mapping[str, LinkCheck],
) -> list[Item]:
    """A line for each picture that says nothing or is too heavy, and one for all of them."""
    sources: dict[str, Place] = {}
    found: list[Item] = []
    for language, compiled in looked.editions.items():
        images = [(number, each) for number, of in compiled.blocks for each in content.images(of)]
        for number, image in images:
            place = places.block(bulletin.id, looked, number)
            sources.setdefault(image.src, place)
            if not (image.alt.strip() or image.is_decorative):
                found.append(
                    items.bad(
                        "picture-without-words",
                        N_(
                            "The picture in block %(number)s says nothing in %(language)s to who "
                            "can't see it. Say what it shows, or under Pictures that it only "
                            "decorates."
                        ),
                        place=place, about=f"{language}:{number}:{image.src}",
                        number=number, language=language,
                    )
                )  # fmt: skip
            if _FILE_NAME.fullmatch(image.alt.strip()):
                found.append(
                    items.warn(
                        "picture-words",
                        N_("“%(typed)s” does not say what the picture shows."),
                        place=place, about=f"{language}:{number}", typed=image.alt.strip(),
                    )
                )  # fmt: skip
    weights = await _ours(ground, session, list(sources))
    weights |= _theirs(checks, sources)
    found += [item for src, place in sources.items() for item in _told(src, weights, place)]
    total = sum(size for size, _ in weights.values())
    if total > TOTAL_BYTES:
        found.append(
            items.warn(
                "pictures-heavy",
                N_("All pictures together weigh %(size)s KB: many readers pay for each."),
                place=places.bulletin(bulletin.id),
                size=round(total / 1024),
            )
        )
    if found or not sources:
        return found
    if len(weights) < len(sources):
        return [items.neutral("pictures", N_("Pictures elsewhere were not weighed yet."))]
    return [items.good("pictures", N_("Pictures weigh %(size)s KB."), size=round(total / 1024))]


def _told(src: str, weights: Mapping[str, tuple[int, int]], place: Place) -> list[Item]:
    size, width = weights.get(src, (0, 0))
    found = []
    if size > HEAVY_BYTES:
        found.append(
            items.warn(
                "picture-heavy",
                N_("This picture weighs %(size)s KB; 400 KB are plenty."),
                place=place, about=src, size=round(size / 1024),
            )
        )  # fmt: skip
    if width > WIDE_PIXELS:
        found.append(
            items.warn(
                "picture-wide",
                N_("This picture is %(width)s pixels wide; no mail shows more than %(most)s."),
                place=place, about=src, width=width, most=WIDE_PIXELS,
            )
        )  # fmt: skip
    return found


async def _ours(
    ground: Ground, session: AsyncSession, sources: list[str]
) -> dict[str, tuple[int, int]]:
    """Address → octets and width of pictures that we serve; their content is not read."""
    start = ground.url(pictures.PATH)
    digests = {src.removeprefix(start): src for src in sources if src.startswith(start)}
    statement = sa.select(
        col(Picture.digest), sa.func.length(col(Picture.content)), col(Picture.width)
    ).where(col(Picture.digest).in_(digests))
    rows = (await session.execute(statement)).all() if digests else []
    return {digests[digest]: (size, width) for digest, size, width in rows}


def _theirs(
    checks: Mapping[str, LinkCheck], sources: Mapping[str, Place]
) -> dict[str, tuple[int, int]]:
    return {
        src: (check.size_bytes, check.width)
        for src in sources
        if (check := checks.get(src)) is not None and check.size_bytes is not None
    }
