"""Whether every handout of a bulletin has a file in each of the bulletin's languages."""

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import block_models, materials
from campaigns.compiling import Looked
from campaigns.models import Material
from campaigns.preflight import items, places
from campaigns.preflight.items import Item
from foundation import errors
from foundation.i18n import N_


async def look(session: AsyncSession, looked: Looked) -> list[Item]:
    """A line for each handout and language that is missing; none for a bulletin without any."""
    found: list[Item] = []
    blocks = [each for each in looked.document.blocks if isinstance(each, block_models.Material)]
    for block in blocks:
        try:
            material = await materials.by_slug(session, block.material)
        except errors.NotFound:
            continue  # the compiler says so
        files = await materials.copies(session, [material.id])
        there = {_base(each.language) for each in files}
        missing = [each for each in looked.document.languages if _base(each) not in there]
        found.extend(
            _missing(
                material,
                each,
                is_left_out=block.only_translated or looked.document.only_translated,
            )
            for each in (missing if there else ())
        )
    if blocks and not found:
        found.append(
            items.good("handouts", N_("Every handout has a file in each of the languages."))
        )
    return found


def _missing(material: Material, language: str, *, is_left_out: bool) -> Item:
    title = next((each["title"] for each in material.texts.values() if each.get("title")), "")
    said = (
        N_("The handout “%(title)s” has no file in %(language)s and is left out there.")
        if is_left_out
        else N_("The handout “%(title)s” has no file in %(language)s: readers get another.")
    )
    return items.warn(
        "handout-without-language",
        said,
        place=places.handout(material),
        about=f"{material.slug}:{language}",
        title=title or material.slug,
        language=language,
    )


def _base(language: str) -> str:
    return language.partition("-")[0].lower()
