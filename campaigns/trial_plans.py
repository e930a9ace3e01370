"""What a trial tries, on how many, and who chooses; typed and checked. Pure.

Staff's form, the API and the command line all make these; `Trial.plan` keeps them.
"""

import enum
from collections.abc import Mapping
from typing import Annotated, Any

import pydantic
from pydantic import Field

from campaigns import document_problems
from campaigns.block_models import Language, Line, Piece
from campaigns.documents import Document
from foundation import errors
from foundation.i18n import N_

FEWEST_PERCENT, MOST_PERCENT = 2, 90
MOST_HOURS = 336


class What(enum.StrEnum):
    """What differs between the two forms."""

    SUBJECT = "subject"
    """The subject of each edition."""
    SENDER = "sender"
    """The sender's name."""
    BLOCK = "block"
    """Of two blocks of the bulletin, each form has one."""


class Chooser(enum.StrEnum):
    """How the form that all others get is chosen."""

    CLICKS = "clicks"
    """By people's clicks, when the time is over."""
    HAND = "hand"
    """By a person."""


class WhenUnclear(enum.StrEnum):
    """What happens when the clicks show no clear winner."""

    HAND = "hand"
    """A person chooses."""
    FIRST = "a"
    """All others get A."""


class Plan(Piece):
    """A trial as staff want it."""

    what: What
    subjects: dict[Language, Line] = {}
    """The other subject of each edition."""
    from_name: Line = ""
    """The other sender's name."""
    block_a: Line = ""
    """The block that form A has, and B has not, by its name in the document."""
    block_b: Line = ""
    percent: Annotated[int, Field(ge=FEWEST_PERCENT, le=MOST_PERCENT)] = 20
    """How many of the audience get one form or the other at first: half of them each."""
    hours: Annotated[int, Field(ge=1, le=MOST_HOURS)] = 24
    """After so long it is looked who won."""
    chooser: Chooser = Chooser.CLICKS
    when_unclear: WhenUnclear = WhenUnclear.HAND

    @pydantic.model_validator(mode="after")
    def _is_complete(self) -> "Plan":
        if self.what is What.SUBJECT and not any(self.subjects.values()):
            raise ValueError("subject needs subjects")
        if self.what is What.SENDER and not self.from_name:
            raise ValueError("sender needs from_name")
        if self.what is What.BLOCK and not (self.block_a and self.block_b):
            raise ValueError("block needs block_a and block_b")
        if self.what is What.BLOCK and self.block_a == self.block_b:
            raise ValueError("block_a and block_b are the same")
        return self


def parse(values: Mapping[str, Any]) -> Plan:
    """A plan from its values. Raises `errors.Invalid`; its `fields` name every wrong place."""
    try:
        return Plan.model_validate(dict(values))
    except pydantic.ValidationError as problem:
        raise document_problems.explained(problem, values, "", model=Plan) from problem


def dump(plan: Plan) -> dict[str, Any]:
    """The plan as JSON values."""
    return plan.model_dump(mode="json", exclude_defaults=True)


def forms(plan: Plan, document: Document) -> tuple[Document, Document]:
    """The two forms of a bulletin, A and B.

    Raises `errors.Invalid` for an edition without another subject, and for a block that is gone.
    """
    if plan.what is What.SUBJECT:
        missing = [code for code in document.languages if not plan.subjects.get(code)]
        if missing:
            said = errors.Invalid(
                N_("Give the edition in %(languages)s another subject too."),
                languages=", ".join(missing),
            )
            fields: dict[str, errors.HandbillError] = {f"subject-{code}": said for code in missing}
            raise errors.Invalid(said.msgid, fields=fields, **said.values)
        return document, document.model_copy(
            update={
                "editions": {
                    code: edition.model_copy(update={"subject": plan.subjects[code]})
                    for code, edition in document.editions.items()
                }
            }
        )
    if plan.what is What.SENDER:
        return document, document
    for field in ("block_a", "block_b"):
        if all(each.id != getattr(plan, field) for each in document.blocks):
            gone = errors.Invalid(N_("A block that is tried is not in the bulletin any more."))
            raise errors.Invalid(gone.msgid, fields={field: gone})
    return _without(document, plan.block_b), _without(document, plan.block_a)


def _without(document: Document, block_id: str) -> Document:
    return document.with_blocks(each for each in document.blocks if each.id != block_id)
