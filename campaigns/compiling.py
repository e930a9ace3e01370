"""Compiles bulletins to message plans, and says what should be looked at before one goes out.

`work_order.py` compiles with `compile_plans` when a campaign starts; pages and the list before
sending show `concerns`.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins, editions, event_links, readings
from campaigns.documents import Document
from campaigns.findings import Finding
from campaigns.models import Bulletin
from foundation import errors, looks
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from foundation.tokens import Purpose
from templates import compiler, content, problems
from templates.plan import Plan

_NEAR_LIMIT_BYTES = 92 * 1024
"""A little under what Gmail clips, so that a long name does not push a mail over."""

_KEPT = 8
"""Editions compiled last: pages of a campaign are looked at again and again."""


@frozen
class Compiled:
    """One edition, and the plan that was made of it."""

    plan: Plan
    resolved: editions.Resolved
    brand: content.Brand
    """As the site looks in its language."""

    @property
    def language(self) -> str:
        """The edition's."""
        return self.plan.language

    @property
    def blocks(self) -> Sequence[tuple[int, content.Block]]:
        """Its blocks, each with the document's number of it; what some have first is not twice."""
        numbered = zip(self.resolved.numbers, self.resolved.edition.blocks, strict=True)
        return [
            (number, block)
            for number, block in numbered
            if block.shown_to is None or not block.shown_to.is_copy
        ]


@frozen
class Looked:
    """A bulletin that was compiled to be looked at."""

    document: Document
    findings: Sequence[Finding]
    """What stops it comes first."""
    editions: Mapping[str, Compiled] = field(default_factory=dict)
    """Language → those that can be compiled."""


async def compile_plans(
    ground: Ground,
    session: AsyncSession,
    bulletin: Bulletin,
    *,
    campaign_name: str = "",
    archive_url: str = "",
) -> dict[str, Plan]:
    """A message plan for each edition; links are numbered through all of them.

    Raises `errors.Invalid` (a merge field that does not exist, a wrong link, a missing material…)
    with the place in the bulletin.
    """
    made = await compile_editions(
        ground, session, bulletin, campaign_name=campaign_name, archive_url=archive_url
    )
    return {language: each.plan for language, each in made.items()}


async def compile_editions(
    ground: Ground,
    session: AsyncSession,
    bulletin: Bulletin,
    *,
    campaign_name: str = "",
    archive_url: str = "",
) -> dict[str, Compiled]:
    """The same with what each plan was made of. Raises as `compile_plans`."""
    document = bulletins.document_of(bulletin)
    return await compile_document(
        ground,
        session,
        document,
        bulletin_id=bulletin.id,
        campaign_name=campaign_name,
        archive_url=archive_url,
    )


async def compile_document(
    ground: Ground,
    session: AsyncSession,
    document: Document,
    *,
    bulletin_id: int,
    campaign_name: str = "",
    archive_url: str = "",
    first_link: int = 1,
) -> dict[str, Compiled]:
    """Each edition of a bulletin in one form; links are numbered from `first_link` through all."""
    if not document.editions:
        raise errors.Invalid(N_("This bulletin has no edition in any language yet."))
    origin = await event_links.origin(session, bulletin_id)
    made: dict[str, Compiled] = {}
    for language in document.languages:
        made[language] = await compile_whole(
            ground,
            session,
            document,
            origin=origin,
            language=language,
            campaign_name=campaign_name,
            archive_url=archive_url,
            first_link=first_link + sum(len(each.plan.links) for each in made.values()),
        )
    return made


async def compile_one(
    ground: Ground,
    session: AsyncSession,
    document: Document,
    *,
    language: str,
    campaign_name: str = "",
    archive_url: str = "",
    first_link: int = 1,
    origin: int = 0,
) -> Plan:
    """The plan of one edition, or of two stacked; its concerns hold what was noticed.

    Raises as `compile_plans`.
    """
    made = await compile_whole(
        ground,
        session,
        document,
        origin=origin,
        language=language,
        campaign_name=campaign_name,
        archive_url=archive_url,
        first_link=first_link,
    )
    return made.plan


