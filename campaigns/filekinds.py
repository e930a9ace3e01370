"""What an uploaded file is, judged by its content: names and declared types prove nothing.

Also takes out of photos what the picture does not show, such as where it was taken.
"""

import struct
from collections.abc import Iterator
from enum import StrEnum

_PNG = b"\x89PNG\r\n\x1a\n"
_PDF_WITHIN = 1024  # readers look for the header in the first 1,024 bytes
_JPEG_START = b"\xff\xd8"
# Frames of every JPEG coding (ITU T.81 table B.1); C4, C8 and CC are other markers.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN = 0xDA
# APP1 holds Exif and XMP, APP13 IPTC, FE a comment: where, when, by whom.
_JPEG_PRIVATE = frozenset({0xE1, 0xED, 0xFE})
_PNG_PRIVATE = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"})
_WEBP_PRIVATE = frozenset({b"EXIF", b"XMP "})


class FileKind(StrEnum):
    """Kinds of file that are taken in, by media type."""

    PDF = "application/pdf"
    """A document to print."""
    PNG = "image/png"
    """A drawing or screenshot."""
    JPEG = "image/jpeg"
    """A photo."""
    GIF = "image/gif"
    """A picture, possibly moving."""
    WEBP = "image/webp"
    """A photo or drawing; some older mail programs do not show it."""
    TEXT = "text/plain"
    """Plain text in UTF-8."""

    @property
    def suffix(self) -> str:
        """The ending of a file's name."""
        return {"application/pdf": "pdf", "image/jpeg": "jpg", "text/plain": "txt"}.get(
            self.value, self.value.partition("/")[2]
        )


def recognise(content: bytes) -> FileKind | None:
    """The kind of a file, or None when it is none that is taken in."""
    if content.startswith(_PNG):
        return FileKind.PNG
    if content.startswith(b"\xff\xd8\xff"):
        return FileKind.JPEG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return FileKind.GIF
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return FileKind.WEBP
    if b"%PDF-" in content[:_PDF_WITHIN]:
        return FileKind.PDF
    return FileKind.TEXT if _is_text(content) else None


def picture_size(content: bytes, kind: FileKind) -> tuple[int, int] | None:
    """Width and height in pixels; None when the file is damaged or no picture."""
    try:
        if kind is FileKind.PNG:
            return _positive(*struct.unpack(">II", content[16:24]))
        if kind is FileKind.GIF:
            return _positive(*struct.unpack("<HH", content[6:10]))
        if kind is FileKind.WEBP:
            return _webp_size(content)
        if kind is FileKind.JPEG:
            return _jpeg_size(content)
    except (struct.error, IndexError):
        return None
    return None


def without_private_data(content: bytes, kind: FileKind) -> bytes:
    """The picture without Exif, XMP, IPTC and comments; a turned photo stays turned."""
    try:
        if kind is FileKind.JPEG:
            return _clean_jpeg(content)
        if kind is FileKind.PNG:
            return _PNG + b"".join(
                chunk for name, chunk in _png_chunks(content) if name not in _PNG_PRIVATE
            )
        if kind is FileKind.WEBP:
            return _clean_webp(content)
    except (struct.error, IndexError):
        return content
    return content


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and all(ord(each) >= 32 or each in "\t\n\r\f" for each in text)


def _positive(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if width > 0 and height > 0 else None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    """RFC 9649: extended, lossless and lossy files keep the size in different places."""
    form = content[12:16]
    if form == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        return _positive(width, int.from_bytes(content[27:30], "little") + 1)
    if form == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return _positive((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if form == b"VP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return _positive(width & 0x3FFF, height & 0x3FFF)
    return None


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment up to the picture's data (ITU T.81 §B.1.1)."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        end = at + 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
        yield marker, at, end
        if marker == _JPEG_SCAN:
            return
        at = end


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    for marker, start, _ in _jpeg_segments(content):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[start + 5 : start + 9])
            return _positive(width, height)
    return None


def _clean_jpeg(content: bytes) -> bytes:
    kept = [_JPEG_START]
    turned = 1
    for marker, start, end in _jpeg_segments(content):
        if marker == 0xE1:
            turned = _orientation(content[start + 4 : end]) or turned
        if marker == _JPEG_SCAN:
            if turned != 1:
                kept.insert(1, _exif_that_turns(turned))
            return b"".join(kept) + content[start:]
        if marker not in _JPEG_PRIVATE:
            kept.append(content[start:end])
    return content


def _orientation(segment: bytes) -> int:
    """Which way a photo is turned (Exif 2.3, tag 0x0112); 0 where it does not say."""
    if not segment.startswith(b"Exif\x00\x00"):
        return 0
    tiff = segment[6:]
    order = "<" if tiff[:2] == b"II" else ">"
    first = struct.unpack(f"{order}I", tiff[4:8])[0]
    count = struct.unpack(f"{order}H", tiff[first : first + 2])[0]
    for number in range(min(count, 200)):
        at = first + 2 + 12 * number
        if struct.unpack(f"{order}H", tiff[at : at + 2])[0] == 0x0112:
            value: int = struct.unpack(f"{order}H", tiff[at + 8 : at + 10])[0]
            return value if 1 <= value <= 8 else 0
    return 0


def _exif_that_turns(turned: int) -> bytes:
    """An Exif segment that says only which way a photo is turned."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, turned, 0)
    tiff = b"MM\x00\x2a" + struct.pack(">IH", 8, 1) + entry + b"\x00\x00\x00\x00"
    body = b"Exif\x00\x00" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at + 12 <= len(content):
        end = at + 12 + struct.unpack(">I", content[at : at + 4])[0]
        yield content[at + 4 : at + 8], content[at:end]
        at = end


def _clean_webp(content: bytes) -> bytes:
    kept: list[bytes] = []
    at = 12
    while at + 8 <= len(content):
        size = struct.unpack("<I", content[at + 4 : at + 8])[0]
        end = at + 8 + size + (size & 1)
        chunk = content[at:end]
        if chunk[:4] == b"VP8X":
            # The flags for Exif (0x08) and XMP (0x04) go with the chunks.
            chunk = chunk[:8] + bytes((chunk[8] & ~0x0C,)) + chunk[9:]
        if chunk[:4] not in _WEBP_PRIVATE:
            kept.append(chunk)
        at = end
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body
