"""What a step of the welcome says, as message plans in every language that it has.

`welcome_sending` hands it to the ledger; staff's pages show it, and what should be looked at. A
bulletin that was sent goes out as it went out then; everything else is compiled as it stands now.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import (
    bulletins,
    documents,
    editions,
    issues,
    materials,
    readings,
    welcome_documents,
    wording,
)
from campaigns.documents import Document
from campaigns.findings import Finding
from campaigns.models import Bulletin, BulletinVersion, Campaign, CampaignState, Visibility
from campaigns.welcome_models import StepKind, WelcomeStep
from delivery.models import Dispatch, DispatchPlan
from foundation import errors, looks
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers.models import Topic
from templates import compiler, problems
from templates.content import Brand
from templates.plan import Plan

_LOOKED_AT = 20
"""Bulletins of an issue among which the last one to the topic is looked for."""


@frozen
class Ready:
    """A step that can go out, or why it can't."""

    plans: Mapping[str, Plan] = field(default_factory=dict)
    """Language → message plan, the one to fall back on first."""
    findings: Sequence[Finding] = ()
    problem: errors.HandbillError | None = None
    """Why nothing can go out."""
    dispatch_id: int | None = None
    """The bulletin's dispatch, where the step is one that went out before."""

    @property
    def languages(self) -> list[str]:
        """Those that it has, the one to fall back on first."""
        return list(self.plans)

    @property
    def digest(self) -> str:
        """Tells whether a step says today what it said yesterday."""
        found = hashlib.sha256()
        for language, plan in sorted(self.plans.items()):
            found.update(f"{language}\n".encode() + plan.freeze() + b"\n")
        return found.hexdigest()


async def ready(ground: Ground, session: AsyncSession, *, topic: Topic, step: WelcomeStep) -> Ready:
    """What a step says now; what is wrong with it is in the answer, and never raised."""
    try:
        if step.kind == StepKind.LAST_BULLETIN:
            return await _last_sent(ground, session, topic, step)
        document, findings = await _document(ground, session, topic, step)
        plans, noticed = await _compiled(ground, session, document)
    except errors.HandbillError as found:
        return Ready(problem=found)
    blocking = next((each for each in noticed if each.is_blocking), None)
    problem = errors.Refused(blocking.msgid, **blocking.values) if blocking else None
    lacking = [_lacks(code) for code in ground.catalog.languages if code not in plans]
    return Ready(
        plans={} if problem else plans,
        findings=(*findings, *lacking, *noticed),
        problem=problem,
    )


async def _document(
    ground: Ground, session: AsyncSession, topic: Topic, step: WelcomeStep
) -> tuple[Document, Sequence[Finding]]:
    match StepKind(step.kind):
        case StepKind.EXPLAINER:
            issue = await issues.get(session, step.object_id)
            parts = await issues.parts(session, issue.id)
            return welcome_documents.explainer(ground, topic, step, issue, parts), ()
        case StepKind.MATERIAL:
            material = await materials.get(session, step.object_id)
            files = await materials.copies(session, [material.id])
            issue = await issues.get(session, material.issue_id)
            made = welcome_documents.handout(ground, topic, step, material, issue)
            has = {each.language for each in files}
            missing = [code for code in ground.catalog.languages if code not in has]
            return made, [_no_file(code) for code in missing if has]
        case _:
            return await _written(ground, session, topic, step)


async def _written(
    ground: Ground, session: AsyncSession, topic: Topic, step: WelcomeStep
) -> tuple[Document, Sequence[Finding]]:
    """The version that an editor chose; what an author changed since waits for an editor."""
    bulletin = await bulletins.get(session, step.object_id)
    document = bulletins.document_of(bulletin)
    findings: list[Finding] = []
    if bulletin.version != step.object_version:
        earlier = await session.get(BulletinVersion, (bulletin.id, step.object_version))
        if earlier is None:
            raise errors.NotFound(N_("There is no such version of this bulletin."))
        document = documents.parse(earlier.document)
        findings.append(
            Finding(
                code="welcome-newer-version",
                msgid=N_("The bulletin was changed since. Save this step to send it as it is now."),
            )
        )
    return welcome_documents.closed(ground, topic, document), findings


