"""What an audience can be narrowed by: conditions on people, as they are stored and sent in. Pure.

A person has to fit every condition in `all_of`, one at least in `any_of` if there are any, and none
in `none_of`. How each is asked of the database stands in `audience_conditions.py`, how it is said
in `audience_words.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from campaigns import zips
from foundation.frozen import frozen
from foundation.i18n import N_
from subscribers import unasked
from subscribers.member_models import ContactDuty

EXCLUSIONS: Mapping[str, str] = {
    "pending": N_("asked to be signed up, but did not confirm"),
    "unsubscribed": N_("unsubscribed"),
    "suppressed": N_("must not be mailed: bounces, a complaint, or by hand"),
    "other-language": N_("want another language"),
    "not-a-member": N_("are no contact of a member"),
    "other-duty": N_("are contacts of a member who look after something else"),
    "did-not-get-it": N_("did not get the earlier campaign"),
    "got-it-already": N_("have it from an earlier campaign"),
    "other-topic": N_("are not on the other topic that was asked for"),
    "elsewhere": N_("live elsewhere, or did not say where"),
    "other-source": N_("signed up in another way"),
    "other-tag": N_("don't have the tag"),
    "other-field": N_("have something else in the field"),
    "other-time": N_("joined at another time"),
    "not-seen": N_("are not known to have opened or followed it"),
    "not-counted": N_("did not agree to be counted by name"),
    "mailed-lately": N_("got a mail lately"),
    "not-in-segment": N_("are not in the segment"),
    "fits-none": N_("fit none of the alternatives"),
    "ruled-out": N_("are among those who are not to get it"),
}
"""Why somebody on the chosen topics is left out; each person counts under one reason."""

MOST_CONDITIONS = 20
"""In one group."""
MOST_VALUES = 100
"""In one condition."""
LONGEST_DAYS = 3650

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Texts = Annotated[list[Text], Field(min_length=1, max_length=MOST_VALUES)]
Number = Annotated[int, Field(ge=1, le=2**53)]
Numbers = Annotated[list[Number], Field(max_length=MOST_VALUES)]
Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2999, 12, 31))]
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS)]


class Shape(BaseModel):
    """Base of what is stored: unknown fields are refused by name."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)


class OnTopic(Shape):
    """Is confirmed on one of these topics, besides the one that the campaign is about."""

    kind: Literal["topic"] = "topic"
    topics: Texts


class Speaks(Shape):
    """Wants one of these languages, or a region's form of it."""

    kind: Literal["language"] = "language"
    languages: Texts


class PostalCode(Shape):
    """Has one of these postal codes, or one that begins so: `016` is 01600 to 01699."""

    kind: Literal["postal-code"] = "postal-code"
    codes: Texts

    @model_validator(mode="after")
    def _are_codes(self) -> Self:
        if not all(plain_code(each) for each in self.codes):
            raise ValueError("a postal code has letters or digits")
        return self


class Town(Shape):
    """Lives in one of these towns; small and capital letters are the same."""

    kind: Literal["town"] = "town"
    towns: Texts


class Near(Shape):
    """Has a ZIP code within so many miles of a place: a ZIP code, or `Worcester, MA`."""

    kind: Literal["near"] = "near"
    place: Text
    miles: Annotated[int, Field(ge=1, le=zips.MOST_MILES)] = zips.USUAL_MILES


class Source(Shape):
    """Signed up with one of these words as `?source=`."""

    kind: Literal["source"] = "source"
    sources: Texts


class ByForm(Shape):
    """Signed up by one of these forms."""

    kind: Literal["form"] = "form"
    forms: Texts


class ByPartner(Shape):
    """Signed up through one of these partners."""

    kind: Literal["partner"] = "partner"
    partners: Annotated[Numbers, Field(min_length=1)]


class Tag(Shape):
    """Has one of these tags."""

    kind: Literal["tag"] = "tag"
    tags: Texts

    @model_validator(mode="after")
    def _may_be_asked(self) -> Self:
        _refuse_unasked(self.tags)
        return self


class OwnField(Shape):
    """Has one of these values in a field of the site's own, in small or capital letters."""

    kind: Literal["field"] = "field"
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w{0,49}$")]
    values: Texts

    @model_validator(mode="after")
    def _may_be_asked(self) -> Self:
        _refuse_unasked([self.name])
        return self


class Joined(Shape):
    """Came to us in a span of time: from a day on, before a day, or in the last so many days."""

    kind: Literal["joined"] = "joined"
    since: Day | None = None
    before: Day | None = None
    last_days: Days | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.since is None and self.before is None and self.last_days is None:
            raise ValueError("say since when, before when, or how many days")
        return self


class _OfCampaigns(Shape):
    campaigns: Numbers = []
    last: Annotated[int, Field(ge=1, le=50)] | None = None
    """Any of the last so many that were sent, whatever their audience."""

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if not self.campaigns and self.last is None:
            raise ValueError("name campaigns, or say how many of the last")
        return self


class Received(_OfCampaigns):
    """Was sent one of these campaigns, or may have it."""

    kind: Literal["received"] = "received"


