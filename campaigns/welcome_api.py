"""The welcome for programs: its steps, where it is on, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from campaigns import welcome, welcome_reports
from campaigns.welcome import StepDraft, View
from campaigns.welcome_models import StepKind, WelcomeStep
from foundation.accounts.api_tokens import Scope
from foundation.web.api import Body, Call, Endpoint, Page

_VERSION = Field(ge=0, le=2**31)
_NUMBER = Field(ge=1, le=2**53)


class WelcomeRow(BaseModel):
    """A topic, and whether people who are new to it are welcomed."""

    topic: str
    on: list[str]
    steps: int
    going: int


class StepOut(BaseModel):
    """A step; `problem` says in English why it can't go out, `remarks` what to look at."""

    id: int
    kind: StepKind
    object_id: int
    name: str
    days: int
    hour: int
    texts: dict[str, dict[str, str]]
    languages: list[str]
    problem: str
    remarks: list[str]
    removed_at: datetime | None


class WelcomeWhole(BaseModel):
    """A topic's welcome; `version` is what a change has to name, 0 while nothing is kept."""

    topic: str
    version: int
    on_since: dict[str, datetime]
    steps: list[StepOut]
    removed: list[StepOut]


class StepBody(Body):
    """A step, over the `version` of the welcome that was seen."""

    version: int = _VERSION
    kind: StepKind
    object_id: int = _NUMBER
    days: int = Field(ge=0, le=welcome.MAX_DAYS)
    hour: int = Field(default=9, ge=0, le=23)
    texts: dict[str, dict[str, str]] = {}


class SeenVersion(Body):
    """The version of the welcome that was seen."""

    version: int = _VERSION


class SwitchBody(SeenVersion):
    """The languages in which it is to be on; none switches it off."""

    languages: list[str] = Field(max_length=50)


class Report(BaseModel):
    """What came of it; `steps` by the step's number."""

    begun: int
    going: int
    done: int
    stopped: dict[str, int]
    steps: dict[int, dict[str, Any]]


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write, tag, one = Scope.READ, Scope.CAMPAIGNS, "Welcome", "/welcome/{topic}"
    return [
        Endpoint(method="GET", path="/welcome", handler=list_welcomes, scope=read, tag=tag,
                 summary="Every topic, and where its welcome is on", answer=Page[WelcomeRow]),
        Endpoint(method="GET", path=one, handler=show_welcome, scope=read, tag=tag,
                 summary="Show a topic's welcome with its steps", answer=WelcomeWhole),
        Endpoint(method="GET", path=f"{one}/report", handler=show_report, scope=read, tag=tag,
                 summary="What came of it, step by step", answer=Report),
        Endpoint(method="PUT", path=f"{one}/languages", handler=switch, scope=write, tag=tag,
                 summary="Switch it on in some languages, off in others", body=SwitchBody,
                 answer=WelcomeWhole),
        Endpoint(method="POST", path=f"{one}/steps", handler=add_step, scope=write, tag=tag,
                 summary="Add a step", body=StepBody, answer=WelcomeWhole, status=201),
        Endpoint(method="PUT", path=f"{one}/steps/{{step}}", handler=change_step, scope=write,
                 tag=tag, summary="Change a step", body=StepBody, answer=WelcomeWhole),
        Endpoint(method="POST", path=f"{one}/steps/{{step}}/remove", handler=remove_step,
                 scope=write, tag=tag, summary="Remove a step", body=SeenVersion,
                 answer=WelcomeWhole),
    ]  # fmt: skip


async def list_welcomes(call: Call) -> Page[WelcomeRow]:
    """All at once: there are as many as topics."""
    rows = [
        WelcomeRow(
            topic=each.topic.slug,
            on=sorted(each.welcome.on_since) if each.welcome else [],
            steps=each.steps,
            going=each.going,
        )
        for each in await welcome.listed(call.ground)
    ]
    return Page(items=rows, next=None)


async def show_welcome(call: Call) -> WelcomeWhole:
    """Also of a topic that has none yet."""
    return await _whole(call)


async def show_report(call: Call) -> Report:
    """Read in one look."""
    found = await welcome_reports.figures(call.ground, topic=_topic(call))
    return Report(**welcome_reports.as_dict(found))


async def switch(call: Call) -> WelcomeWhole:
    """Refused with 409 when somebody else was faster."""
    body: SwitchBody = call.body
    await welcome.switch(
        call.ground,
        actor=call.actor,
        topic=_topic(call),
        version=body.version,
        languages=body.languages,
    )
    return await _whole(call)


async def add_step(call: Call) -> WelcomeWhole:
    """For everybody whose day for it has not passed."""
    body: StepBody = call.body
    await welcome.add_step(
        call.ground,
        actor=call.actor,
        topic=_topic(call),
        version=body.version,
        draft=_draft(body),
    )
    return await _whole(call)


async def change_step(call: Call) -> WelcomeWhole:
    """Whoever did not get it yet gets it as it is then."""
    body: StepBody = call.body
    await welcome.change_step(
        call.ground,
        actor=call.actor,
        topic=_topic(call),
        version=body.version,
        step_id=call.number("step"),
        draft=_draft(body),
    )
    return await _whole(call)


async def remove_step(call: Call) -> WelcomeWhole:
    """What it brought stays in the report."""
    body: SeenVersion = call.body
    await welcome.remove_step(
        call.ground,
        actor=call.actor,
        topic=_topic(call),
        version=body.version,
        step_id=call.number("step"),
    )
    return await _whole(call)


def _draft(body: StepBody) -> StepDraft:
    return StepDraft(
        kind=body.kind,
        object_id=body.object_id,
        days=body.days,
        hour=body.hour,
        texts=body.texts,
    )


async def _whole(call: Call) -> WelcomeWhole:
    view = await welcome.show(call.ground, topic=_topic(call))
    return WelcomeWhole(
        topic=view.topic.slug,
        version=view.version,
        on_since=dict(view.on_since),
        steps=[_step(call, view, each) for each in view.steps],
        removed=[_step(call, view, each) for each in view.removed],
    )


def _step(call: Call, view: View, step: WelcomeStep) -> StepOut:
    made = view.content.get(step.id)
    speaks = call.ground.translator("en")
    values: Mapping[str, Any] = {
        name: getattr(step, name)
        for name in ("id", "kind", "object_id", "name", "days", "hour", "texts", "removed_at")
    }
    return StepOut(
        languages=made.languages if made else [],
        problem=str(made.problem) if made and made.problem else "",
        remarks=[each.say(speaks) for each in made.findings] if made else [],
        **values,
    )


def _topic(call: Call) -> str:
    return call.text("topic")