async def compile_whole(
    ground: Ground,
    session: AsyncSession,
    document: Document,
    *,
    language: str,
    campaign_name: str = "",
    archive_url: str = "",
    first_link: int = 1,
    origin: int = 0,
) -> Compiled:
    """The same, with what it was made of; of two stacked editions, the first."""
    if readings.is_stacked(language):
        made = [
            await compile_whole(
                ground, session, document, language=each, campaign_name=campaign_name, origin=origin
            )
            for each in readings.languages_in(language)
        ]
        plans = stack(ground, made, keys=[language], archive_url=archive_url)
        return replace(made[0], plan=plans[language])
    resolved = await editions.resolve(
        ground,
        session,
        document,
        language=language,
        campaign_name=campaign_name,
        origin=origin,
    )
    brand = content.Brand.from_site(
        ground.settings.site, await looks.current(session), language=language
    )
    compiled = functools.partial(
        _plan_of,
        brand=brand,
        archive_url=archive_url or ground.url("/archive"),
        translator=ground.translator(language),
        first_link=first_link,
    )
    try:
        plan = compiled(resolved.edition)
    except problems.ContentProblem as problem:
        raise resolved.in_document(problem) from problem
    except problems.TemplateProblem:
        if not resolved.edition.own_template:
            raise
        resolved = _in_usual_template(resolved, document)
        plan = compiled(resolved.edition)
    noticed = [resolved.numbered(each) for each in plan.concerns]
    whole = replace(plan, concerns=(*noticed, *resolved.findings))
    return Compiled(plan=whole, resolved=resolved, brand=brand)


@functools.lru_cache(maxsize=_KEPT)
def _plan_of(
    edition: content.Edition,
    *,
    brand: content.Brand,
    archive_url: str,
    translator: Translator,
    first_link: int,
) -> Plan:
    """The plan of one edition: it holds for as long as what it is made of, which is all here."""
    return compiler.compile_edition(
        edition, brand, archive_url=archive_url, translator=translator, first_link=first_link
    )


def _in_usual_template(resolved: editions.Resolved, document: Document) -> editions.Resolved:
    """The edition in our own template, where the site's was right once and is no more."""
    unusable = Finding(
        code="template-unusable",
        msgid=N_("The template “%(name)s” can't be used any more; the usual one stands in."),
        values={"name": str(document.template)},
    )
    return replace(
        resolved,
        edition=replace(resolved.edition, own_template=""),
        findings=(*resolved.findings, unusable),
    )


def stack(
    ground: Ground, made: Sequence[Compiled], *, keys: Sequence[str], archive_url: str = ""
) -> dict[str, Plan]:
    """A plan for each of the stacked editions that `keys` name, of editions that were compiled.

    Their links are numbered after those of the editions themselves.
    """
    by_language = {each.language: each for each in made}
    number = 1 + last_link(each.plan for each in made)
    plans: dict[str, Plan] = {}
    for key in keys:
        read = [by_language[language] for language in readings.languages_in(key)]
        plans[key] = compiler.compile_stacked(
            [
                compiler.Spoken(
                    edition=each.resolved.edition,
                    translator=ground.translator(each.language),
                    brand=each.brand,
                )
                for each in read
            ],
            archive_url=archive_url or ground.url("/archive"),
            first_link=number,
        )
        number += len(plans[key].links)
    return plans


def last_link(plans: Iterable[Plan]) -> int:
    """The highest number of a link in some plans; 0 where there is none."""
    return max((link.number for plan in plans for link in plan.links), default=0)


async def concerns(ground: Ground, session: AsyncSession, bulletin: Bulletin) -> list[Finding]:
    """Everything that should be looked at before a bulletin goes out, what stops it first."""
    return list((await look(ground, session, bulletin)).findings)


