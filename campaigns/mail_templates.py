"""The site's own mail templates: only one without flaws is kept, so none can break a mail.

A change shows in every bulletin that is not sent yet, and withdraws its approval (`remaking.py`).
Should one stop working when Handbill becomes newer, the usual template stands in
(`compiling.py`).
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import mail_template_uses, naming, remaking, sample_mail
from campaigns.mail_template_models import MailTemplate, MailTemplateVersion
from foundation import audit, errors, looks
from foundation.audit import Actor
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from templates import content, own_templates, problems, typesetting
from templates.own_templates import Flaw
from templates.plan import Plan

_VERSIONS = 100
_ADDRESS = "Hb 4711 Postal Address"
_SLOT = "https://slot.example/"


class Flawed(errors.Invalid):
    """A template that can't be kept; `flaws` says why, by line."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        problem = errors.Invalid(N_("The template can't be used like this."))
        super().__init__(problem.msgid, fields={"source": problem})
        self.flaws = flaws


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """A template that was kept, and what came of it."""

    template: MailTemplate
    remade: int = 0
    """How many bulletins that are still to be sent are set anew."""


def original(name: content.Template) -> str:
    """The source of a template that Handbill brings along, to begin with."""
    return (typesetting.MAIL / f"{name.value}.mjml").read_text(encoding="utf-8")


def flaws(ground: Ground, source: str) -> list[Flaw]:
    """Everything wrong with a source: what it says, and what a mail that is set in it lacks."""
    found = own_templates.flaws(source)
    if found:
        return found
    for language in ground.catalog.languages:
        speaks = ground.translator(language)
        try:
            plan = _sample(ground, speaks, source)
        except problems.TemplateProblem as problem:
            said = errors.Invalid(
                N_("This is not understood: %(detail)s"), fields=None, detail=problem.detail
            )
            return [Flaw(line=problem.line, problem=said)]
        missing = list(_missing(plan, speaks))
        if missing:
            return [Flaw(line=0, problem=errors.Invalid(each)) for each in missing]
    return []


async def create(ground: Ground, *, actor: Actor, name: str, source: str) -> MailTemplate:
    """Keep a template under a name. Raises `Flawed`, `errors.Invalid`."""
    name, source = naming.named(name), _checked(ground, source)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        made = MailTemplate(
            key=await _key(session, name),
            name=name,
            source=source,
            updated_by=actor.label,
            updated_at=now,
        )
        session.add(made)
        await session.flush()
        _log(ground, session, actor, made, "created", before={}, after={"name": name})
    return made


async def save(
    ground: Ground, *, actor: Actor, template_id: int, version: int, name: str, source: str
) -> Saved:
    """Change a template that was seen at `version`; the state before is kept.

    Raises `Flawed`, `errors.Invalid`, `errors.NotFound`, and `errors.Conflict` when somebody else
    changed it meanwhile.
    """
    name, source = naming.named(name), _checked(ground, source)
    now = ground.clock.now()
    async with ground.db.transaction() as session:
        template = await get(session, template_id)
        earlier = MailTemplateVersion(
            template_id=template.id,
            version=template.version,
            name=template.name,
            source=template.source,
            saved_by=template.updated_by,
            saved_at=template.updated_at,
        )
        claimed = await session.execute(
            sa.update(MailTemplate)
            .where(col(MailTemplate.id) == template_id, col(MailTemplate.version) == version)
            .values(
                version=version + 1,
                name=name,
                source=source,
                updated_by=actor.label,
                updated_at=now,
            )
            .returning(col(MailTemplate.id))
        )
        if claimed.first() is None:
            raise errors.Conflict(
                N_("Somebody else changed this template meanwhile. What you wrote is still here.")
            )
        session.add(earlier)
        await session.refresh(template)
        _log(
            ground, session, actor, template, "saved",
            before={"name": earlier.name, "version": version},
            after={"name": name, "version": version + 1},
        )  # fmt: skip
        remade = 0
        if source != earlier.source:
            used = await mail_template_uses.bulletins(session, template_id)
            remade = await remaking.remake(
                ground,
                session,
                actor=actor,
                bulletin_ids=[each.id for each in used],
                because=f"template {template.key}",
            )
    return Saved(template=template, remade=remade)


