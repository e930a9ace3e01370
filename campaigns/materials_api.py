"""Handouts for programs: which there are, and how often each was taken."""

from pydantic import BaseModel

from campaigns import material_counts, materials
from campaigns.models import Material
from foundation.accounts.api_tokens import Scope
from foundation.web.api import Call, Endpoint, Page


class MaterialOut(BaseModel):
    """A handout; `texts` by language, `files` by language with their addresses."""

    id: int
    issue_id: int
    slug: str
    texts: dict[str, dict[str, str]]
    files: dict[str, str]


class TakenOut(BaseModel):
    """How often one was taken in a language by one way.

    `campaign_id` is there where a mail's link led to it; below zero for the welcome.
    """

    source: str
    campaign_id: int | None
    name: str
    language: str
    people: int
    machines: int


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, tag = Scope.READ, "Materials"
    return [
        Endpoint(method="GET", path="/materials", handler=list_materials, scope=read, tag=tag,
                 summary="List handouts", answer=Page[MaterialOut]),
        Endpoint(method="GET", path="/materials/{id}/taken", handler=show_taken, scope=read,
                 tag=tag, summary="How often a handout was taken, and by which way",
                 answer=Page[TakenOut]),
    ]  # fmt: skip


async def list_materials(call: Call) -> Page[MaterialOut]:
    """All at once, in the order of their issues."""
    async with call.ground.db.reading() as session:
        found = await materials.listed(session)
        files = await materials.copies(session, [each.id for each in found])
    told: dict[int, dict[str, str]] = {}
    for file in files:
        address = call.ground.url(materials.path(file)) if file.digest else file.url
        told.setdefault(file.material_id, {})[file.language] = address
    return Page(items=[_material(each, told.get(each.id, {})) for each in found], next=None)


async def show_taken(call: Call) -> Page[TakenOut]:
    """Sums alone; machines are told from people by the rules for clicks."""
    counts = await material_counts.of_material(call.ground, material_id=call.number())
    return Page(
        items=[
            TakenOut(
                source=each.source.value,
                campaign_id=each.campaign_id,
                name=each.name,
                language=each.language,
                people=each.human,
                machines=each.machine,
            )
            for each in counts
        ],
        next=None,
    )


def _material(material: Material, files: dict[str, str]) -> MaterialOut:
    return MaterialOut(
        id=material.id,
        issue_id=material.issue_id,
        slug=material.slug,
        texts=material.texts,
        files=files,
    )
