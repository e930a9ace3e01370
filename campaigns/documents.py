"""Bulletin documents: a bulletin's blocks and editions as TOML or JSON, checked and typed.

`campaigns create`, the API and the composer all make these; `docs/bulletin-documents.md` describes
every block. What is wrong in one is named with its place and what is allowed there.
"""

import json
import re
import secrets
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import pydantic
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from foundation import errors
from foundation.i18n import N_
from templates import content

MAX_BLOCKS = 60
MAX_DEVELOPMENTS = 50

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Line = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
Address = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]
Html = Annotated[str, StringConstraints(max_length=50_000)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]


class Piece(BaseModel):
    """Base of every part of a document: unknown keys are refused, nothing changes in place."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Edition(Piece):
    """What stands outside the blocks, in one language."""

    subject: Line = ""
    preheader: Line = ""
    title: Line = ""
    """The headline in the mail; the subject when blank."""


class Block(Piece):
    """Base of every kind of block."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,20}$")] = ""
    """A name within the document, given when it is first kept."""


class HeadingText(Piece):
    """A headline in one language."""

    text: Line = ""


class Heading(Block):
    """A headline between blocks."""

    kind: Literal["heading"] = "heading"
    level: Annotated[int, Field(ge=2, le=4)] = 2
    texts: dict[Language, HeadingText] = {}


class RichTextText(Piece):
    """Rich text in one language."""

    html: Html = ""


class RichText(Block):
    """Paragraphs, lists, quotations and links."""

    kind: Literal["rich_text"] = "rich_text"
    texts: dict[Language, RichTextText] = {}


class TitleText(Piece):
    """The title over a list, in one language."""

    title: Line = ""


class Developments(Block):
    """Developments: those named by `keys`, or all since a date or number of days."""

    kind: Literal["developments"] = "developments"
    keys: Annotated[list[str | pydantic.StrictInt], Field(max_length=MAX_DEVELOPMENTS)] = []
    since: date | None = None
    since_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_DEVELOPMENTS)] = MAX_DEVELOPMENTS
    texts: dict[Language, TitleText] = {}

    @pydantic.model_validator(mode="after")
    def _one_choice(self) -> "Developments":
        chosen = sum((bool(self.keys), self.since is not None, self.since_days is not None))
        if chosen > 1:
            raise ValueError("choose one of keys, since and since_days")
        return self


class Figures(Block):
    """Figures of the issue's page, named by their keys."""

    kind: Literal["figures"] = "figures"
    keys: Annotated[list[str], Field(max_length=12)] = []
    texts: dict[Language, TitleText] = {}


class MaterialText(Piece):
    """What is said of a handout, in one language; blank fields come from the material."""

    title: Line = ""
    lead: Line = ""
    label: Line = ""


class Material(Block):
    """A handout of the issue, named by its slug."""

    kind: Literal["material"] = "material"
    material: Line = ""
    texts: dict[Language, MaterialText] = {}


class EventText(Piece):
    """An event in one language."""

    title: Line = ""
    place: Line = ""
    address: Line = ""
    body_html: Html = ""
    url: Address = ""


class Event(Block):
    """Something to come to. Times are local to `zone` (the site's when blank)."""

    kind: Literal["event"] = "event"
    starts_at: pydantic.NaiveDatetime | None = None
    ends_at: pydantic.NaiveDatetime | None = None
    zone: str = ""
    url: Address = ""
    texts: dict[Language, EventText] = {}

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        if value and value not in available_timezones():
            raise ValueError("must be a time zone such as America/New_York")
        return value

    @pydantic.model_validator(mode="after")
    def _ends_after_start(self) -> "Event":
        if self.starts_at and self.ends_at and self.ends_at < self.starts_at:
            raise ValueError("ends_at is before starts_at")
        return self


class ActionText(Piece):
    """A call to action in one language; a blank `url` is the block's."""

    label: Line = ""
    lead: Line = ""
    url: Address = ""


class Action(Block):
    """The call to action: one button."""

    kind: Literal["action"] = "action"
    url: Address = ""
    texts: dict[Language, ActionText] = {}


class ImageText(Piece):
    """What a picture shows, in one language."""

    alt: Line = ""
    caption: Line = ""
    url: Address = ""


class Image(Block):
    """A picture: one that was uploaded (by digest or file name), or an address elsewhere."""

    kind: Literal["image"] = "image"
    picture: Line = ""
    src: Address = ""
    width: Annotated[int, Field(ge=16, le=1200)] | None = None
    url: Address = ""
    texts: dict[Language, ImageText] = {}


class Divider(Block):
    """A hairline between two parts."""

    kind: Literal["divider"] = "divider"


AnyBlock = Heading | RichText | Developments | Figures | Material | Event | Action | Image | Divider
KINDS: Mapping[str, type[Block]] = {
    model.model_fields["kind"].default: model for model in typing.get_args(AnyBlock)
}
"""Every kind of block by its name in documents."""


class CampaignPart(Piece):
    """How the bulletin is to be sent, for `campaigns create`."""

    name: Line = ""
    from_name: Line = ""
    from_address: Line = ""
    reply_to: Line = ""
    relay: Line = ""
    """A `[[relay]]` by its name; blank: whichever is right for the sender."""


