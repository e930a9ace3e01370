"""Says an audience or a segment as one sentence, in any language of the site.

“People on Secure Communities who live in 016… and joined in the last 90 days, but not who got
“June”.” The same words stand on every page, in the log, and before the conditions of the form.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audience_problems, audience_rules, wording
from campaigns.audience_rules import Audience, Condition, Groups, Rules
from campaigns.models import Campaign
from campaigns.segment_models import Segment
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, NN_, Translator
from subscribers import plainly, topics
from subscribers.models import Form, Partner, Topic

_Key = TypeVar("_Key", int, str)
_WHOLE_CODE = 5
"""A postal code that is shorter is the beginning of many."""


@frozen
class Names:
    """What things that conditions refer to are called; what is not there any more is left out."""

    topics: Mapping[str, Topic] = field(default_factory=dict)
    campaigns: Mapping[int, str] = field(default_factory=dict)
    forms: Mapping[str, str] = field(default_factory=dict)
    partners: Mapping[int, str] = field(default_factory=dict)
    segments: Mapping[int, str] = field(default_factory=dict)


async def names_of(session: AsyncSession, *rules: Audience | Rules) -> Names:
    """The names of all that some audiences and segments refer to."""
    conditions = [each for one in rules for each in audience_rules.unfolded(one).everything]
    of_campaigns = (audience_rules.Received, audience_rules.Opened, audience_rules.Clicked)
    campaigns = {n for c in conditions if isinstance(c, of_campaigns) for n in c.campaigns}
    forms = {n for c in conditions if isinstance(c, audience_rules.ByForm) for n in c.forms}
    partners = {
        n for c in conditions if isinstance(c, audience_rules.ByPartner) for n in c.partners
    }
    segments = {c.segment for c in conditions if isinstance(c, audience_rules.InSegment)}

    return Names(
        topics={each.slug: each for each in await topics.everything(session)},
        campaigns=await _found(session, col(Campaign.id), col(Campaign.name), campaigns),
        forms=await _found(session, col(Form.slug), col(Form.name), forms),
        partners=await _found(session, col(Partner.id), col(Partner.name), partners),
        segments=await _found(session, col(Segment.id), col(Segment.name), segments),
    )


async def _found(
    session: AsyncSession,
    key: SQLCoreOperations[_Key],
    name: SQLCoreOperations[str],
    wanted: Collection[_Key],
) -> dict[_Key, str]:
    if not wanted:
        return {}
    statement = sa.select(key, name).where(key.in_(wanted))
    return dict((await session.execute(statement)).all())


def sentence(rules: Audience | Rules, names: Names, speaks: Translator) -> str:
    """An audience or segment as one sentence, without its full stop."""
    groups = audience_rules.unfolded(rules)
    if isinstance(rules, Rules) and not groups.is_narrow:
        return speaks.gettext(N_("Everybody"))
    said = _people(rules, names, speaks)
    if isinstance(rules, Audience) and not rules.topics:
        groups = _without_contacts(groups)
    each = _Saying(names=names, speaks=speaks)
    parts = [each.phrase(condition) for condition in groups.all_of]
    if groups.any_of:
        parts.append(speaks.one_of(each.phrase(condition) for condition in groups.any_of))
    if parts:
        said = speaks.gettext(N_("%(people)s who %(conditions)s")) % {
            "people": said,
            "conditions": speaks.all_of(parts),
        }
    if groups.none_of:
        said = speaks.gettext(N_("%(people)s, but not who %(conditions)s")) % {
            "people": said,
            "conditions": speaks.one_of(each.phrase(condition) for condition in groups.none_of),
        }
    return said


async def logged(
    ground: Ground, session: AsyncSession, values: Mapping[str, Any]
) -> dict[str, Any]:
    """A campaign's columns as the log keeps them: the audience in words of the site's language.

    What can't be read any more is kept as it is.
    """
    try:
        audience = audience_problems.read(Audience, values["audience"])
    except errors.Invalid:
        return dict(values)
    speaks = ground.translator(ground.settings.site.language)
    names = await names_of(session, audience)
    return {**values, "audience": sentence(audience, names, speaks)}


def phrase(condition: Condition, names: Names, speaks: Translator) -> str:
    """One condition as it goes on after “people who”: “live in 016… or 01721”."""
    return _Saying(names=names, speaks=speaks).phrase(condition)


def is_by_name(rules: Audience | Rules) -> bool:
    """Whether it asks what is known only of people who agreed to be counted by name."""
    everything = audience_rules.unfolded(rules).everything
    return any(isinstance(each, audience_rules.BY_NAME) for each in everything)


def _people(rules: Audience | Rules, names: Names, speaks: Translator) -> str:
    if isinstance(rules, Rules):
        return speaks.gettext(N_("People"))
    if rules.topics:
        named = [
            topics.name(names.topics[slug], speaks.language) if slug in names.topics else slug
            for slug in rules.topics
        ]
        return speaks.gettext(N_("People on %(topics)s")) % {"topics": speaks.one_of(named)}
    contacts = [
        each
        for each in audience_rules.unfolded(rules).all_of
        if isinstance(each, audience_rules.IsContact)
    ]
    if not contacts:
        return speaks.gettext(N_("Nobody yet"))
    if not contacts[0].duties:
        return speaks.gettext(N_("Contacts of members"))
    return speaks.gettext(N_("Contacts of members for: %(duties)s")) % {
        "duties": _duties(contacts[0], speaks)
    }


def _without_contacts(groups: Groups) -> Groups:
    """The rest, where the first thing said is that they are contacts of members."""
    contacts = [each for each in groups.all_of if isinstance(each, audience_rules.IsContact)]
    rest = [each for each in groups.all_of if each not in contacts[:1]]
    return Groups(all_of=rest, any_of=groups.any_of, none_of=groups.none_of)


def _duties(condition: audience_rules.IsContact, speaks: Translator) -> str:
    return speaks.one_of(speaks.gettext(plainly.DUTIES[duty]) for duty in condition.duties)


@frozen
class _Saying:
    """Says conditions in one language."""

    names: Names
    speaks: Translator

    def phrase(self, condition: Condition) -> str:
        """One condition in words."""
        return _SAID[condition.kind](self, condition)

    def say(self, msgid: str, **values: str) -> str:
        return self.speaks.gettext(msgid) % values

    def any(self, values: Iterable[str]) -> str:
        return self.speaks.one_of(values)

    def quoted(self, values: Iterable[str]) -> str:
        return self.any(self.say(N_("“%(name)s”"), name=each) for each in values)

    def topic(self, condition: audience_rules.OnTopic) -> str:
        known = self.names.topics
        named = (
            topics.name(known[slug], self.speaks.language) if slug in known else slug
            for slug in condition.topics
        )
        return self.say(N_("are also on %(topics)s"), topics=self.any(named))

    def language(self, condition: audience_rules.Speaks) -> str:
        named = (wording.language_name(code, self.speaks) for code in condition.languages)
        return self.say(N_("want %(languages)s"), languages=self.any(named))

    def postal_code(self, condition: audience_rules.PostalCode) -> str:
        shown = (
            code if len(audience_rules.plain_code(code)) >= _WHOLE_CODE else f"{code}…"
            for code in condition.codes
        )
        return self.say(N_("live in %(places)s"), places=self.any(shown))

    def town(self, condition: audience_rules.Town) -> str:
        return self.say(N_("live in %(places)s"), places=self.any(condition.towns))

    def near(self, condition: audience_rules.Near) -> str:
        words = self.speaks.ngettext(
            *NN_(
                "live within %(count)s mile of %(place)s",
                "live within %(count)s miles of %(place)s",
            ),
            condition.miles,
        )
        return words % {"count": self.speaks.number(condition.miles), "place": condition.place}

    def source(self, condition: audience_rules.Source) -> str:
        named = self.quoted(condition.sources)
        return self.say(N_("signed up from the source %(names)s"), names=named)

    def form(self, condition: audience_rules.ByForm) -> str:
        named = self.quoted(self.names.forms.get(slug, slug) for slug in condition.forms)
        return self.say(N_("signed up by the form %(names)s"), names=named)

    def partner(self, condition: audience_rules.ByPartner) -> str:
        named = self.any(self.names.partners.get(n, str(n)) for n in condition.partners)
        return self.say(N_("signed up through %(names)s"), names=named)

    def tag(self, condition: audience_rules.Tag) -> str:
        return self.say(N_("have the tag %(names)s"), names=self.quoted(condition.tags))

    def own_field(self, condition: audience_rules.OwnField) -> str:
        return self.say(
            N_("have %(values)s in the field “%(field)s”"),
            values=self.quoted(condition.values),
            field=condition.name,
        )

    def joined(self, condition: audience_rules.Joined) -> str:
        parts = []
        if condition.last_days is not None:
            words = self.speaks.ngettext(
                *NN_("joined in the last %(count)s day", "joined in the last %(count)s days"),
                condition.last_days,
            )
            parts.append(words % {"count": self.speaks.number(condition.last_days)})
        if condition.since is not None:
            day = self.speaks.date(condition.since, "medium")
            parts.append(self.say(N_("joined on %(day)s or later"), day=day))
        if condition.before is not None:
            day = self.speaks.date(condition.before, "medium")
            parts.append(self.say(N_("joined before %(day)s"), day=day))
        return self.speaks.all_of(parts)

    def received(self, condition: audience_rules.Received) -> str:
        return self.say(N_("got %(names)s"), names=self.of_campaigns(condition))

    def opened(self, condition: audience_rules.Opened) -> str:
        return self.say(N_("opened %(names)s"), names=self.of_campaigns(condition))

    def clicked(self, condition: audience_rules.Clicked) -> str:
        return self.say(N_("followed a link in %(names)s"), names=self.of_campaigns(condition))

    def of_campaigns(
        self,
        condition: audience_rules.Received | audience_rules.Opened | audience_rules.Clicked,
    ) -> str:
        known = self.names.campaigns
        named = [
            self.say(N_("“%(name)s”"), name=known.get(number, str(number)))
            for number in condition.campaigns
        ]
        if condition.last is not None:
            words = self.speaks.ngettext(
                *NN_("the last campaign", "one of the last %(count)s campaigns"), condition.last
            )
            named.append(words % {"count": self.speaks.number(condition.last)})
        return self.any(named)

    def counted(self, _condition: audience_rules.Counted) -> str:
        return self.say(N_("agreed to be counted by name"))

    def contact(self, condition: audience_rules.IsContact) -> str:
        if not condition.duties:
            return self.say(N_("are contacts of a member"))
        duties = _duties(condition, self.speaks)
        return self.say(N_("are contacts of a member for: %(duties)s"), duties=duties)

    def not_mailed(self, condition: audience_rules.NotMailed) -> str:
        words = self.speaks.ngettext(
            *NN_(
                "were sent nothing in the last %(count)s day",
                "were sent nothing in the last %(count)s days",
            ),
            condition.days,
        )
        return words % {"count": self.speaks.number(condition.days)}

    def segment(self, condition: audience_rules.InSegment) -> str:
        named = self.names.segments.get(condition.segment, str(condition.segment))
        return self.say(N_("are in the segment “%(name)s”"), name=named)


_SAID: Mapping[str, Callable[..., str]] = {
    "topic": _Saying.topic,
    "language": _Saying.language,
    "postal-code": _Saying.postal_code,
    "town": _Saying.town,
    "near": _Saying.near,
    "source": _Saying.source,
    "form": _Saying.form,
    "partner": _Saying.partner,
    "tag": _Saying.tag,
    "field": _Saying.own_field,
    "joined": _Saying.joined,
    "received": _Saying.received,
    "opened": _Saying.opened,
    "clicked": _Saying.clicked,
    "counted": _Saying.counted,
    "member": _Saying.contact,
    "not-mailed": _Saying.not_mailed,
    "segment": _Saying.segment,
}
"""Kind of a condition → how it is said."""
