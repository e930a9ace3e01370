"""Subscribers, suppressions and topics for programs."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from sqlmodel import col, select

from foundation import addresses, audit, errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web import api
from foundation.web.api import Body, Call, Endpoint, Page
from subscribers import (
    erasing,
    finding,
    intake,
    mending,
    merging,
    people,
    public_links,
    signup,
    suppression,
    topics,
)
from subscribers.models import (
    Suppression,
    SuppressionReason,
    Topic,
    TopicKind,
)

ShortText = Annotated[str, Field(max_length=200)]


class TopicOut(BaseModel):
    """Something that people subscribe to; `texts` maps a language to name and description."""

    slug: str
    kind: str
    is_public: bool
    texts: dict[str, dict[str, str]]


class TopicIn(Body):
    """A new topic."""

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    kind: Literal["issue", "general"] = "general"
    texts: dict[str, dict[str, str]]


class SubscriberOut(BaseModel):
    """A person, with the topics confirmed."""

    id: int
    email: str
    first_name: str
    last_name: str
    postal_code: str
    town: str
    language: str
    further_languages: list[str] = []
    """Others that the person reads, the one they like best first."""
    reads_both: bool = False
    """Whether they want bulletins in two of their languages, one under the other."""
    standing: str
    topics: list[str]
    created_at: datetime


class SubscriberIn(Body):
    """A sign-up on somebody's behalf; the person has to confirm it by mail."""

    email: ShortText
    topics: list[str] = []
    language: str = ""
    further_languages: list[ShortText] = []
    first_name: ShortText = ""
    last_name: ShortText = ""
    postal_code: ShortText = ""
    source: ShortText = "api"
    tags: list[str] = []


class SubscriberChange(Body):
    """What may be mended; what is left out stays."""

    first_name: ShortText | None = None
    last_name: ShortText | None = None
    postal_code: ShortText | None = None
    town: ShortText | None = None
    language: str | None = None
    further_languages: list[ShortText] | None = None
    reads_both: bool | None = None
    tags: list[str] | None = None


class Accepted(BaseModel):
    """The sign-up was taken; nothing is sent to the person but a confirmation."""

    state: Literal["accepted"] = "accepted"


class MergeIn(Body):
    """The other record: its address goes, and what was taken back with either stays taken back."""

    former_id: Annotated[int, Field(ge=1, le=2**53)]


class SuppressionOut(BaseModel):
    """An address that is not mailed; the address itself is not kept here."""

    id: int
    subscriber_id: int | None
    reason: str
    note: str
    return_id: int | None
    created_at: datetime
    lifted_at: datetime | None


class SuppressionIn(Body):
    """Never mail an address again."""

    email: ShortText
    note: Annotated[str, Field(max_length=1000)] = ""


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write = Scope.READ, Scope.SUBSCRIBERS
    return [
        Endpoint(method="GET", path="/topics", handler=list_topics, scope=read, tag="Topics",
                 summary="List topics", answer=Page[TopicOut]),
        Endpoint(method="POST", path="/topics", handler=create_topic, scope=write, tag="Topics",
                 summary="Add a topic", body=TopicIn, answer=TopicOut, status=201),
        Endpoint(method="GET", path="/subscribers", handler=list_subscribers, scope=read,
                 tag="Subscribers", summary="Search people, newest first", is_list=True,
                 answer=Page[SubscriberOut],
                 query=(("q", "Words in address, name, town or postal code"),
                        ("topic", "A topic's slug"), ("language", "A language's code"),
                        ("standing", "confirmed, pending, unsubscribed or suppressed"))),
        Endpoint(method="POST", path="/subscribers", handler=create_subscriber, scope=write,
                 tag="Subscribers", summary="Sign somebody up; they confirm by mail",
                 body=SubscriberIn, answer=Accepted, status=202),
        Endpoint(method="GET", path="/subscribers/{id}", handler=show_subscriber, scope=read,
                 tag="Subscribers", summary="Show a person", answer=SubscriberOut),
        Endpoint(method="PATCH", path="/subscribers/{id}", handler=change_subscriber, scope=write,
                 tag="Subscribers", summary="Mend a person's details", body=SubscriberChange,
                 answer=SubscriberOut),
        Endpoint(method="POST", path="/subscribers/{id}/unsubscribe", handler=unsubscribe,
                 scope=write, tag="Subscribers", summary="Take a person off every topic"),
        Endpoint(method="POST", path="/subscribers/{id}/merge", handler=merge, scope=write,
                 tag="Subscribers", body=MergeIn, answer=SubscriberOut,
                 summary="Join another record of the same person into this one, for good"),
        Endpoint(method="DELETE", path="/subscribers/{id}", handler=erase, scope=write,
                 tag="Subscribers", summary="Erase a person for good"),
        Endpoint(method="GET", path="/suppressions", handler=list_suppressions, scope=read,
                 tag="Suppressions", summary="List suppressions, newest first", is_list=True,
                 answer=Page[SuppressionOut]),
        Endpoint(method="POST", path="/suppressions", handler=suppress, scope=write,
                 tag="Suppressions", summary="Never mail an address again", body=SuppressionIn),
    ]  # fmt: skip


async def list_topics(call: Call) -> Page[TopicOut]:
    """Topics are few: all at once."""
    async with call.ground.db.reading() as session:
        found = await topics.everything(session)
    return Page(items=[_topic(each) for each in found])


