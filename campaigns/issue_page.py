"""What readers see of an issue, in their language: its page, its developments, the site's front."""

from collections.abc import Mapping, Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import archive, calendars, developments, issues, links, materials, wording
from campaigns.models import Development, Issue, IssuePart, PartKind
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator

DEVELOPMENTS_SHOWN = 8
EVENTS_SHOWN = 5
BULLETINS_SHOWN = 3


@frozen
class Part:
    """A part of the page in a reader's language."""

    key: str
    value: str
    url: str
    source_name: str
    source_url: str
    title: str
    body_html: str
    language: str
    language_note: str


@frozen
class Summary:
    """An issue as lists show it."""

    slug: str
    title: str
    summary: str
    language: str
    language_note: str


@frozen
class IssuePage:
    """Everything that stands on an issue's page."""

    issue: Issue
    summary: Summary
    parts: Mapping[str, Sequence[Part]]
    """Kind of part → its parts, in order."""
    developments: Sequence[developments.Told]
    has_more_developments: bool
    materials: Sequence[materials.Told]
    events: Sequence[calendars.Happening]
    """What comes next, the soonest first."""
    bulletins: Sequence[archive.Entry]
    """The newest in the archive."""
    is_preview: bool


async def show(
    ground: Ground, *, slug: str, translator: Translator, is_preview: bool = False
) -> IssuePage:
    """The page of a published issue; staff may look at others with `is_preview`.

    Raises `errors.NotFound`.
    """
    async with ground.db.reading() as session:
        issue = await _readable(session, slug, is_preview=is_preview)
        parts = await issues.parts(session, issue.id)
        found = await developments.listed(
            session,
            issue_id=issue.id,
            shown_at=ground.clock.now(),
            limit=DEVELOPMENTS_SHOWN,
        )
        handouts = await materials.listed(session, issue.id)
        files = await materials.copies(session, [each.id for each in handouts])
    told = [materials.tell(ground, each, files, translator) for each in handouts]
    recent = await archive.listed(
        ground, translator=translator, wanted=archive.Wanted(issue=slug), limit=BULLETINS_SHOWN
    )
    return IssuePage(
        issue=issue,
        summary=summarise(ground, issue, translator),
        parts={
            kind.value: [_part(ground, each, translator) for each in parts if each.kind == kind]
            for kind in PartKind
        },
        developments=[developments.tell(ground, each, translator) for each in found.items],
        has_more_developments=found.next_after is not None,
        materials=[each for each in told if each.copies],
        events=await calendars.upcoming(
            ground, issue=issue, translator=translator, limit=EVENTS_SHOWN
        ),
        bulletins=recent.items,
        is_preview=is_preview and not issue.is_published,
    )


@frozen
class History:
    """A page of an issue's developments."""

    summary: Summary
    developments: Sequence[developments.Told]
    next_after: str | None


async def history(ground: Ground, *, slug: str, translator: Translator, after: str) -> History:
    """All published developments of an issue, newest first, by pages. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        issue = await _readable(session, slug, is_preview=False)
        page = await developments.listed(
            session, issue_id=issue.id, shown_at=ground.clock.now(), after=after
        )
    return History(
        summary=summarise(ground, issue, translator),
        developments=_told(ground, page.items, translator),
        next_after=page.next_after,
    )


@frozen
class Front:
    """The site's front: its issues and what happened last on each."""

    issues: Sequence[tuple[Summary, Sequence[developments.Told]]]


async def front(ground: Ground, *, translator: Translator, latest: int = 3) -> Front:
    """The published issues, each with its latest developments."""
    shown: list[tuple[Summary, Sequence[developments.Told]]] = []
    async with ground.db.reading() as session:
        for issue in await issues.everything(session, is_published=True):
            found = await developments.listed(
                session, issue_id=issue.id, shown_at=ground.clock.now(), limit=latest
            )
            told = _told(ground, found.items, translator)
            shown.append((summarise(ground, issue, translator), told))
    return Front(issues=shown)


def summarise(ground: Ground, issue: Issue, translator: Translator) -> Summary:
    """An issue's title and summary in a reader's language."""
    worded = wording.pick(
        issue.texts, translator, need="title", default=ground.settings.site.language
    )
    return Summary(
        slug=issue.slug,
        title=worded["title"] or issue.slug,
        summary=worded["summary"],
        language=worded.language,
        language_note=worded.note,
    )


def _told(
    ground: Ground, found: Sequence[Development], translator: Translator
) -> list[developments.Told]:
    return [developments.tell(ground, each, translator) for each in found]


async def _readable(session: AsyncSession, slug: str, *, is_preview: bool) -> Issue:
    issue = await issues.by_slug(session, slug)
    if not issue.is_published and not is_preview:
        raise errors.NotFound(N_("There is no issue called “%(slug)s”."), slug=slug[:80])
    return issue


def _part(ground: Ground, part: IssuePart, translator: Translator) -> Part:
    default = ground.settings.site.language
    worded = wording.pick(part.texts, translator, need="title", default=default)
    if not worded.texts:
        worded = wording.pick(part.texts, translator, need="body", default=default)
    return Part(
        key=part.key,
        value=part.value,
        url=links.absolute(ground, part.url),
        source_name=part.source_name,
        source_url=links.absolute(ground, part.source_url),
        title=worded["title"],
        body_html=links.absolute_html(ground, worded["body"]),
        language=worded.language,
        language_note=worded.note,
    )
