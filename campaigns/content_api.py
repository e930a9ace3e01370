"""Issues, developments and bulletins for programs."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from campaigns import bulletins, compiling, development_drafts, developments, issues, zips
from campaigns.block_models import Miles
from campaigns.documents import Document
from campaigns.models import Bulletin, Development, DevelopmentKind, Issue
from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web import api
from foundation.web.api import Body, Call, Endpoint, Page

ShortText = Annotated[str, Field(max_length=200)]
Words = Annotated[str, Field(max_length=50_000)]
Version = Annotated[int, Field(ge=1, le=2**31)]
Row = Annotated[int, Field(ge=1, le=2**53)]
Texts = dict[str, dict[str, Words]]
_EMPTIED = {"not_before", "partner_id"}
"""What null takes away from a development."""


class IssueOut(BaseModel):
    """A cause that people follow; `texts` maps a language to title and summary."""

    id: int
    slug: str
    is_published: bool
    texts: dict[str, dict[str, str]]
    version: int


class DevelopmentOut(BaseModel):
    """A dated thing that happened; `texts` maps a language to headline and summary (HTML)."""

    id: int
    issue: str
    key: str | None
    kind: str
    happened_on: date
    place: str
    postal_code: str
    miles: int
    source_name: str
    source_url: str
    is_published: bool
    not_before: datetime | None
    is_pinned: bool
    partner_id: int | None
    texts: dict[str, dict[str, str]]
    version: int


class DevelopmentIn(Body):
    """A new development of an issue, named by its slug."""

    issue: ShortText
    kind: DevelopmentKind = DevelopmentKind.NEWS
    happened_on: date
    texts: Texts
    key: ShortText = ""
    place: ShortText = ""
    postal_code: ShortText = ""
    miles: Miles = zips.USUAL_MILES
    source_name: ShortText = ""
    source_url: Annotated[str, Field(max_length=2000)] = ""
    is_published: bool = False
    not_before: AwareDatetime | None = None
    is_pinned: bool = False
    partner_id: Row | None = None


class DevelopmentChange(Body):
    """What changes; what is left out stays. `version` as last seen.

    `not_before` and `partner_id` are taken away by null.
    """

    version: Version
    kind: DevelopmentKind | None = None
    happened_on: date | None = None
    texts: Texts | None = None
    key: ShortText | None = None
    place: ShortText | None = None
    postal_code: ShortText | None = None
    miles: Miles | None = None
    source_name: ShortText | None = None
    source_url: Annotated[str, Field(max_length=2000)] | None = None
    is_published: bool | None = None
    not_before: AwareDatetime | None = None
    is_pinned: bool | None = None
    partner_id: Row | None = None


class BulletinOut(BaseModel):
    """A bulletin in a list."""

    id: int
    name: str
    issue_id: int | None
    languages: list[str]
    version: int
    updated_by: str
    updated_at: datetime


class BulletinWhole(BulletinOut):
    """A bulletin with its document, as `docs/bulletin-documents.md` describes it."""

    document: dict[str, Any]


class BulletinChange(Body):
    """A bulletin's new document, over the `version` that was seen."""

    version: Version
    document: Document


class FindingOut(BaseModel):
    """Something to look at; what is blocking has to be mended before it can go out."""

    code: str
    is_blocking: bool
    said: str
    language: str
    block: int


class BulletinCheck(BaseModel):
    """Whether a bulletin can go out, and everything to look at."""

    is_clear: bool
    items: list[FindingOut]


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write = Scope.READ, Scope.CONTENT
    return [
        Endpoint(method="GET", path="/issues", handler=list_issues, scope=read, tag="Issues",
                 summary="List issues", answer=Page[IssueOut]),
        Endpoint(method="GET", path="/developments", handler=list_developments, scope=read,
                 tag="Developments", summary="List an issue's developments, newest first",
                 is_list=True, answer=Page[DevelopmentOut],
                 query=(("issue", "The issue's slug; needed"),
                        ("kind", ", ".join(DevelopmentKind)),
                        ("published", "true or false"))),
        Endpoint(method="POST", path="/developments", handler=add_development, scope=write,
                 tag="Developments", summary="Add a development", body=DevelopmentIn,
                 answer=DevelopmentOut, status=201),
        Endpoint(method="GET", path="/developments/{id}", handler=show_development, scope=read,
                 tag="Developments", summary="Show a development", answer=DevelopmentOut),
        Endpoint(method="PATCH", path="/developments/{id}", handler=change_development,
                 scope=write, tag="Developments", summary="Change a development",
                 body=DevelopmentChange, answer=DevelopmentOut),
        Endpoint(method="GET", path="/bulletins", handler=list_bulletins, scope=read,
                 tag="Bulletins", summary="List bulletins, newest first", is_list=True,
                 answer=Page[BulletinOut]),
        Endpoint(method="POST", path="/bulletins", handler=create_bulletin, scope=write,
                 tag="Bulletins", summary="Keep a document as a new bulletin", body=Document,
                 answer=BulletinWhole, status=201),
        Endpoint(method="GET", path="/bulletins/{id}", handler=show_bulletin, scope=read,
                 tag="Bulletins", summary="Show a bulletin with its document",
                 answer=BulletinWhole),
        Endpoint(method="PUT", path="/bulletins/{id}", handler=save_bulletin, scope=write,
                 tag="Bulletins", summary="Save a bulletin's document", body=BulletinChange,
                 answer=BulletinWhole),
        Endpoint(method="GET", path="/bulletins/{id}/check", handler=check_bulletin, scope=read,
                 tag="Bulletins", summary="What to look at before it goes out",
                 answer=BulletinCheck),
    ]  # fmt: skip


