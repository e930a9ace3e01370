"""Draws an address as a QR code, for pages and for paper.

Black on white with the quiet zone that the standard asks for (ISO/IEC 18004 §9.1), and as much
correction of errors as fits without making it larger. Called by whoever puts a link on paper.
"""

import enum
import io


class Kind(enum.StrEnum):
    """What a code is drawn as."""

    SVG = "svg"
    """For pages, and for whoever sets a leaflet."""
    PNG = "png"
    """For text processors; a thousand pixels wide, sharp up to 8 cm in print."""
    PDF = "pdf"
    """For printing as it is, 5 cm wide."""

    @property
    def media_type(self) -> str:
        """As a web server names it."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    Kind.SVG: "image/svg+xml",
    Kind.PNG: "image/png",
    Kind.PDF: "application/pdf",
}
_WIDTH_PX = 1000
_WIDTH_PT = 142
"""5 cm."""


def drawn(text: str, *, kind: Kind, title: str = "") -> bytes:
    """The code that reads as `text`; `title` is what a screen reader says of the SVG.

    Takes some milliseconds: call it in a thread. Raises `ValueError` for a text that no code holds.
    """
    import segno

    code = segno.make(text, error="m", micro=False)
    modules = code.symbol_size(scale=1)[0]
    out = io.BytesIO()
    if kind is Kind.SVG:
        code.save(
            out,
            kind="svg",
            light="#fff",
            title=title or None,
            xmldecl=False,
            svgclass=None,
            lineclass=None,
            omitsize=True,
            nl=False,
        )
    elif kind is Kind.PNG:
        code.save(out, kind="png", scale=-(-_WIDTH_PX // modules))
    else:
        code.save(out, kind="pdf", scale=_WIDTH_PT / modules, light="#fff")
    return out.getvalue()