async def _compiled(
    ground: Ground, session: AsyncSession, document: Document
) -> tuple[dict[str, Plan], list[Finding]]:
    """A plan for each edition, without a date: it is as true tomorrow as today."""
    if not document.editions:
        raise errors.Invalid(N_("This bulletin has no edition in any language yet."))
    look = await looks.current(session)
    plans: dict[str, Plan] = {}
    findings: list[Finding] = []
    for language in document.languages:
        resolved = await editions.resolve(ground, session, document, language=language)
        try:
            plans[language] = compiler.compile_edition(
                replace(resolved.edition, date_label=""),
                Brand.from_site(ground.settings.site, look, language=language),
                archive_url=ground.url("/archive"),
                translator=ground.translator(language),
                first_link=1 + sum(len(plan.links) for plan in plans.values()),
            )
        except problems.ContentProblem as problem:
            raise resolved.in_document(problem) from problem
        findings.extend(resolved.findings)
    return plans, findings


async def _last_sent(
    ground: Ground, session: AsyncSession, topic: Topic, step: WelcomeStep
) -> Ready:
    """The last bulletin of an issue that everybody on the topic could get."""
    issue = await issues.get(session, step.object_id)
    statement = (
        select(Dispatch)
        .join(Campaign, col(Campaign.id) == col(Dispatch.campaign_id))
        .join(Bulletin, col(Bulletin.id) == col(Campaign.bulletin_id))
        .where(
            Bulletin.issue_id == issue.id,
            Campaign.visibility != Visibility.HIDDEN.value,
            col(Campaign.state).in_([CampaignState.SENDING.value, CampaignState.SENT.value]),
        )
        .order_by(col(Dispatch.id).desc())
        .limit(_LOOKED_AT)
    )
    for order in (await session.exec(statement)).all():
        if topic.id in order.topics:
            return await _as_sent(ground, session, order)
    raise errors.NotFound(N_("No bulletin of this issue has gone out to the topic yet."))


async def _as_sent(ground: Ground, session: AsyncSession, order: Dispatch) -> Ready:
    """Of a bulletin that tried two forms, the one that was chosen."""
    rows = await session.exec(
        select(DispatchPlan)
        .where(DispatchPlan.dispatch_id == order.id)
        .order_by(col(DispatchPlan.language))
    )
    found = {
        row.language: Plan.thaw(row.of(order.winner))
        for row in rows.all()
        if not readings.is_stacked(row.language)
    }
    first = sorted(found, key=lambda code: (code != order.default_language, code))
    return Ready(
        plans={code: found[code] for code in first},
        findings=[_lacks(code) for code in ground.catalog.languages if code not in found],
        dispatch_id=order.id,
    )


def _lacks(language: str) -> Finding:
    return Finding(
        code="welcome-without-language",
        msgid=N_("It has no text in %(language)s: readers of it get another language."),
        values={"language": language},
        language=language,
        language_values=("language",),
    )


def _no_file(language: str) -> Finding:
    return Finding(
        code="material-without-language",
        msgid=N_("The handout has no file in %(language)s: readers of it get another language."),
        values={"language": language},
        language=language,
        language_values=("language",),
    )


async def object_name(ground: Ground, session: AsyncSession, kind: StepKind, number: int) -> str:
    """What a step's object is called in the site's language. Raises `errors.NotFound`."""
    speaks = ground.translator(ground.settings.site.language)
    if kind is StepKind.BULLETIN:
        return (await bulletins.get(session, number)).name
    if kind is StepKind.MATERIAL:
        material = await materials.get(session, number)
        return _titled(ground, material.texts) or material.slug
    issue = await issues.get(session, number)
    return issues.title(ground, issue, speaks.language)


def _titled(ground: Ground, texts: wording.Texts) -> str:
    site = ground.settings.site.language
    return wording.pick(texts, ground.translator(site), need="title", default=site)["title"]