async def restore(
    ground: Ground, *, actor: Actor, template_id: int, version: int, wanted: int
) -> Saved:
    """Make an earlier version the newest again. Raises as `save`."""
    async with ground.db.reading() as session:
        earlier = await session.get(MailTemplateVersion, (template_id, wanted))
    if earlier is None:
        raise errors.NotFound(N_("There is no such version of this template."))
    return await save(
        ground,
        actor=actor,
        template_id=template_id,
        version=version,
        name=earlier.name,
        source=earlier.source,
    )


async def delete(ground: Ground, *, actor: Actor, template_id: int) -> None:
    """Take away a template that no bulletin is set in. Raises `errors.Refused`."""
    async with ground.db.transaction() as session:
        template = await get(session, template_id)
        used = await mail_template_uses.bulletins(session, template_id)
        if used:
            raise errors.Refused(
                N_("Bulletins are set in it: %(names)s. Give them another look first."),
                names=", ".join(f"“{each.name}”" for each in used[:5]),
            )
        _log(
            ground, session, actor, template, "deleted",
            before={"name": template.name, "source": template.source}, after={},
        )  # fmt: skip
        await session.delete(template)


async def get(session: AsyncSession, template_id: int) -> MailTemplate:
    """A template by its number. Raises `errors.NotFound`."""
    found = await session.get(MailTemplate, template_id)
    if found is None:
        raise errors.NotFound(N_("There is no such template."))
    return found


async def listed(session: AsyncSession) -> Sequence[MailTemplate]:
    """All templates of the site's own, by name."""
    statement = select(MailTemplate).order_by(col(MailTemplate.name), col(MailTemplate.id))
    return (await session.exec(statement)).all()


async def versions(session: AsyncSession, template_id: int) -> Sequence[MailTemplateVersion]:
    """Earlier states, newest first."""
    statement = (
        select(MailTemplateVersion)
        .where(col(MailTemplateVersion.template_id) == template_id)
        .order_by(col(MailTemplateVersion.version).desc())
        .limit(_VERSIONS)
    )
    return (await session.exec(statement)).all()


async def sample(ground: Ground, speaks: Translator, source: str) -> Plan:
    """The sample mail in a template, in the look of the site. Raises `Flawed`."""
    found = flaws(ground, source)
    if found:
        raise Flawed(found)
    async with ground.db.reading() as session:
        look = await looks.current(session)
    brand = content.Brand.from_site(ground.settings.site, look, language=speaks.language)
    return sample_mail.plan(brand, speaks, own_template=source)


def _sample(ground: Ground, speaks: Translator, source: str) -> Plan:
    """The sample with a postal address that can be found again."""
    brand = dataclasses.replace(
        content.Brand.from_site(ground.settings.site), postal_address=_ADDRESS
    )
    return sample_mail.plan(brand, speaks, own_template=source)


def _missing(plan: Plan, speaks: Translator) -> Iterator[str]:
    """What every bulletin has to hold and this one does not."""
    html = plan.html({name: f"{_SLOT}{name}" for name in plan.slot_names})
    if f'href="{_SLOT}unsubscribe_url"' not in html:
        yield N_("The way out is missing: a link to {{ page.unsubscribe_url }}.")
    if f'href="{_SLOT}view_url"' not in html:
        yield N_("The link to read it in a browser is missing: {{ page.view_url }}.")
    if _ADDRESS not in html:
        yield N_("The postal address is missing: {{ frame.brand.postal_address }}.")
    if any(speaks.gettext(words) not in html for words in sample_mail.WORDS):
        yield N_("Blocks are missing: {{ blocks.all(page.parts) }} sets all of them.")
    if html.count(f"{_SLOT}open_pixel_url") != 1:
        yield N_("The image that counts who opened it has to be there once: {{ page.pixel }}.")


def _checked(ground: Ground, source: str) -> str:
    source = source.replace("\r\n", "\n").strip() + "\n"
    found = flaws(ground, source)
    if found:
        raise Flawed(found)
    return source


async def _key(session: AsyncSession, name: str) -> str:
    taken = set((await session.exec(select(MailTemplate.key))).all()) | set(content.Template)
    return naming.key(name, taken=taken, otherwise="template")


def _log(
    ground: Ground, session: AsyncSession, actor: Actor, template: MailTemplate, verb: str, *,
    before: dict[str, object], after: dict[str, object],
) -> None:  # fmt: skip
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=f"mail_template.{verb}",
        object_kind="mail_template",
        object_id=template.id,
        before=before,
        after=after,
    )
