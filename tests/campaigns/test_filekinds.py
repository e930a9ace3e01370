import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import filekinds
from campaigns.filekinds import FileKind
from tests.campaigns import newsroom


def jpeg(*segments: bytes, width: int = 30, height: int = 10) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x00\x3f\x00" + b"pixels\xff\xd9"
    return b"\xff\xd8" + b"".join(segments) + frame + scan


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def exif(turned: int) -> bytes:
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, turned, 0)
    place = struct.pack("<HHII", 0x8825, 4, 1, 99)
    tiff = b"II\x2a\x00" + struct.pack("<IH", 8, 2) + entry + place + b"\0\0\0\0" + b"GPS 42.36 N"
    return segment(0xE1, b"Exif\x00\x00" + tiff)


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


GIF = b"GIF89a" + struct.pack("<HH", 7, 5) + b"\x00\x00\x00"
EXTENDED = b"\x0c\x00\x00\x00" + (63).to_bytes(3, "little") + (31).to_bytes(3, "little")
LOSSLESS = b"\x2f" + (9 | (19 << 14)).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [
        (newsroom.png(40, 20), FileKind.PNG, (40, 20)),
        (jpeg(), FileKind.JPEG, (30, 10)),
        (jpeg(exif(6)), FileKind.JPEG, (30, 10)),
        (GIF, FileKind.GIF, (7, 5)),
        (webp((b"VP8X", EXTENDED)), FileKind.WEBP, (64, 32)),
        (webp((b"VP8L", LOSSLESS)), FileKind.WEBP, (10, 20)),
        (newsroom.PDF, FileKind.PDF, None),
        ("Más información\n".encode(), FileKind.TEXT, None),
        (b"MZ\x90\x00\x03", None, None),
        (b"\xff\xfe\x00", None, None),
        (b"", None, None),
    ],
)
def test_a_file_is_what_its_content_says(
    content: bytes, kind: FileKind | None, size: tuple[int, int] | None
) -> None:
    assert filekinds.recognise(content) is kind
    if kind is not None:
        assert filekinds.picture_size(content, kind) == size


def test_a_photo_loses_where_it_was_taken_but_stays_turned() -> None:
    photo = jpeg(exif(6), segment(0xFE, b"by Ana"), segment(0xED, b"Photoshop"))
    cleaned = filekinds.without_private_data(photo, FileKind.JPEG)
    assert b"GPS" not in cleaned
    assert b"Ana" not in cleaned
    assert b"Photoshop" not in cleaned
    assert cleaned.endswith(b"pixels\xff\xd9")
    assert filekinds.picture_size(cleaned, FileKind.JPEG) == (30, 10)
    assert filekinds.without_private_data(cleaned, FileKind.JPEG) == cleaned
    assert struct.pack(">HHIH", 0x0112, 3, 1, 6) in cleaned


def test_pictures_of_other_kinds_lose_their_notes() -> None:
    noted = newsroom.png(extra=newsroom.chunk(b"tEXt", b"Author\x00Ana"))
    assert filekinds.without_private_data(noted, FileKind.PNG) == newsroom.png()
    noted = webp((b"VP8X", EXTENDED), (b"VP8L", LOSSLESS), (b"EXIF", b"GPS"), (b"XMP ", b"Ana"))
    cleaned = filekinds.without_private_data(noted, FileKind.WEBP)
    assert b"GPS" not in cleaned
    assert b"Ana" not in cleaned
    assert cleaned[20] == 0
    assert filekinds.picture_size(cleaned, FileKind.WEBP) == (64, 32)


@given(st.sampled_from([newsroom.png(), jpeg(exif(3)), GIF, webp((b"VP8X", EXTENDED))]), st.data())
def test_damaged_files_are_answered_not_crashed_on(content: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(content)))
    damaged = content[:at] + data.draw(st.binary(max_size=8)) + content[at + 4 :]
    kind = filekinds.recognise(damaged)
    if kind is not None:
        filekinds.picture_size(damaged, kind)
        filekinds.without_private_data(damaged, kind)