async def look(ground: Ground, session: AsyncSession, bulletin: Bulletin) -> Looked:
    """The same, with every edition that can be compiled."""
    document = bulletins.document_of(bulletin)
    found: list[Finding] = _about_languages(ground, document)
    origin = await event_links.origin(session, bulletin.id)
    made: dict[str, Compiled] = {}
    for language in document.languages:
        if not document.editions[language].subject.strip():
            found.append(_no_subject(language))
            continue
        try:
            made[language] = await compile_whole(
                ground, session, document, language=language, origin=origin
            )
        except errors.HandbillError as problem:
            found.append(_from_error(problem, language))
            continue
        found.extend(_from_plan(ground, made[language].plan, language))
    return Looked(
        document=document,
        findings=sorted(found, key=lambda each: not each.is_blocking),
        editions=made,
    )


def _about_languages(ground: Ground, document: Document) -> list[Finding]:
    found: list[Finding] = []
    if not document.editions:
        found.append(
            Finding(
                code="no-edition",
                msgid=N_("This bulletin has no edition in any language yet."),
                is_blocking=True,
            )
        )
        return found
    default = document.languages[0]
    found.extend(
        Finding(
            code="missing-edition",
            msgid=N_("There is no edition in %(language)s; its readers get the one in %(other)s."),
            values={"language": language, "other": default},
            language_values=("language", "other"),
            language=language,
        )
        for language in ground.catalog.languages
        if language not in document.editions
    )
    return found


def _no_subject(language: str) -> Finding:
    return Finding(
        code="no-subject",
        msgid=N_("The edition in %(language)s has no subject."),
        values={"language": language},
        language_values=("language",),
        is_blocking=True,
        language=language,
    )


def _from_error(problem: errors.HandbillError, language: str) -> Finding:
    return Finding(
        code="error",
        msgid=str(problem),
        problem=problem,
        is_blocking=True,
        language=language,
        block=getattr(getattr(problem, "place", None), "number", 0),
    )


def _from_plan(ground: Ground, plan: Plan, language: str) -> list[Finding]:
    found = [
        each
        if isinstance(each, Finding)
        else Finding(
            code=each.code,
            msgid=each.msgid,
            values=each.values,
            language=language,
            block=_number(each.values),
        )
        for each in plan.concerns
    ]
    size = html_bytes(ground, plan)
    is_said = any(each.code == "too-large" for each in found)
    if size > _NEAR_LIMIT_BYTES and not is_said:
        found.append(
            Finding(
                code="nearly-too-large",
                msgid=N_("The mail has %(size)s KB of HTML, close to the 102 KB that Gmail shows."),
                values={"size": round(size / 1024)},
                language=language,
            )
        )
    return found


def _number(values: Mapping[str, object]) -> int:
    """The block that a concern names."""
    number = values.get("number")
    return number if isinstance(number, int) else 0


_LARGE = 10**9
_NAME = "Maria Alejandra"


def html_bytes(ground: Ground, plan: Plan) -> int:
    """How large the HTML part is for a reader who sees every block, with addresses of full length.

    Tokens are sealed for large numbers, so that no reader's are longer.
    """
    values = dict.fromkeys(plan.slot_names, _NAME)
    values |= {
        f"click:{link.number}": ground.link(
            "/r", Purpose.CLICK, _LARGE, link.number, _LARGE, _LARGE
        )
        for link in plan.links
    }
    values["unsubscribe_url"] = ground.link("/unsubscribe", Purpose.UNSUBSCRIBE, _LARGE, _LARGE, 1)
    values["preferences_url"] = ground.link("/preferences", Purpose.PREFERENCES, _LARGE)
    values["view_url"] = ground.link("/view", Purpose.VIEW, _LARGE, _LARGE, _LARGE)
    values["open_pixel_url"] = ground.link("/o", Purpose.OPEN, _LARGE, _LARGE, _LARGE) + ".gif"
    return len(plan.html(values).encode())
