"""The site's own mail templates: only one without flaws is kept, so none can break a mail.

A change shows in every bulletin that is not sent yet, and withdraws its approval (`remaking.py`).
Should one stop working when Handbill becomes newer, the usual template stands in
(`compiling.py`).
"""

import dataclasses
from collections.abc import Iterator, Sequence

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import mail_template_uses, naming, sample_mail, shared_parts
from campaigns.mail_template_models import MailTemplate, MailTemplateVersion
from foundation import errors, looks
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from templates import content, own_templates, problems, typesetting
from templates.own_templates import Flaw
from templates.plan import Plan

KIND = shared_parts.Kind(
    name="mail_template",
    table=MailTemplate,
    versions=MailTemplateVersion,
    owner="template_id",
    content="source",
    uses=mail_template_uses.bulletins,
    unknown=N_("There is no such template."),
    gone=N_("There is no such version of this template."),
    changed=N_("Somebody else changed this template meanwhile. What you wrote is still here."),
    held=N_("Bulletins are set in it: %(names)s. Give them another look first."),
)
_ADDRESS = "Hb 4711 Postal Address"
_SLOT = "https://slot.example/"


class Flawed(errors.Invalid):
    """A template that can't be kept; `flaws` says why, by line."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        problem = errors.Invalid(N_("The template can't be used like this."))
        super().__init__(problem.msgid, fields={"source": problem})
        self.flaws = flaws


@frozen
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
        shared_parts.log(ground, session, KIND, actor, made, "created", after={"name": name})
    return made


async def save(
    ground: Ground, *, actor: Actor, template_id: int, version: int, name: str, source: str
) -> Saved:
    """Change a template that was seen at `version`; the state before is kept.

    Raises `Flawed`, `errors.Invalid`, `errors.NotFound`, and `errors.Conflict` when somebody else
    changed it meanwhile.
    """
    name, source = naming.named(name), _checked(ground, source)
    values = {"name": name, "source": source}
    async with ground.db.transaction() as session:
        template = await get(session, template_id)
        remade = await shared_parts.save(
            ground, session, KIND, actor=actor, row=template, version=version, values=values
        )
    return Saved(template=template, remade=remade)


async def restore(
    ground: Ground, *, actor: Actor, template_id: int, version: int, wanted: int
) -> Saved:
    """Make an earlier version the newest again. Raises as `save`."""
    earlier = await shared_parts.earlier(ground, KIND, template_id, wanted)
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
        await shared_parts.delete(ground, session, KIND, actor=actor, number=template_id)


async def get(session: AsyncSession, template_id: int) -> MailTemplate:
    """A template by its number. Raises `errors.NotFound`."""
    return await shared_parts.get(session, KIND, template_id)


async def listed(session: AsyncSession) -> Sequence[MailTemplate]:
    """All templates of the site's own, by name."""
    return await shared_parts.listed(session, KIND)


async def versions(session: AsyncSession, template_id: int) -> Sequence[MailTemplateVersion]:
    """Earlier states, newest first."""
    return await shared_parts.versions(session, KIND, template_id)


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
