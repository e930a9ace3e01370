"""Sets the sample handouts as PDF, and the picture of the figures as PNG, with Typst."""

import json

import typst

from handbill.demo import content
from handbill.demo.content import Content, Material

_ACCENT = "#8c2f1b"


def pdf(sample: Content, material: Material, language: str) -> bytes:
    """One handout in one language. Blocks for some 50 ms: call it in a thread."""
    handout = material.handout[language]
    words = {
        "language": language,
        "title": material.texts[language]["title"],
        "lead": handout.lead,
        "closing": handout.closing,
        "sections": [dict(section) for section in handout.sections],
        "publisher": sample.coalition.site.name,
        "address": sample.coalition.site.postal_address,
        "accent": _ACCENT,
    }
    made = typst.compile(
        str(content.FOLDER / "handout.typ"), format="pdf", sys_inputs={"words": json.dumps(words)}
    )
    return _single(made)


def picture(sample: Content) -> bytes:
    """The figures for Boston and the nation as two bars, 1,200 pixels wide."""
    bars = [
        {
            "value": figure.value,
            # One picture serves both languages.
            "places": list(dict.fromkeys(text["title"] for text in figure.texts.values())),
        }
        for figure in sample.issue.figures
        if figure.key in ("boston-none", "nation-none")
    ]
    made = typst.compile(
        str(content.FOLDER / "figures.typ"),
        format="png",
        ppi=144,
        sys_inputs={"words": json.dumps({"bars": bars, "accent": _ACCENT})},
    )
    return _single(made)


def _single(made: bytes | list[bytes] | None) -> bytes:
    """Typst gives one file, or a list when there are several pages; ours have one."""
    if not isinstance(made, bytes):
        raise TypeError("a handout has to fit on one page")
    return made
