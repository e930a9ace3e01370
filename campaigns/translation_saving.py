"""Keeping what a translator wrote: the texts of one language, and nothing else of the bulletin.

Whoever wrote meanwhile loses nothing: what they changed stays, and only where both changed the
same text the translator is asked. What is kept notes from which source it was made.
"""

import contextlib
from collections.abc import Collection, Mapping

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import block_models, bulletins, links, translating, versions, word_changes
from campaigns.documents import Document
from campaigns.left_behind import Fields, Key
from campaigns.models import Bulletin
from foundation import errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from templates import mergefields, problems

_TRIES = 4
_HERE = problems.Where(msgid=N_("this text"))


@frozen
class Kept:
    """What became of what was written."""

    bulletin: Bulletin
    problems: Mapping[tuple[str, str], errors.HandbillError]
    """Place and field → why what was written there was not kept; all else was."""
    theirs: Mapping[str, Fields]
    """Place → what somebody else wrote there meanwhile; what was written is not kept there."""


async def keep(
    ground: Ground,
    *,
    actor: Actor,
    bulletin_id: int,
    version: int,
    language: str,
    texts: Mapping[str, Fields],
    right: Collection[str] = (),
    source_version: int | None = None,
) -> Kept:
    """Keep texts in a language by place, written over `version`; those of `right` are still right.

    `source_version` is the one whose source was read, where it is not the same. Over a version
    that is not kept any more, whatever differs is asked about. Raises `errors.NotFound`.
    """
    for _ in range(_TRIES - 1):
        with contextlib.suppress(bulletins.SavedByOther):
            return await _keep(
                ground, actor, bulletin_id, version, source_version, language, texts, right
            )
    return await _keep(ground, actor, bulletin_id, version, source_version, language, texts, right)


def check_language(document: Document, language: str) -> None:
    """Raises `errors.NotFound` where a bulletin is not translated into a language."""
    if language not in document.languages[1:]:
        raise errors.NotFound(N_("This bulletin has no edition to translate into that language."))


async def _keep(
    ground: Ground,
    actor: Actor,
    bulletin_id: int,
    version: int,
    source_version: int | None,
    language: str,
    texts: Mapping[str, Fields],
    right: Collection[str],
) -> Kept:
    """One try, which somebody else's saving may overtake."""
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, bulletin_id)
        base = await _at(session, bulletin, version)
        read = await _at(session, bulletin, source_version or version)
    newest = bulletins.document_of(bulletin)
    check_language(newest, language)
    merging = _Merging(base, read, newest, language)
    merging.write(texts)
    merging.confirm(right)
    document = translating.with_texts(newest, language, merging.taken)
    if translating.without(document, language) != translating.without(newest, language):
        raise errors.Refused(N_("A translation changes the texts of its language alone."))
    if merging.seen:
        bulletin = await bulletins.save(
            ground,
            actor=actor,
            bulletin_id=bulletin_id,
            version=bulletin.version,
            document=document,
            seen=merging.seen,
        )
    return Kept(bulletin=bulletin, problems=merging.problems, theirs=merging.theirs)


