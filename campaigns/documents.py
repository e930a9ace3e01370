"""Bulletin documents: a bulletin's blocks and editions as TOML or JSON, checked and typed.

`campaigns create`, the API and the composer all make these; `docs/bulletin-documents.md` describes
every block. What is wrong in one is named with its place and what is allowed there.
"""

import json
import secrets
import tomllib
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field, StringConstraints

from campaigns import document_problems
from campaigns.block_models import KINDS, AnyBlock, Html, Language, Line, Piece
from campaigns.models import Visibility
from foundation import errors
from foundation.i18n import N_
from templates import content

MAX_BLOCKS = 60

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]


class Edition(Piece):
    """What stands outside the blocks, in one language."""

    subject: Line = ""
    preheader: Line = ""
    title: Line = ""
    """The headline in the mail; the subject when blank."""


class CampaignPart(Piece):
    """How the bulletin is to be sent, for `campaigns create`."""

    name: Line = ""
    from_name: Line = ""
    from_address: Line = ""
    reply_to: Line = ""
    relay: Line = ""
    """A `[[relay]]` by its name; blank: whichever is right for the sender."""
    when_uncertain: Literal["", "hold", "resend"] = ""
    """Whether those of whom it is uncertain that they got it wait for staff, or get it again."""
    visibility: Visibility = Visibility.PUBLIC
    archive_slug: Slug | Literal[""] = ""
    """The name of its page in the archive; blank: its day and name."""


class Document(Piece):
    """A whole bulletin: what `Bulletin.document` holds."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    issue: Slug | Literal[""] = ""
    template: Annotated[content.Template | Slug, Field(union_mode="left_to_right")] = (
        content.Template.BULLETIN
    )
    """One of those that Handbill brings along, or the short name of one of the site's own."""
    default_language: Language | Literal[""] = ""
    only_translated: bool = False
    """Whether developments and handouts without an edition's language are left out of it."""
    editions: dict[Language, Edition] = {}
    blocks: Annotated[
        list[Annotated[AnyBlock, Field(discriminator="kind")]], Field(max_length=MAX_BLOCKS)
    ] = []
    audience: dict[str, Any] = {}
    """See `campaigns/audiences.py`; used by `campaigns create`."""
    campaign: CampaignPart = CampaignPart()
    behind: dict[Language, dict[Line, dict[Line, Html]]] = {}
    """Language → text → what its source said when it was right; see `campaigns/translating.py`."""
    desk_said: dict[Language, dict[Line, dict[Line, Html]]] = {}
    """Language → own words for a development → what the desk said when they were written."""

    @property
    def languages(self) -> list[str]:
        """The languages of the editions, the document's default first."""
        return sorted(self.editions, key=lambda code: (code != self.default_language, code))

    def place(self, block_id: str) -> int:
        """Where a block stands, from 0. Raises `errors.NotFound`."""
        for place, block in enumerate(self.blocks):
            if block.id == block_id:
                return place
        raise errors.NotFound(N_("This block is no longer there."))

    def block(self, block_id: str) -> AnyBlock:
        """A block by its name. Raises `errors.NotFound`."""
        return self.blocks[self.place(block_id)]

    def with_blocks(self, blocks: Iterable[AnyBlock]) -> "Document":
        """The same with other blocks."""
        return self.model_copy(update={"blocks": list(blocks)})


def parse(source: str | Mapping[str, Any], *, name: str = "") -> Document:
    """A document from TOML or JSON text, or from values that were read already.

    `name` is a file's, for messages. Raises `errors.Invalid`; its `fields` name every wrong place.
    """
    values = read(source, name) if isinstance(source, str) else dict(source)
    try:
        return with_ids(Document.model_validate(values))
    except pydantic.ValidationError as problem:
        raise document_problems.explained(problem, values, name, model=Document) from problem


def parse_block(values: Mapping[str, Any]) -> AnyBlock:
    """One block from its values. Raises `errors.Invalid` with `fields` by place in the block."""
    model = KINDS.get(str(values.get("kind", "")))
    if model is None:
        raise errors.Invalid(
            N_("There is no block of the kind “%(kind)s”. There are: %(allowed)s."),
            kind=str(values.get("kind", ""))[:40],
            allowed=", ".join(KINDS),
        )
    try:
        return typing.cast(AnyBlock, model.model_validate(dict(values)))
    except pydantic.ValidationError as problem:
        raise document_problems.explained(problem, values, "", model=model) from problem


def dump(document: Document) -> dict[str, Any]:
    """The document as JSON values, without what is at its default."""
    kept = document.model_dump(mode="json", exclude_defaults=True)
    for block, values in zip(document.blocks, kept.get("blocks", []), strict=True):
        values["kind"] = block.kind
    return kept


def as_json(document: Document) -> str:
    """The document as JSON text that `parse` reads again."""
    return json.dumps(dump(document), ensure_ascii=False, indent=2) + "\n"


def with_ids(document: Document) -> Document:
    """The same with a name for every block that has none, or that of another."""
    seen: set[str] = set()
    blocks: list[AnyBlock] = []
    for block in document.blocks:
        named = block
        if not block.id or block.id in seen:
            named = block.model_copy(update={"id": new_id(seen)})
        seen.add(named.id)
        blocks.append(named)
    return document.with_blocks(blocks)


def new_id(taken: Iterable[str]) -> str:
    """A name for a block that no other has."""
    used = set(taken)
    while True:
        fresh = secrets.token_hex(3)
        if fresh not in used:
            return fresh


def in_the_same_order(one: Sequence[str], other: Sequence[str]) -> set[str]:
    """The most names that stand in the same order in both: those that nobody moved."""
    lengths = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, left in reversed(list(enumerate(one))):
        for j, right in reversed(list(enumerate(other))):
            lengths[i][j] = (
                lengths[i + 1][j + 1] + 1
                if left == right
                else max(lengths[i + 1][j], lengths[i][j + 1])
            )
    found: set[str] = set()
    i = j = 0
    while i < len(one) and j < len(other):
        if one[i] == other[j]:
            found.add(one[i])
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def read(text: str, name: str) -> dict[str, Any]:
    """JSON when it starts with a brace, else TOML."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        raise errors.Invalid(
            N_("%(file)s can't be read as TOML or JSON: %(problem)s"),
            file=name or "document",
            problem=str(problem),
        ) from problem
    if not isinstance(found, dict):
        raise errors.Invalid(N_("A bulletin document is a table of keys, not a list."))
    return found