class Opened(_OfCampaigns):
    """Opened one of these campaigns, as far as they agreed to be counted by name."""

    kind: Literal["opened"] = "opened"


class Clicked(_OfCampaigns):
    """Followed a link in one of these campaigns, as far as they agreed to be counted by name."""

    kind: Literal["clicked"] = "clicked"


class Counted(Shape):
    """Agreed to be counted by name."""

    kind: Literal["counted"] = "counted"


class IsContact(Shape):
    """Is a confirmed contact of a member, perhaps one who looks after one of these."""

    kind: Literal["member"] = "member"
    duties: list[ContactDuty] = []


class NotMailed(Shape):
    """Was sent nothing for so many days, and nothing is on its way to them."""

    kind: Literal["not-mailed"] = "not-mailed"
    days: Days


class InSegment(Shape):
    """Is in a saved segment."""

    kind: Literal["segment"] = "segment"
    segment: Number
    version: Annotated[int, Field(ge=0)] = 0
    """0: as it stands when it is asked; a campaign that was sent holds the one of then."""


Simple = Annotated[
    OnTopic | Speaks | PostalCode | Town | Near | Source | ByForm | ByPartner | Tag | OwnField
    | Joined | Received | Opened | Clicked | Counted | IsContact | NotMailed,
    Field(discriminator="kind"),
]  # fmt: skip
Condition = Annotated[
    OnTopic | Speaks | PostalCode | Town | Near | Source | ByForm | ByPartner | Tag | OwnField
    | Joined | Received | Opened | Clicked | Counted | IsContact | NotMailed | InSegment,
    Field(discriminator="kind"),
]  # fmt: skip
Simples = Annotated[list[Simple], Field(max_length=MOST_CONDITIONS)]
Conditions = Annotated[list[Condition], Field(max_length=MOST_CONDITIONS)]

BY_NAME = (Opened, Clicked)
"""Known only of people who agreed to be counted by name."""


class Rules(Shape):
    """What a segment is: conditions that name no other segment."""

    all_of: Simples = []
    any_of: Simples = []
    none_of: Simples = []


class Audience(Shape):
    """A rule: people confirmed on one of the topics, perhaps only those who fit conditions.

    `languages`, `members`, `duties`, `received` and `not_received` are the older way to write a few
    of the conditions; both ways count, and `unfolded` gives them as one.
    """

    topics: list[str] = []
    """Slugs; none means nobody, unless only contacts of members are wanted."""
    languages: list[str] = []
    """Codes; none means every language."""
    members: bool = False
    """Only confirmed contacts of approved members; without topics: all of them."""
    duties: list[ContactDuty] = []
    """Of those contacts, only who looks after one of these; none means all of them."""
    received: list[int] = []
    """Numbers of campaigns: only people who got one of them, or may have."""
    not_received: list[int] = []
    """Numbers of campaigns: only people who got none of them and will get none."""
    all_of: Conditions = []
    any_of: Conditions = []
    none_of: Conditions = []


@frozen
class Groups:
    """The conditions of an audience or segment, however they were written."""

    all_of: Sequence[Condition] = ()
    any_of: Sequence[Condition] = ()
    none_of: Sequence[Condition] = ()

    @property
    def is_narrow(self) -> bool:
        """Whether they leave anybody out."""
        return bool(self.all_of or self.any_of or self.none_of)

    @property
    def everything(self) -> Sequence[Condition]:
        """All of them, in their order."""
        return (*self.all_of, *self.any_of, *self.none_of)


def unfolded(rules: Audience | Rules) -> Groups:
    """All conditions as one, those that are written the older way first."""
    if isinstance(rules, Rules):
        return Groups(all_of=rules.all_of, any_of=rules.any_of, none_of=rules.none_of)
    older: list[Condition] = []
    if rules.languages:
        older.append(Speaks(languages=rules.languages))
    if rules.members:
        older.append(IsContact(duties=rules.duties))
    if rules.received:
        older.append(Received(campaigns=rules.received))
    not_received = [Received(campaigns=rules.not_received)] if rules.not_received else []
    return Groups(
        all_of=(*older, *rules.all_of),
        any_of=rules.any_of,
        none_of=(*not_received, *rules.none_of),
    )


def segments_of(rules: Audience | Rules) -> list[int]:
    """Numbers of the segments that are named, each once."""
    named = [each.segment for each in unfolded(rules).everything if isinstance(each, InSegment)]
    return list(dict.fromkeys(named))


def stored(rules: Audience | Rules) -> dict[str, Any]:
    """As it is kept."""
    return rules.model_dump(mode="json")


def plain_code(typed: str) -> str:
    """A postal code, or how one begins, as codes are compared: `m5v 2t6` is `M5V2T6`."""
    return "".join(each for each in typed.upper() if each.isalnum())


def _refuse_unasked(names: Sequence[str]) -> None:
    for name in names:
        if unasked.is_unasked(name):
            raise ValueError(f"nobody is chosen by immigration status: leave {name!r} out")