async def create_topic(call: Call) -> TopicOut:
    """Add a topic; one that is there stays as it is."""
    body: TopicIn = call.body
    now = call.ground.clock.now()
    async with call.ground.db.transaction() as session:
        made = await topics.ensure(
            session, slug=body.slug, kind=TopicKind(body.kind), texts=body.texts, now=now
        )
        audit.record(
            session,
            actor=call.actor,
            at=now,
            action="topic.created",
            object_kind="topic",
            object_id=made.slug,
            after={"texts": made.texts},
        )
    return _topic(made)


async def list_subscribers(call: Call) -> Page[SubscriberOut]:
    """People, newest first."""
    standing = call.query("standing")
    if standing is not None and standing not in set(finding.Standing):
        raise errors.Invalid(
            N_("“standing” is one of %(known)s."), known=", ".join(finding.Standing)
        )
    found = await finding.search(
        call.ground,
        query=finding.Query(
            text=call.query("q") or "",
            topic=call.query("topic") or "",
            language=call.query("language") or "",
            standing=finding.Standing(standing) if standing else None,
        ),
        after=call.after,
        limit=call.limit,
    )
    return Page(
        items=[_person(row) for row in found.rows],
        next=api.cursor(found.next_after) if found.next_after else None,
    )


async def create_subscriber(call: Call) -> Accepted:
    """The same verb as the form: the person has to confirm."""
    body: SubscriberIn = call.body
    await signup.submit(
        call.ground,
        request=intake.SignUpRequest(
            email=body.email,
            topics=body.topics,
            language=body.language,
            further_languages=" ".join(body.further_languages),
            first_name=body.first_name,
            last_name=body.last_name,
            postal_code=body.postal_code,
            source=body.source,
            tags=body.tags,
            via="api",
        ),
    )
    return Accepted()


async def show_subscriber(call: Call) -> SubscriberOut:
    """One person."""
    return await _shown(call)


async def change_subscriber(call: Call) -> SubscriberOut:
    """Change what was named."""
    body: SubscriberChange = call.body
    person = await people.show(call.ground, subscriber_id=call.number())
    now = person.subscriber
    said = body.model_dump(exclude_none=True)
    await mending.update(
        call.ground,
        actor=call.actor,
        subscriber_id=now.id,
        seen=now.updated_at,
        changes=mending.Changes(
            first_name=said.get("first_name", now.first_name),
            last_name=said.get("last_name", now.last_name),
            postal_code=said.get("postal_code", now.postal_code),
            town=said.get("town", now.town),
            language=said.get("language", now.language),
            further_languages=" ".join(
                said.get("further_languages", now.further_languages.split())
            ),
            reads_both=said.get("reads_both", now.reads_both),
            tags=said.get("tags", person.tags),
        ),
    )
    return await _shown(call)


async def unsubscribe(call: Call) -> None:
    """From everything, as the person asked."""
    await mending.take_off(call.ground, actor=call.actor, subscriber_id=call.number(), reason="api")


async def merge(call: Call) -> SubscriberOut:
    """Can't be undone; refused where nobody ever confirmed the address that would stay."""
    body: MergeIn = call.body
    await merging.merge(
        call.ground,
        actor=call.actor,
        kept_id=call.number(),
        former_id=body.former_id,
        elsewhere=public_links.elsewhere(call.request),
    )
    return await show_subscriber(call)


async def erase(call: Call) -> None:
    """For good."""
    await erasing.erase(
        call.ground,
        subscriber_id=call.number(),
        via="api",
        actor=call.actor,
        elsewhere=public_links.elsewhere(call.request),
    )


async def list_suppressions(call: Call) -> Page[SuppressionOut]:
    """Newest first; lifted ones too."""
    statement = select(Suppression).order_by(col(Suppression.id).desc()).limit(call.limit + 1)
    if call.after is not None:
        statement = statement.where(col(Suppression.id) < call.after)
    async with call.ground.db.reading() as session:
        rows = (await session.exec(statement)).all()
    return Page(
        items=[
            SuppressionOut.model_validate(row, from_attributes=True) for row in rows[: call.limit]
        ],
        next=api.page(rows, limit=call.limit, number_of=lambda row: row.id),
    )


async def suppress(call: Call) -> None:
    """By hand; with or without a person behind the address."""
    body: SuppressionIn = call.body
    address = addresses.parse(body.email)
    async with call.ground.db.transaction() as session:
        await suppression.add(
            call.ground,
            session,
            email_key=address.key,
            reason=SuppressionReason.BY_HAND,
            note=body.note,
            via="api",
        )
        audit.record(
            session,
            actor=call.actor,
            at=call.ground.clock.now(),
            action="suppression.added",
            object_kind="suppression",
            object_id=addresses.masked(address.email),
        )


async def _shown(call: Call) -> SubscriberOut:
    found = await people.show(call.ground, subscriber_id=call.number())
    confirmed = [each.topic.slug for each in found.topics if each.state == "confirmed"]
    return _person(
        finding.Row(subscriber=found.subscriber, standing=found.standing, topics=confirmed)
    )


def _person(row: finding.Row) -> SubscriberOut:
    values = {
        name: getattr(row.subscriber, name)
        for name in SubscriberOut.model_fields
        if name not in ("standing", "topics", "further_languages")
    }
    return SubscriberOut(
        standing=row.standing,
        topics=list(row.topics),
        further_languages=row.subscriber.further_languages.split(),
        **values,
    )


def _topic(found: Topic) -> TopicOut:
    return TopicOut.model_validate(found, from_attributes=True)
