"""Makes the sample coalition's site: staff, topics, issue, developments, materials, forms."""

import asyncio
import functools
from datetime import UTC, datetime, time, timedelta

import sqlalchemy as sa

from campaigns import development_drafts, developments, issues, materials, pictures
from campaigns.models import DevelopmentKind, PartKind
from foundation.accounts import team
from foundation.accounts.models import Role, Staff
from foundation.audit import COMMAND, Actor, ActorKind
from handbill.demo import handouts
from handbill.demo.content import Part
from handbill.demo.scene import Scene
from subscribers import forms, gatherings, partners, topics
from subscribers.models import Partner, TopicKind

OWNER_EMAIL = "ines@baystateneighbors.example"
_STAFF = (
    (Role.OWNER, "Inés Quiroga", OWNER_EMAIL),
    (Role.EDITOR, "Walter Brandt", "walter@baystateneighbors.example"),
    (Role.AUTHOR, "Thuy Pham", "thuy@baystateneighbors.example"),
)

_FIGURES_SHOW = {
    "en": "Two bars: 53% of those deported from Boston had no conviction, "
    "28% in the whole country.",
    "es": "Dos barras: el 53% de las personas deportadas desde Boston no tenía condena; "
    "el 28% en todo el país.",
}


async def add_staff(scene: Scene) -> None:
    """Three people of the office."""
    for role, name, email in _STAFF:
        await team.add(scene.ground, actor=COMMAND, email=email, role=role, name=name)
    async with scene.ground.db.transaction() as session:
        # They have been here for a while.
        await session.execute(sa.update(Staff).values(joined_at=scene.ground.clock.now()))
    for person in await team.everybody(scene.ground):
        scene.staff[person.role] = Actor(
            kind=ActorKind.STAFF, label=person.name, staff_id=person.id
        )


async def add_issue(scene: Scene) -> int:
    """Topics, and the page on Secure Communities with all its parts; returns the issue's number."""
    ground, sample = scene.ground, scene.sample
    async with ground.db.transaction() as session:
        for topic in sample.coalition.topics:
            await topics.ensure(
                session,
                slug=topic.slug,
                kind=TopicKind(topic.kind),
                texts=topic.texts,
                now=ground.clock.now(),
            )
    issue = await issues.create(
        ground,
        actor=scene.staff[Role.EDITOR],
        slug=sample.issue.slug,
        draft=issues.IssueDraft(texts=sample.issue.texts, is_published=True),
    )
    await issues.replace_parts(
        ground, actor=scene.staff[Role.AUTHOR], issue_id=issue.id, drafts=_parts(scene)
    )
    return issue.id


async def add_materials(scene: Scene, *, issue_id: int) -> None:
    """The handouts, each as a PDF per language, and the picture that a bulletin shows."""
    ground, actor = scene.ground, scene.staff[Role.AUTHOR]
    for sample in scene.sample.materials:
        material = await materials.add(
            ground,
            actor=actor,
            issue_id=issue_id,
            slug=sample.slug,
            draft=materials.Draft(texts=sample.texts),
        )
        for language, handout in sample.handout.items():
            made = await asyncio.to_thread(handouts.pdf, scene.sample, sample, language)
            await materials.put_file(
                ground,
                actor=actor,
                material_id=material.id,
                language=language,
                file_name=handout.file_name,
                content=made,
            )
    picture = await asyncio.to_thread(handouts.picture, scene.sample)
    kept = await pictures.add(ground, actor=actor, file_name="figures.png", content=picture)
    await pictures.describe(
        ground,
        actor=actor,
        picture_id=kept.id,
        alts=_FIGURES_SHOW,
        is_decorative=False,
        focus=(kept.focus_x, kept.focus_y),
    )


def plan_developments(scene: Scene, *, issue_id: int) -> None:
    """Each is written down at noon of its day; those from before the office was, at once.

    Noon is before whatever bulletin names it, at whichever hour the demo is begun.
    """
    for sample in scene.sample.developments:
        noon = datetime.combine(sample.date, time(12), tzinfo=UTC)
        draft = development_drafts.Draft(
            kind=DevelopmentKind(sample.kind),
            happened_on=sample.date,
            texts=sample.texts,
            place=sample.place,
            source_name=sample.source_name,
            source_url=sample.source_url,
            key=sample.key,
            is_published=True,
        )
        act = functools.partial(
            developments.add,
            scene.ground,
            actor=scene.staff[Role.AUTHOR],
            issue_id=issue_id,
            draft=draft,
        )
        scene.timeline.add(max(noon, scene.clock.now()), act)


async def add_forms(scene: Scene, *, partner_origin: str) -> Partner:
    """The site's own form, and the partner with the form on its page, which is given back."""
    coalition = scene.sample.coalition
    actor = scene.staff[Role.EDITOR]
    partner = await partners.create(
        scene.ground,
        actor=actor,
        details=partners.Details(
            name=coalition.partner.name,
            key=coalition.partner_key,
            origins=[partner_origin],
            languages=list(scene.ground.catalog.languages),
        ),
    )
    for form in coalition.forms:
        await forms.create(
            scene.ground,
            actor=actor,
            details=forms.Details(
                slug=form.slug,
                name=form.name,
                topics=form.topics,
                asks=form.asks,
                texts=form.texts,
                origins=[partner_origin] if form.partner else [],
                partner_id=partner.id if form.partner else None,
                shares=[partner.id] if form.partner else [],
            ),
        )
    return partner


def _parts(scene: Scene) -> list[issues.PartDraft]:
    issue = scene.sample.issue
    drafts = [
        *_plain(PartKind.PROCESS, issue.process),
        *_plain(PartKind.POSITION, [issue.position]),
        *_plain(PartKind.REASON, issue.reasons),
    ]
    drafts += [
        issues.PartDraft(
            kind=PartKind.FIGURE,
            key=figure.key,
            value=figure.value,
            source_name=figure.source_name,
            source_url=figure.source_url,
            texts=figure.texts,
        )
        for figure in issue.figures
    ]
    return [
        *drafts,
        *_plain(PartKind.QUESTION, issue.questions),
        *_plain(PartKind.PROGRAM, issue.programs),
        *_plain(PartKind.LINK, issue.links),
    ]


def _plain(kind: PartKind, parts: list[Part]) -> list[issues.PartDraft]:
    return [
        issues.PartDraft(kind=kind, key=part.key, url=part.url, texts=part.texts) for part in parts
    ]


async def add_gathering(scene: Scene) -> None:
    """A table at a market next week, with a sheet to print and a form for a tablet."""
    await gatherings.create(
        scene.ground,
        actor=scene.staff[Role.EDITOR],
        details=gatherings.Details(
            name="Lynn farmers' market",
            code="lynn-market",
            day=(scene.now + timedelta(days=6)).date(),
            languages=["en", "es"],
        ),
    )
