"""Rules of the inbox for programs: listed, added, changed, removed, and tried."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from campaigns import inbox_rules
from campaigns.content_api import Row, ShortText, Version
from campaigns.inbox_models import InboxRule
from campaigns.inbox_rules import RuleDraft
from campaigns.models import DevelopmentKind
from foundation.accounts.api_tokens import Scope
from foundation.web.api import Body, Call, Endpoint, Page

Words = Annotated[list[ShortText], Field(min_length=1, max_length=50)]


class RuleOut(BaseModel):
    """A rule; blank and null: it says nothing about that."""

    id: int
    issue_id: int | None
    words: list[str]
    is_headline_only: bool
    kind: str
    place: str
    to_issue_id: int | None
    is_drop: bool
    version: int


class RuleIn(Body):
    """A new rule."""

    words: Words
    issue_id: Row | None = None
    is_headline_only: bool = False
    kind: DevelopmentKind | None = None
    place: ShortText = ""
    to_issue_id: Row | None = None
    is_drop: bool = False


class RuleChange(RuleIn):
    """A rule as it is to be, over the `version` that was seen."""

    version: Version


class SeenRule(Body):
    """The version that was seen."""

    version: Version


class Story(Body):
    """A story to try the rules on."""

    headline: Annotated[str, Field(max_length=300)]
    summary: Annotated[str, Field(max_length=50_000)] = ""
    issue_id: Row | None = None


class MatchOut(BaseModel):
    """A rule that fits, and by which word."""

    rule_id: int
    word: str


class VerdictOut(BaseModel):
    """What the rules make of a story."""

    kind: str
    place: str
    issue_id: int | None
    is_dropped: bool
    matches: list[MatchOut]


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write, tag, one = Scope.READ, Scope.CONTENT, "Inbox", "/inbox-rules/{id}"
    return [
        Endpoint(method="GET", path="/inbox-rules", handler=list_rules, scope=read, tag=tag,
                 summary="List the rules in their order", answer=Page[RuleOut]),
        Endpoint(method="POST", path="/inbox-rules", handler=add_rule, scope=write, tag=tag,
                 summary="Add a rule after the others", body=RuleIn, answer=RuleOut, status=201),
        Endpoint(method="PUT", path=one, handler=change_rule, scope=write, tag=tag,
                 summary="Change a rule", body=RuleChange, answer=RuleOut),
        Endpoint(method="POST", path=f"{one}/remove", handler=remove_rule, scope=write, tag=tag,
                 summary="Remove a rule", body=SeenRule, status=204),
        Endpoint(method="POST", path="/inbox-rules/stories/try", handler=try_rules, scope=read,
                 tag=tag, summary="What the rules would make of a story", body=Story,
                 answer=VerdictOut),
    ]  # fmt: skip


async def list_rules(call: Call) -> Page[RuleOut]:
    """Rules are few: all at once."""
    async with call.ground.db.reading() as session:
        found = await inbox_rules.everything(session)
    return Page(items=[_out(each) for each in found])


async def add_rule(call: Call) -> RuleOut:
    """Add one."""
    draft = RuleDraft(**call.body.model_dump())
    return _out(await inbox_rules.add(call.ground, actor=call.actor, draft=draft))


async def change_rule(call: Call) -> RuleOut:
    """Change one; refused with 409 when somebody else was faster."""
    body: RuleChange = call.body
    values: dict[str, Any] = body.model_dump(exclude={"version"})
    changed = await inbox_rules.update(
        call.ground,
        actor=call.actor,
        rule_id=call.number(),
        version=body.version,
        draft=RuleDraft(**values),
    )
    return _out(changed)


async def remove_rule(call: Call) -> None:
    """Take one away."""
    body: SeenRule = call.body
    await inbox_rules.remove(
        call.ground, actor=call.actor, rule_id=call.number(), version=body.version
    )


async def try_rules(call: Call) -> VerdictOut:
    """Nothing is kept."""
    body: Story = call.body
    async with call.ground.db.reading() as session:
        rules = await inbox_rules.everything(session)
    found = inbox_rules.judge(
        rules, headline=body.headline, summary=body.summary, issue_id=body.issue_id
    )
    return VerdictOut(
        kind=found.kind.value if found.kind else "",
        place=found.place,
        issue_id=found.issue_id,
        is_dropped=found.dropped_by is not None,
        matches=[MatchOut(rule_id=each.rule.id, word=each.word) for each in found.matches],
    )


def _out(rule: InboxRule) -> RuleOut:
    return RuleOut.model_validate(rule, from_attributes=True)
