"""Forms, partners and members for programs."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from foundation import errors
from foundation.accounts.api_tokens import Scope
from foundation.i18n import N_
from foundation.web import api
from foundation.web.api import Body, Call, Endpoint, Page
from subscribers import forms, members, partners
from subscribers.models import Form, Member, MemberState, Partner

ShortText = Annotated[str, Field(max_length=200)]


class FormOut(BaseModel):
    """A sign-up form."""

    id: int
    slug: str
    name: str
    topics: list[str]
    asks: list[str]
    origins: list[str]
    thanks_url: str
    partner_id: int | None
    shares: list[int]
    is_active: bool


class FormIn(Body):
    """A new form."""

    slug: str
    name: ShortText
    topics: list[str] = []
    asks: list[str] = list(forms.DEFAULT_ASKS)
    texts: dict[str, dict[str, str]] = {}
    thanks_url: str = ""
    origins: list[str] = []
    partner_id: int | None = None
    shares: list[int] = []
    is_active: bool = True


class PartnerOut(BaseModel):
    """An organisation whose pages carry our form, and what they brought."""

    id: int
    key: str
    name: str
    origins: list[str]
    languages: list[str]
    contact_name: str
    contact_email: str
    agreed_on: date | None
    is_active: bool
    submitted: int
    confirmed: int


class PartnerIn(Body):
    """A new partner."""

    name: ShortText
    key: ShortText
    origins: list[str] = []
    languages: list[str] = []
    contact_name: ShortText = ""
    contact_email: ShortText = ""
    agreed_on: date | None = None
    member_id: int | None = None
    is_active: bool = True


class MemberOut(BaseModel):
    """An organisation of the coalition, or one that applied."""

    id: int
    name: str
    website: str
    town: str
    languages: list[str]
    state: str
    version: int


class Decision(Body):
    """The coalition's answer; `version` as last seen."""

    version: int
    reason: Annotated[str, Field(max_length=2000)] = ""


def endpoints() -> list[Endpoint]:
    """What is here."""
    read, write = Scope.READ, Scope.SUBSCRIBERS
    return [
        Endpoint(method="GET", path="/forms", handler=list_forms, scope=read, tag="Forms",
                 summary="List forms", answer=Page[FormOut]),
        Endpoint(method="POST", path="/forms", handler=create_form, scope=write, tag="Forms",
                 summary="Add a form", body=FormIn, answer=FormOut, status=201),
        Endpoint(method="GET", path="/partners", handler=list_partners, scope=read,
                 tag="Partners", summary="List partners and what they brought",
                 answer=Page[PartnerOut]),
        Endpoint(method="POST", path="/partners", handler=create_partner, scope=write,
                 tag="Partners", summary="Add a partner", body=PartnerIn, answer=PartnerOut,
                 status=201),
        Endpoint(method="GET", path="/members", handler=list_members, scope=read, tag="Members",
                 summary="List organisations, newest first", is_list=True,
                 answer=Page[MemberOut], query=(("state", "applied, approved, declined or left"),)),
        Endpoint(method="POST", path="/members/{id}/approve", handler=approve, scope=write,
                 tag="Members", summary="Take an organisation in", body=Decision,
                 answer=MemberOut),
        Endpoint(method="POST", path="/members/{id}/decline", handler=decline, scope=write,
                 tag="Members", summary="Decline an application", body=Decision,
                 answer=MemberOut),
    ]  # fmt: skip


async def list_forms(call: Call) -> Page[FormOut]:
    """Forms are few: all at once."""
    return Page(items=[_form(each.form) for each in await forms.listed(call.ground)])


async def create_form(call: Call) -> FormOut:
    """Add a form."""
    details = forms.Details(**call.body.model_dump())
    return _form(await forms.create(call.ground, actor=call.actor, details=details))


async def list_partners(call: Call) -> Page[PartnerOut]:
    """Partners are few: all at once."""
    return Page(
        items=[
            _partner(each.partner, each.submitted, each.confirmed)
            for each in await partners.listed(call.ground)
        ]
    )


async def create_partner(call: Call) -> PartnerOut:
    """Add a partner."""
    details = partners.Details(**call.body.model_dump())
    made = await partners.create(call.ground, actor=call.actor, details=details)
    return _partner(made, 0, 0)


async def list_members(call: Call) -> Page[MemberOut]:
    """Newest application first."""
    state = call.query("state")
    if state is not None and state not in set(MemberState):
        raise errors.Invalid(N_("“state” is one of %(known)s."), known=", ".join(MemberState))
    found = await members.listed(
        call.ground,
        state=MemberState(state) if state else None,
        after=call.after,
        limit=call.limit,
    )
    return Page(
        items=[_member(each) for each in found.members],
        next=api.cursor(found.next_after) if found.next_after else None,
    )


async def approve(call: Call) -> MemberOut:
    """Take in, and tell its contacts."""
    body: Decision = call.body
    await members.approve(
        call.ground,
        actor=call.actor,
        member_id=call.number(),
        version=body.version,
        reason=body.reason,
    )
    return await _member_now(call)


async def decline(call: Call) -> MemberOut:
    """Say no, with a reason that the applicant is told."""
    body: Decision = call.body
    await members.decline(
        call.ground,
        actor=call.actor,
        member_id=call.number(),
        version=body.version,
        reason=body.reason,
    )
    return await _member_now(call)


async def _member_now(call: Call) -> MemberOut:
    return _member((await members.card(call.ground, member_id=call.number())).member)


def _form(found: Form) -> FormOut:
    return FormOut.model_validate(found, from_attributes=True)


def _member(found: Member) -> MemberOut:
    return MemberOut.model_validate(found, from_attributes=True)


def _partner(found: Partner, submitted: int, confirmed: int) -> PartnerOut:
    return PartnerOut(
        id=found.id,
        key=found.key,
        name=found.name,
        origins=found.origins,
        languages=found.languages,
        contact_name=found.contact_name,
        contact_email=found.contact_email,
        agreed_on=found.agreed_on,
        is_active=found.is_active,
        submitted=submitted,
        confirmed=confirmed,
    )