async def list_issues(call: Call) -> Page[IssueOut]:
    """Issues are few: all at once."""
    async with call.ground.db.reading() as session:
        found = await issues.everything(session)
    return Page(items=[IssueOut.model_validate(each, from_attributes=True) for each in found])


async def list_developments(call: Call) -> Page[DevelopmentOut]:
    """Of one issue, those of the latest days first."""
    kind = call.query("kind")
    published = call.query("published")
    if published not in (None, "true", "false"):
        raise errors.Invalid(N_("“published” is true or false."))
    async with call.ground.db.reading() as session:
        issue = await issues.by_slug(session, call.query("issue") or "")
        after = ""
        if call.after is not None:
            last = await developments.get(session, call.after)
            after = f"{last.happened_on.isoformat()}.{last.id}"
        found = await developments.listed(
            session,
            issue_id=issue.id,
            is_published=None if published is None else published == "true",
            kind=development_drafts.kind_from(kind) if kind else None,
            after=after,
            limit=call.limit,
        )
    is_more = found.next_after is not None
    return Page(
        items=[_development(each, issue) for each in found.items],
        next=api.cursor(found.items[-1].id) if is_more else None,
    )


async def add_development(call: Call) -> DevelopmentOut:
    """Add one to an issue."""
    body: DevelopmentIn = call.body
    async with call.ground.db.reading() as session:
        issue = await issues.by_slug(session, body.issue)
    draft = development_drafts.Draft(**body.model_dump(exclude={"issue"}))
    made = await developments.add(call.ground, actor=call.actor, issue_id=issue.id, draft=draft)
    return _development(made, issue)


async def show_development(call: Call) -> DevelopmentOut:
    """One development."""
    async with call.ground.db.reading() as session:
        found = await developments.get(session, call.number())
        return _development(found, await issues.get(session, found.issue_id))


async def change_development(call: Call) -> DevelopmentOut:
    """Change what was named; refused with 409 when somebody else was faster."""
    body: DevelopmentChange = call.body
    async with call.ground.db.reading() as session:
        now = await developments.get(session, call.number())
    said = body.model_dump(exclude={"version"}, exclude_none=True)
    said |= body.model_dump(include=_EMPTIED & body.model_fields_set)
    await developments.update(
        call.ground,
        actor=call.actor,
        development_id=now.id,
        version=body.version,
        draft=development_drafts.draft_of(now, **said),
    )
    return await show_development(call)


async def list_bulletins(call: Call) -> Page[BulletinOut]:
    """Those made last first."""
    async with call.ground.db.reading() as session:
        found = await bulletins.listed(session, after=call.after, limit=call.limit)
    return Page(
        items=[BulletinOut(**_bulletin(each)) for each in found.items],
        next=api.cursor(found.next_after) if found.next_after else None,
    )


async def create_bulletin(call: Call) -> BulletinWhole:
    """The body is the document itself, as `campaigns create` takes it."""
    document: Document = call.body
    return _whole(await bulletins.create(call.ground, actor=call.actor, document=document))


async def show_bulletin(call: Call) -> BulletinWhole:
    """One bulletin."""
    return _whole(await _found(call))


async def save_bulletin(call: Call) -> BulletinWhole:
    """Save over the version seen; refused with 409 when somebody else was faster."""
    body: BulletinChange = call.body
    saved = await bulletins.save(
        call.ground,
        actor=call.actor,
        bulletin_id=call.number(),
        version=body.version,
        document=body.document,
    )
    return _whole(saved)


async def check_bulletin(call: Call) -> BulletinCheck:
    """What stops it first."""
    async with call.ground.db.reading() as session:
        bulletin = await bulletins.get(session, call.number())
        found = await compiling.concerns(call.ground, session, bulletin)
    speaks = call.ground.translator(call.query("lang"))
    return BulletinCheck(
        is_clear=not any(each.is_blocking for each in found),
        items=[
            FindingOut(
                code=each.code,
                is_blocking=each.is_blocking,
                said=each.say(speaks),
                language=each.language,
                block=each.block,
            )
            for each in found
        ],
    )


async def _found(call: Call) -> Bulletin:
    async with call.ground.db.reading() as session:
        return await bulletins.get(session, call.number())


def _development(found: Development, issue: Issue) -> DevelopmentOut:
    values = {name: getattr(found, name) for name in DevelopmentOut.model_fields if name != "issue"}
    return DevelopmentOut(issue=issue.slug, **values)


def _bulletin(found: Bulletin) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "issue_id": found.issue_id,
        "languages": bulletins.languages(found),
        "version": found.version,
        "updated_by": found.updated_by,
        "updated_at": found.updated_at,
    }


def _whole(found: Bulletin) -> BulletinWhole:
    return BulletinWhole(document=found.document, **_bulletin(found))
