"""The look of mails: chosen in the browser, checked for contrast, kept in versions.

What was sent is kept as it went out, so a change never alters it; what is made afterwards, and what
waits to be sent, has the new look.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import links, wording
from foundation import audit, errors, looks, sections
from foundation.audit import Actor
from foundation.findings import Tone
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.looks import Look, LookVersion
from templates import colours, faces, palette

COMFORTABLE = 7.0
"""WCAG 2.2, success criterion 1.4.6: what tired eyes read without effort."""
_BRIGHT = 0.6
"""How bright paper has to be; the dark of the night mails get by themselves."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LONGEST_TAGLINE = 120
_LONGEST_FOOTER = 3_000


@frozen
class Check:
    """One pair of colours, and how well it can be read."""

    label: str
    """What stands on what; a msgid."""
    ratio: float
    """From 1 to 21."""
    tone: Tone
    words: str
    """The verdict; a msgid, which may hold `%(colour)s`."""
    colour: str = ""
    """What is shown instead of a colour that is too faint."""


def checks(look: Look, site: sections.Site) -> list[Check]:
    """How well the colours of a look can be read, by day and at night."""
    accent, paper, ink = _colours(look, site)
    by_day, at_night = palette.light(accent, paper=paper, ink=ink), palette.dark(accent)
    return [
        _read(N_("Letters on paper"), by_day.ink, by_day.paper),
        _read(N_("Small print on paper"), by_day.muted, by_day.paper),
        _accented(N_("Links and buttons on paper"), accent, by_day.accent, by_day.tint),
        _lightened(N_("Links and buttons at night"), accent, at_night),
    ]


def is_colour(typed: str) -> bool:
    """Whether it reads like `#12496b`; blank, the usual, does too."""
    return not typed or _COLOUR.fullmatch(typed) is not None


def with_logo(look: Look, path: str) -> Look:
    """The look with another logo."""
    return dataclasses.replace(look, logo=path)


async def save(ground: Ground, *, actor: Actor, seen: int, look: Look) -> LookVersion:
    """Choose a look, by somebody who saw version `seen` (0 for none).

    Raises `errors.Invalid` for what nobody could read, `errors.Conflict` when somebody else chose
    another meanwhile.
    """
    look = _checked(ground, look)
    async with ground.db.transaction() as session:
        newest = await looks.newest_version(session)
        if (newest.id if newest else 0) != seen:
            raise errors.Conflict(
                N_("Somebody else changed the look meanwhile. What you chose is still here.")
            )
        return await _keep(ground, session, actor, look, newest)


async def restore(ground: Ground, *, actor: Actor, wanted: int) -> LookVersion:
    """Choose an earlier look again. Raises `errors.NotFound`, and as `save`."""
    async with ground.db.transaction() as session:
        newest = await looks.newest_version(session)
        earlier = await session.get(LookVersion, wanted)
        if earlier is None:
            raise errors.NotFound(N_("There is no such version of the look."))
        return await _keep(ground, session, actor, looks.of(earlier), newest)


async def _keep(
    ground: Ground, session: AsyncSession, actor: Actor, look: Look, before: LookVersion | None
) -> LookVersion:
    kept = LookVersion(
        values={name: value for name, value in dataclasses.asdict(look).items() if value},
        saved_by=actor.label,
        saved_at=ground.clock.now(),
    )
    session.add(kept)
    await session.flush()
    audit.record(
        session,
        actor=actor,
        at=kept.saved_at,
        action="look.saved",
        object_kind="look",
        object_id=kept.id,
        before=before.values if before else {},
        after=kept.values,
    )
    return kept


def _checked(ground: Ground, look: Look) -> Look:
    """The look as it is kept: its own choices alone, sanitised. Raises `errors.Invalid`."""
    problems: dict[str, errors.HandbillError] = {}
    for name in ("accent", "paper", "ink"):
        if not is_colour(getattr(look, name)):
            problems[name] = errors.Invalid(N_("A color reads like #12496b."))
    for name in ("headline_face", "text_face"):
        if getattr(look, name) and getattr(look, name) not in faces.FACES:
            problems[name] = errors.Invalid(N_("Choose one of the list."))
    if not problems:
        problems |= _unreadable(look, ground.settings.site)
    if problems:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."), fields=problems
        )
    for texts in (look.taglines, look.footers):
        wording.check_languages({code: {} for code in texts}, ground.catalog.languages)
    return dataclasses.replace(
        look,
        taglines=_tidy({code: text[:_LONGEST_TAGLINE] for code, text in look.taglines.items()}),
        footers=_tidy(
            {code: links.clean(text[:_LONGEST_FOOTER]) for code, text in look.footers.items()}
        ),
    )


def _unreadable(look: Look, site: sections.Site) -> dict[str, errors.HandbillError]:
    _, paper, ink = _colours(look, site)
    if colours.luminance(paper) < _BRIGHT:
        return {
            "paper": errors.Invalid(
                N_("Paper has to be light. At night, mails turn dark by themselves.")
            )
        }
    ratio = colours.contrast(ink, paper)
    if ratio < colours.READABLE:
        return {
            "ink": errors.Invalid(
                N_("Nobody could read this on the paper: %(ratio)s to 1, and 4.5 to 1 is needed."),
                ratio=f"{ratio:.1f}",
            )
        }
    return {}


def _colours(look: Look, site: sections.Site) -> Sequence[str]:
    return look.accent or site.accent, look.paper or palette.PAPER, look.ink or palette.INK


def _read(label: str, letters: str, ground: str) -> Check:
    ratio = colours.contrast(letters, ground)
    if ratio >= COMFORTABLE:
        return Check(label=label, ratio=ratio, tone=Tone.GOOD, words=N_("easy to read"))
    if ratio >= colours.READABLE:
        return Check(label=label, ratio=ratio, tone=Tone.GOOD, words=N_("can be read"))
    return Check(label=label, ratio=ratio, tone=Tone.BAD, words=N_("too faint to read"))


def _accented(label: str, chosen: str, shown: str, ground: str) -> Check:
    """The accent, which is moved until it can be read."""
    if chosen.lower() == shown.lower():
        return _read(label, shown, ground)
    return Check(
        label=label,
        ratio=colours.contrast(chosen, ground),
        tone=Tone.WARN,
        words=N_("too faint as chosen; %(colour)s is shown instead"),
        colour=shown,
    )


def _lightened(label: str, chosen: str, at_night: palette.Palette) -> Check:
    """The accent on dark ground, where most are made lighter: nothing to worry about."""
    read = _read(label, at_night.accent, at_night.paper)
    if chosen.lower() == at_night.accent.lower():
        return read
    return dataclasses.replace(
        read,
        tone=Tone.NEUTRAL,
        words=N_("made lighter by itself: %(colour)s"),
        colour=at_night.accent,
    )


def _tidy(texts: Mapping[str, str]) -> dict[str, str]:
    return {code: text.strip() for code, text in texts.items() if text.strip()}