class _Merging:
    """One translator's texts on top of what is kept by now."""

    def __init__(
        self, base: Document | None, read: Document | None, newest: Document, language: str
    ) -> None:
        """`base` is what was written over, `read` whose source was read; None where it is gone."""
        self._newest = {each.place: each for each in translating.sides(newest, language)}
        self._is_gone = base is None
        self._base = {each.place: each for each in translating.sides(base or newest, language)}
        self._source = {
            each.place: each.source for each in translating.sides(read or newest, language)
        }
        self._language = language
        self.taken: dict[str, Fields] = {}
        self.seen: dict[Key, Fields] = {}
        self.problems: dict[tuple[str, str], errors.HandbillError] = {}
        self.theirs: dict[str, Fields] = {}

    def write(self, texts: Mapping[str, Fields]) -> None:
        """Take what was changed; note what can't be kept and what somebody else changed too."""
        for place, typed in texts.items():
            base, newest = self._base.get(place), self._newest.get(place)
            if base is None:
                continue
            fields = _typed(base, typed)
            if newest and fields == newest.target:
                continue
            if fields == base.target and not self._is_gone:
                continue
            if newest is None or newest.target != base.target or self._is_gone:
                self.theirs[place] = newest.target if newest else {}
                continue
            wrong = wrong_fields(base.source, fields) | _too_long(fields)
            self.problems |= {(place, name): problem for name, problem in wrong.items()}
            if not wrong:
                self.taken[place] = fields
                self.seen[place, self._language] = self._source.get(place, base.source)

    def confirm(self, places: Collection[str]) -> None:
        """Note that sides still say what their source says by now."""
        for place in () if self._is_gone else places:
            base = self._base.get(place)
            if base and place in self._newest and place not in self.theirs:
                self.seen[place, self._language] = self._source.get(place, base.source)


def _typed(side: translating.Side, typed: Fields) -> Fields:
    """The side with what was typed of its fields; those that were not sent stay as they are."""
    known = {name: typed.get(name, side.target.get(name, "")) for name in side.names}
    fields = {name: _cleaned(name, text) for name, text in known.items() if text}
    return with_addresses(side.source, fields)


def _cleaned(name: str, text: str) -> str:
    converted = mergefields.convert_foreign(text).text
    return links.clean(converted) if word_changes.is_rich(name) else converted


def with_addresses(source: Fields, fields: Fields) -> dict[str, str]:
    """Texts with the source's links for entries of a list that have none: nothing else has one."""
    links_of = {
        name: link
        for name, link in source.items()
        if translating.is_address(name) and translating.is_of_an_item(name) and fields
    }
    return links_of | dict(fields)


def wrong_fields(source: Fields, fields: Fields) -> dict[str, errors.HandbillError]:
    """What keeps texts from being kept, by field: bad links, foreign merge fields."""
    found: dict[str, errors.HandbillError] = {}
    for name, text in fields.items():
        try:
            if translating.is_address(name):
                links.check(text, field=name)
            ours = _merge_fields(name, text)
        except errors.Invalid as problem:
            found[name] = problem.fields.get(name, problem)
            continue
        with contextlib.suppress(errors.Invalid):  # one that is wrong in the source says so there
            theirs = _merge_fields(name, source.get(name, ""))
            if more := ours - theirs:
                msgid = N_("The source does not have %(names)s: take it out here.")
                found[name] = errors.Invalid(msgid, names=_named(more))
            elif less := theirs - ours:
                msgid = N_("The source has %(names)s: put it in here too.")
                found[name] = errors.Invalid(msgid, names=_named(less))
    return found


def _too_long(fields: Fields) -> dict[str, errors.HandbillError]:
    """Texts that are longer than a bulletin can hold, by field."""
    found: dict[str, errors.HandbillError] = {}
    for name, text in fields.items():
        limit = block_models.LINE_LENGTH
        if word_changes.is_rich(name):
            limit = block_models.HTML_LENGTH
        elif translating.is_address(name):
            limit = block_models.ADDRESS_LENGTH
        if len(text) > limit:
            msgid = N_("This is too long: at most %(limit)s characters.")
            found[name] = errors.Invalid(msgid, limit=limit)
    return found


def _merge_fields(name: str, text: str) -> set[str]:
    parse = mergefields.parse_markup if word_changes.is_rich(name) else mergefields.parse
    return {part.name for part in parse(text, place=_HERE) if isinstance(part, mergefields.Field)}


def _named(names: Collection[str]) -> str:
    return ", ".join(f"{{{{ {name} }}}}" for name in sorted(names))


async def _at(session: AsyncSession, bulletin: Bulletin, version: int) -> Document | None:
    """The bulletin as the translator saw it; None where that is not kept any more."""
    try:
        return await versions.at(session, bulletin, version)
    except errors.NotFound:
        return None
