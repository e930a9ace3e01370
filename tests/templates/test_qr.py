"""What is drawn is the code of the address, whole, with white around it."""

import re
import zlib

import pytest
import segno

from templates import qr

ADDRESS = "https://bulletin.example.org/subscribe/river?partner=river&lang=es&source=flyer"


def modules() -> list[bytes]:
    """The code's rows, dark as 1, with four white modules on every side."""
    code = segno.make(ADDRESS, error="m", micro=False)
    return [bytes(row) for row in code.matrix_iter(border=4)]


def lines_of(png: bytes, width: int, height: int) -> list[bytes]:
    """A picture's rows, a bit for each pixel; a row may say what changed since the one before."""
    start = png.index(b"IDAT")
    length = int.from_bytes(png[start - 4 : start], "big")
    packed = zlib.decompress(png[start + 4 : start + 4 + length])
    size = (width + 7) // 8
    lines = [bytes(size)]
    for at in range(0, height * (size + 1), size + 1):
        kind, row = packed[at], packed[at + 1 : at + 1 + size]
        assert kind in (0, 2)
        lines.append(
            bytes((a + b * (kind == 2)) % 256 for a, b in zip(row, lines[-1], strict=True))
        )
    return lines[1:]


def test_a_picture_for_print_shows_every_module_and_is_sharp() -> None:
    png = qr.drawn(ADDRESS, kind=qr.Kind.PNG)
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    rows = modules()
    scale = width // len(rows)
    assert (width, height) == (scale * len(rows), scale * len(rows))
    assert width >= 1000
    for row, line in zip(rows, lines_of(png, width, height)[scale // 2 :: scale], strict=True):
        bits = "".join(f"{octet:08b}" for octet in line)
        dark = [bits[at * scale + scale // 2] != bits[0] for at in range(len(rows))]
        assert dark == [bool(module) for module in row]


def test_a_drawing_says_what_it_is_and_brings_no_markup_along() -> None:
    svg = qr.drawn(ADDRESS, kind=qr.Kind.SVG, title="Río <script>").decode()
    assert "<title>Río &lt;script&gt;</title>" in svg
    size = len(modules())
    assert f'viewBox="0 0 {size} {size}"' in svg
    assert "style=" not in svg


def test_a_page_for_the_printer_is_five_centimetres_wide() -> None:
    pdf = qr.drawn(ADDRESS, kind=qr.Kind.PDF)
    assert pdf.startswith(b"%PDF-")
    found = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert found
    assert [round(float(side) / 72 * 2.54, 1) for side in found.groups()] == [5.0, 5.0]


def test_a_text_that_no_code_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        qr.drawn("x" * 5000, kind=qr.Kind.SVG)
