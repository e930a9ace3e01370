"""Makes of an uploaded picture what mails can carry: turned upright, no larger than shown, bare.

What is kept is twice as wide as it stands in a mail, so that it is sharp on every screen; the file
that was sent in is not kept. Only the header is read before the size is known.
"""

import enum
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from campaigns import filekinds
from campaigns.filekinds import FileKind
from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 10 * 1024 * 1024
MAX_SIDE = 12_000
MAX_PIXELS = 24_000_000
"""A small file can unfold into gigabytes; photographs are read smaller than they are."""
MAX_PHOTO_PIXELS = 60_000_000
MAX_FRAMES = 150
MAX_MOVING_BYTES = 1024 * 1024
WIDTH = 1104
"""Twice the widest that a picture stands in a mail (`resolving.PICTURE_WIDTH`)."""
HEIGHT = 2 * WIDTH
LIGHT_BYTES = 250 * 1024
"""What fits and weighs no more is kept as it was sent, without what it does not show."""
_QUALITY = 82
KINDS = frozenset({FileKind.PNG, FileKind.JPEG, FileKind.GIF, FileKind.WEBP})
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_UPRIGHT = 1
_ORIENTATION = 0x0112  # Exif 2.3, table 4


class Shape(enum.StrEnum):
    """How a picture is cut."""

    AS_IS = ""
    """Not at all."""
    WIDE = "16:9"
    """As a screen is."""
    SQUARE = "1:1"
    """As long as wide."""


RATIOS: Mapping[Shape, tuple[int, int]] = {Shape.WIDE: (16, 9), Shape.SQUARE: (1, 1)}


@frozen
class Made:
    """A picture as it is kept."""

    kind: FileKind
    width: int
    height: int
    content: bytes


def made(content: bytes) -> Made:
    """What is kept of a file that was sent in. Takes a while. Raises `errors.Invalid`."""
    from PIL import ImageOps

    kind = _checked_kind(content)
    try:
        with _opened(content) as sent:
            if getattr(sent, "n_frames", 1) > 1:
                return _moving(sent, content, kind)
            is_upright = sent.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT
            if kind is FileKind.JPEG:
                sent.draft(None, (WIDTH, HEIGHT))
            sent.load()
            picture = ImageOps.exif_transpose(sent)
            fits = sent.width <= WIDTH and sent.height <= HEIGHT
            if fits and is_upright and kind is not FileKind.WEBP and len(content) <= LIGHT_BYTES:
                return _bare(content, kind, sent.size)
            return _smaller(picture)
    except errors.Invalid:
        raise
    except (OSError, ValueError, SyntaxError, EOFError) as problem:
        raise refused(
            N_("This picture is damaged. Save it again and upload it once more.")
        ) from problem


def cut(content: bytes, shape: Shape, focus: tuple[int, int]) -> Made:
    """A kept picture in a shape, with what is at `focus` (per cent across and down) in view."""
    from PIL import Image

    across, down = RATIOS[shape]
    with Image.open(io.BytesIO(content), formats=_FORMATS) as whole:
        whole.load()
        width = min(whole.width, whole.height * across // down)
        height = min(whole.height, whole.width * down // across)
        left = _start(whole.width, width, focus[0])
        top = _start(whole.height, height, focus[1])
        return _smaller(whole.crop((left, top, left + max(1, width), top + max(1, height))))


def refused(msgid: str) -> errors.Invalid:
    """A picture is not taken in, with why at the field `file`."""
    return errors.Invalid(msgid, fields={"file": errors.Invalid(msgid)})


def _checked_kind(content: bytes) -> FileKind:
    kind = filekinds.recognise(content)
    if kind is None or kind not in KINDS:
        raise refused(N_("This is not a picture that mail programs show: use JPEG, PNG or GIF."))
    if len(content) > MAX_BYTES:
        raise refused(N_("This picture is too large: at most 10 MB."))
    return kind


def _opened(content: bytes) -> "Image":
    """The picture before its pixels are read. Raises `errors.Invalid` for one with too many."""
    from PIL import Image, UnidentifiedImageError

    try:
        sent = Image.open(io.BytesIO(content), formats=_FORMATS)
    except (UnidentifiedImageError, Image.DecompressionBombError) as problem:
        raise refused(
            N_("This picture is damaged. Save it again and upload it once more.")
        ) from problem
    most = MAX_PHOTO_PIXELS if sent.format == "JPEG" else MAX_PIXELS
    if max(sent.size) > MAX_SIDE or sent.width * sent.height > most:
        raise refused(N_("This picture has too many pixels. Make it smaller first."))
    return sent


def _moving(sent: "Image", content: bytes, kind: FileKind) -> Made:
    """One that moves is kept as it is, if it is small: made anew, it would stand still."""
    frames = getattr(sent, "n_frames", 1)
    if (
        kind is not FileKind.GIF
        or len(content) > MAX_MOVING_BYTES
        or frames > MAX_FRAMES
        or sent.width > WIDTH
        or frames * sent.width * sent.height > MAX_PHOTO_PIXELS
    ):
        raise refused(N_("A picture that moves has to be a GIF of 1 MB and 1104 pixels at most."))
    return _bare(content, kind, sent.size)


def _bare(content: bytes, kind: FileKind, size: tuple[int, int]) -> Made:
    cleaned = filekinds.without_private_data(content, kind)
    return Made(kind=kind, width=size[0], height=size[1], content=cleaned)


def _smaller(picture: "Image") -> Made:
    """Drawn anew of the pixels alone: PNG where some are see-through or few colours, else JPEG."""
    from PIL import Image

    is_clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    drawn = picture.convert("RGBA" if is_clear else "RGB")
    drawn.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    bare = Image.frombytes(drawn.mode, drawn.size, drawn.tobytes())
    is_clear = is_clear and bare.getchannel("A").getextrema() != (255, 255)
    if not is_clear:
        bare = bare.convert("RGB")
    out, kind = io.BytesIO(), FileKind.PNG
    if is_clear or bare.getcolors(maxcolors=512) is not None:
        bare.save(out, "PNG", optimize=True)
    else:
        kind = FileKind.JPEG
        bare.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return Made(kind=kind, width=bare.width, height=bare.height, content=out.getvalue())


def _start(whole: int, part: int, focus: int) -> int:
    """Where a part begins so that the focus is in its middle, as far as there is room."""
    return max(0, min(whole - part, whole * focus // 100 - part // 2))