class Document(Piece):
    """A whole bulletin: what `Bulletin.document` holds."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    issue: Slug | Literal[""] = ""
    template: content.Template = content.Template.BULLETIN
    default_language: Language | Literal[""] = ""
    editions: dict[Language, Edition] = {}
    blocks: Annotated[
        list[Annotated[AnyBlock, Field(discriminator="kind")]], Field(max_length=MAX_BLOCKS)
    ] = []
    audience: dict[str, Any] = {}
    """See `campaigns/audiences.py`; used by `campaigns create`."""
    campaign: CampaignPart = CampaignPart()

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

    def block(self, block_id: str) -> "AnyBlock":
        """A block by its name. Raises `errors.NotFound`."""
        return self.blocks[self.place(block_id)]

    def with_blocks(self, blocks: Iterable["AnyBlock"]) -> "Document":
        """The same with other blocks."""
        return self.model_copy(update={"blocks": list(blocks)})


def parse(source: str | Mapping[str, Any], *, name: str = "") -> Document:
    """A document from TOML or JSON text, or from values that were read already.

    `name` is a file's, for messages. Raises `errors.Invalid`; its `fields` name every wrong place.
    """
    values = _read(source, name) if isinstance(source, str) else dict(source)
    try:
        return with_ids(Document.model_validate(values))
    except pydantic.ValidationError as problem:
        raise _explained(problem, values, name) from problem


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
        raise _explained(problem, values, "") from problem


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


def _read(text: str, name: str) -> dict[str, Any]:
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


def _explained(
    problem: pydantic.ValidationError, values: Mapping[str, Any], name: str
) -> errors.Invalid:
    fields: dict[str, errors.HandbillError] = {}
    for each in problem.errors():
        place, said = _finding(each["type"], each["loc"], each["msg"], values)
        fields.setdefault(place, said)
    place, first = next(iter(fields.items()))
    return errors.Invalid(
        N_("%(file)s: %(place)s: %(problem)s"),
        fields=fields,
        file=name or "document",
        place=place,
        problem=first,
    )


def _finding(
    kind: str, loc: tuple[int | str, ...], message: str, values: Mapping[str, Any]
) -> tuple[str, errors.HandbillError]:
    """Place and words of one of pydantic's findings."""
    place = _place(loc, values)
    if kind == "extra_forbidden":
        allowed = _allowed(loc, values)
        return place, errors.Invalid(
            N_("there is no key “%(key)s” here. Allowed: %(allowed)s."),
            key=str(loc[-1])[:60],
            allowed=", ".join(allowed),
        )
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return f"{place}.kind", errors.Invalid(
            N_("a block needs a kind, one of: %(allowed)s."), allowed=", ".join(KINDS)
        )
    if kind == "missing":
        return place, errors.Invalid(N_("this is missing."))
    if kind == "string_pattern_mismatch":
        is_line = "x00" in message
        return place, errors.Invalid(
            N_("This can't hold line breaks.")
            if is_line
            else N_("only small letters, digits and hyphens can stand here.")
        )
    return place, errors.Invalid("%(problem)s", problem=message.removeprefix("Value error, "))


def _place(loc: tuple[int | str, ...], values: Mapping[str, Any]) -> str:
    """`("blocks", 2, "event", "zone")` → `blocks[3].zone`; blocks are counted from 1."""
    words: list[str] = []
    for part in _real(loc, values):
        if isinstance(part, int):
            words[-1] += f"[{part + 1}]"
        else:
            words.append(part)
    return ".".join(words) or "document"


def _real(loc: tuple[int | str, ...], values: Mapping[str, Any]) -> list[int | str]:
    """The path without the kind that pydantic puts behind a block's number."""
    is_in_block = len(loc) > 2 and loc[0] == "blocks" and "blocks" in values
    path = [*loc[:2], *loc[3:]] if is_in_block else list(loc)
    return [part for part in path if part != "[key]" and not _is_branch(part)]


def _is_branch(part: int | str) -> bool:
    """Whether a part of a path is pydantic's name for one side of a union."""
    return isinstance(part, str) and bool(
        re.fullmatch(r"constrained-.*|literal\[.*|.*\(.*\)", part)
    )


def _allowed(loc: tuple[int | str, ...], values: Mapping[str, Any]) -> list[str]:
    """The keys of the model in which `loc` found one too many."""
    model: Any = Document
    path = _real(loc, values)[:-1]
    if "kind" in values and "blocks" not in values:
        model = KINDS[str(values["kind"])]
    for depth, part in enumerate(path):
        if isinstance(part, int) and depth == 1 and path[0] == "blocks":
            model = KINDS[str(values["blocks"][part].get("kind"))]
        elif isinstance(part, str) and _is_model(model) and part in model.model_fields:
            model = _inner(model.model_fields[part].annotation)
    return sorted(set(model.model_fields) - {"id"}) if _is_model(model) else []


def _is_model(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseModel)


def _inner(annotation: Any) -> Any:
    """The model inside `dict[Language, Model]`, `list[…]` or `Model` itself."""
    if _is_model(annotation) or isinstance(annotation, types.UnionType):
        return annotation
    arguments = typing.get_args(annotation)
    return arguments[-1] if arguments else annotation


def local(moment: datetime) -> str:
    """A local time as documents write it: `2026-12-01T18:30`."""
    return moment.isoformat(timespec="minutes")
