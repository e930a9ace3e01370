"""Webhooks for programs. They hand out addresses, so a token needs the scope `subscribers`."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from campaigns import webhooks
from foundation.accounts.api_tokens import Scope
from foundation.web.api import Body, Call, Endpoint, Page


class WebhookOut(BaseModel):
    """Who is told of what."""

    id: int
    url: str
    events: list[str]
    created_at: datetime


class WebhookMade(WebhookOut):
    """A new webhook; `secret` signs each call and is not shown again."""

    secret: str


class WebhookIn(Body):
    """An https address and the events to tell it of; none means all."""

    url: Annotated[str, Field(max_length=2000)]
    events: Annotated[list[str], Field(max_length=100)] = []


def endpoints() -> list[Endpoint]:
    """What is here."""
    scope, tag = Scope.SUBSCRIBERS, "Webhooks"
    return [
        Endpoint(method="GET", path="/webhooks", handler=list_webhooks, scope=scope, tag=tag,
                 summary="List webhooks", answer=Page[WebhookOut]),
        Endpoint(method="POST", path="/webhooks", handler=create, scope=scope, tag=tag,
                 summary="Be told of what happens: " + ", ".join(webhooks.LOGS),
                 body=WebhookIn, answer=WebhookMade, status=201),
        Endpoint(method="DELETE", path="/webhooks/{id}", handler=delete, scope=scope, tag=tag,
                 summary="Be told nothing more"),
    ]  # fmt: skip


async def list_webhooks(call: Call) -> Page[WebhookOut]:
    """Webhooks are few: all at once."""
    async with call.ground.db.reading() as session:
        found = await webhooks.everything(session)
    return Page(items=[WebhookOut.model_validate(each, from_attributes=True) for each in found])


async def create(call: Call) -> WebhookMade:
    """From now on."""
    body: WebhookIn = call.body
    made = await webhooks.create(call.ground, actor=call.actor, url=body.url, events=body.events)
    return WebhookMade.model_validate(made, from_attributes=True)


async def delete(call: Call) -> None:
    """What is still to be told is dropped."""
    await webhooks.delete(call.ground, actor=call.actor, webhook_id=call.number())
