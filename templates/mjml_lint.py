"""Looks at an MJML source before it is used: well formed, and only elements that MJML has.

The compiler behind `typesetting` passes unknown elements and attributes silently, so a slip of the
pen would go out as a hole. Jinja's code is blanked out first with its line breaks kept, so lines
are those of the file. Each file has to close what it opens.
"""

import re
from collections.abc import Mapping
from xml.parsers import expat

from templates import problems

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)

_BOX = "padding padding-top padding-right padding-bottom padding-left css-class mj-class"
_TYPE = "font-family font-size font-style font-weight line-height letter-spacing color"
_ALIGNED = "align container-background-color"
_BORDER = "border border-top border-right border-bottom border-left border-radius"

_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "mjml": "lang dir owa",
        "mj-head": "",
        "mj-title": "",
        "mj-preview": "",
        "mj-style": "inline",
        "mj-breakpoint": "width",
        "mj-attributes": "",
        "mj-raw": "position",
        "mj-body": "background-color width css-class id",
        "mj-wrapper": f"{_BOX} {_BORDER} background-color direction full-width text-align gap",
        "mj-section": f"{_BOX} {_BORDER} background-color direction full-width text-align",
        "mj-group": "width vertical-align background-color direction css-class mj-class",
        "mj-column": f"{_BOX} {_BORDER} width vertical-align background-color direction "
        "inner-background-color inner-border inner-border-top inner-border-left "
        "inner-border-right inner-border-bottom inner-border-radius",
        "mj-text": f"{_BOX} {_TYPE} {_ALIGNED} height text-decoration text-transform",
        "mj-button": f"{_BOX} {_TYPE} {_ALIGNED} {_BORDER} background-color href inner-padding "
        "height name rel target text-align text-decoration text-transform title vertical-align "
        "width",
        "mj-image": f"{_BOX} {_ALIGNED} {_BORDER} alt fluid-on-mobile font-size height href name "
        "rel sizes src srcset target title usemap width max-height",
        "mj-divider": f"{_BOX} {_ALIGNED} border-color border-style border-width width",
        "mj-spacer": f"{_BOX} {_ALIGNED} height",
        "mj-table": f"{_BOX} {_TYPE} {_ALIGNED} cellpadding cellspacing role table-layout width "
        "border",
    }.items()
}
_ANY_ATTRIBUTE = frozenset({"mj-all", "mj-class"})


def check(source: str, *, file: str) -> None:
    """Raise `TemplateProblem` for the first thing wrong with `source`."""
    parser = expat.ParserCreate()
    open_tags: list[str] = []

    def opened(tag: str, attributes: Mapping[str, str]) -> None:
        detail = _wrong(tag, attributes, is_default="mj-attributes" in open_tags)
        open_tags.append(tag)
        if detail:
            raise problems.TemplateProblem(file=file, line=parser.CurrentLineNumber, detail=detail)

    def closed(_tag: str) -> None:
        open_tags.pop()

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    try:
        # The root stands on the first line, so that lines need no correction.
        parser.Parse(f"<handbill-root>{_JINJA.sub(_blank, source)}</handbill-root>", True)
    except expat.ExpatError as problem:
        raise problems.TemplateProblem(
            file=file, line=problem.lineno, detail=expat.ErrorString(problem.code)
        ) from problem


def _wrong(tag: str, attributes: Mapping[str, str], *, is_default: bool) -> str:
    """What is wrong with an element; `is_default` where it only sets defaults for others."""
    if not tag.startswith("mj") or tag in _ANY_ATTRIBUTE:
        return ""
    allowed = _ATTRIBUTES.get(tag)
    if allowed is None:
        return f"there is no element <{tag}>"
    unknown = sorted(set(attributes) - allowed)
    if unknown:
        return f"<{tag}> has no attribute “{unknown[0]}”"
    if any(name.endswith("padding") and _has_bare_zero(attributes[name]) for name in attributes):
        return f"<{tag}> has a padding with a bare 0; write 0px, or Outlook gets wrong widths"
    if tag == "mj-image" and "alt" not in attributes and not is_default:
        return "<mj-image> needs an alt text (empty only where the picture adds nothing)"
    return ""


def _has_bare_zero(padding: str) -> bool:
    """Whether one of several sides is a 0 without unit, which the compiler does not understand."""
    sides = padding.split()
    return len(sides) > 1 and "0" in sides


def _blank(found: re.Match[str]) -> str:
    """Jinja's code as harmless characters: a value as letters, a statement as blanks."""
    filler = "x" if found[0].startswith("{{") else " "
    return "".join("\n" if character == "\n" else filler for character in found[0])
