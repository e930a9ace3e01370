"""The colours of every mail, in light and in dark; the accent is the site's, made readable.

Templates take them from `templates.sheets.Frame`. Nothing else in a mail has a colour, so `pairs`
is all that can be too faint to read.
"""

import functools

from foundation.frozen import frozen
from templates import colours

PAPER = "#fcfbf8"
INK = "#1d1b18"
PAPER_DARK = "#171614"
_TINT = "#f4f0e8"
_WHITE = "#ffffff"
_ON_DARK = 5.5
"""Bright letters on a dark ground need a little more than the guidelines ask for."""


@frozen
class Palette:
    """The colours of one scheme, as `#rrggbb`."""

    paper: str
    ink: str
    muted: str
    """Small print."""
    rule: str
    """Hairlines."""
    tint: str
    """The shaded ground of an event, and of a picture that is not loaded."""
    accent: str
    """What acts or matters; the ground of a button, too."""
    bar: str
    """The ground of an alert's head; letters on it are white."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Letters and ground, wherever the templates set one on the other."""
        return (
            (self.ink, self.paper),
            (self.ink, self.tint),
            (self.muted, self.paper),
            (self.accent, self.paper),
            (self.accent, self.tint),
            (self.paper, self.accent),
            (_WHITE, self.bar),
        )

    @property
    def contrast(self) -> float:
        """The lowest of all, from 1 to 21."""
        return min(colours.contrast(letters, ground) for letters, ground in self.pairs)


@functools.lru_cache(maxsize=16)
def light(accent: str, *, paper: str = "", ink: str = "") -> Palette:
    """Ink on paper; of other paper or ink than the usual, what lies between is mixed of both."""
    if not (paper or ink):
        return _usual(accent)
    paper, ink = paper or PAPER, ink or INK
    tint = colours.mixed(ink, paper, share=0.045)
    return Palette(
        paper=paper,
        ink=ink,
        muted=colours.readable(colours.mixed(ink, paper, share=0.68), on=tint),
        rule=colours.mixed(ink, paper, share=0.18),
        tint=tint,
        accent=colours.readable(accent, on=tint),
        bar=_bar(accent),
    )


def _usual(accent: str) -> Palette:
    return Palette(
        paper=PAPER,
        ink=INK,
        muted="#5f5a52",
        rule="#d9d4ca",
        tint=_TINT,
        # What can be read on the tint can be read on the paper, which is lighter.
        accent=colours.readable(accent, on=_TINT),
        bar=_bar(accent),
    )


@functools.lru_cache(maxsize=16)
def dark(accent: str) -> Palette:
    """The same at night."""
    return Palette(
        paper=PAPER_DARK,
        ink="#ebe7df",
        muted="#a9a398",
        rule="#3b3833",
        tint="#22201d",
        accent=colours.readable(accent, on=PAPER_DARK, ratio=_ON_DARK),
        bar=_bar(accent),
    )


def _bar(accent: str) -> str:
    return colours.readable(accent, on=_WHITE)
