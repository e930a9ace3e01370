"""Compiles bulletins to message plans, and says what should be looked at before one goes out.

`work_order.py` compiles with `compile_plans` when a campaign starts; pages and the list before
sending show `concerns`.
"""

from dataclasses import replace

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import bulletins, editions
from campaigns.documents import Document
from campaigns.findings import Finding
from campaigns.models import Bulletin
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_
from templates import compiler, content, problems, slots
from templates.plan import Plan

_SLOT_BYTES = 90
_NEAR_LIMIT_BYTES = 92 * 1024
"""A little under what Gmail clips, so that a long name does not push a mail over."""


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
    document = bulletins.document_of(bulletin)
    if not document.editions:
        raise errors.Invalid(N_("This bulletin has no edition in any language yet."))
    plans: dict[str, Plan] = {}
    for language in document.languages:
        plans[language] = await compile_one(
            ground,
            session,
            document,
            language=language,
            campaign_name=campaign_name,
            archive_url=archive_url,
            first_link=1 + sum(len(plan.links) for plan in plans.values()),
        )
    return plans


async def compile_one(
    ground: Ground,
    session: AsyncSession,
    document: Document,
    *,
    language: str,
    campaign_name: str = "",
    archive_url: str = "",
    first_link: int = 1,
) -> Plan:
    """The plan of one edition; its concerns hold what was noticed. Raises as `compile_plans`."""
    resolved = await editions.resolve(
        ground, session, document, language=language, campaign_name=campaign_name
    )
    try:
        plan = compiler.compile_edition(
            resolved.edition,
            content.Brand.from_site(ground.settings.site),
            archive_url=archive_url or ground.url("/archive"),
            translator=ground.translator(language),
            first_link=first_link,
        )
    except problems.ContentProblem as problem:
        raise resolved.in_document(problem) from problem
    noticed = [resolved.numbered(each) for each in plan.concerns]
    return replace(plan, concerns=(*noticed, *resolved.findings))


async def concerns(ground: Ground, session: AsyncSession, bulletin: Bulletin) -> list[Finding]:
    """Everything that should be looked at before a bulletin goes out, what stops it first."""
    document = bulletins.document_of(bulletin)
    found: list[Finding] = _about_languages(ground, document)
    for language in document.languages:
        if not document.editions[language].subject.strip():
            found.append(_no_subject(language))
            continue
        try:
            plan = await compile_one(ground, session, document, language=language)
        except errors.HandbillError as problem:
            found.append(_from_error(problem, language))
            continue
        found.extend(_from_plan(plan, language))
    return sorted(found, key=lambda each: not each.is_blocking)


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


def _from_plan(plan: Plan, language: str) -> list[Finding]:
    found = [
        each
        if isinstance(each, Finding)
        else Finding(code=each.code, msgid=each.msgid, values=each.values, language=language)
        for each in plan.concerns
    ]
    size = html_bytes(plan)
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


def html_bytes(plan: Plan) -> int:
    """About how large the HTML part is for a reader who sees every block."""
    return sum(
        len(part.encode()) if isinstance(part, str) else _SLOT_BYTES
        for part in slots.shown(plan.html_segments, None)
    )
