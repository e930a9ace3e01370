"""Pictures: what is kept of an upload, what it shows, where it is used, and what is refused."""

import io
import json
import re
from typing import Any

import aiohttp
import pytest
from PIL import Image

from campaigns import bulletins, compiling, picture_making, picture_uses, pictures
from campaigns.models import Picture
from campaigns.picture_making import Shape
from foundation import errors
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.campaigns import newsroom
from tests.campaigns.newsroom import ANA, written
from tests.world.web import Web

HERE = "/staff/media"


def photo(width: int = 1200, height: int = 900, *, turned: int = 1, kind: str = "JPEG") -> bytes:
    """A photograph: dark on the left, light on the right, with where it was taken."""
    across, down = Image.linear_gradient("L").rotate(90), Image.linear_gradient("L")
    picture = Image.merge("RGB", (across, down, across)).resize((width, height))
    exif = Image.Exif()
    exif[0x0112] = turned
    exif[0x010E] = "GPS: at Ana's house"
    out = io.BytesIO()
    picture.save(out, kind, quality=95, exif=exif, comment=b"by Ana")
    return out.getvalue()


def moving(frames: int, side: int = 8) -> bytes:
    out = io.BytesIO()
    first, *rest = (Image.new("RGB", (side, side), (each, 0, 0)) for each in range(frames))
    first.save(out, "GIF", save_all=True, append_images=rest)
    return out.getvalue()


def files(*sent: tuple[str, bytes]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, content in sent:
        form.add_field("file", content, filename=name)
    return form


def seen(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        return opened.convert("L")


def test_a_photo_is_kept_small_upright_and_without_where_it_was_taken() -> None:
    made = picture_making.made(photo(1200, 1800, turned=6))
    assert (made.kind.value, made.width, made.height) == ("image/jpeg", 1104, 736)
    assert b"Ana" not in made.content
    assert picture_making.made(photo(kind="WEBP")).kind.value == "image/jpeg", "Outlook shows none"
    clear = io.BytesIO()
    Image.new("RGBA", (1500, 20), (9, 9, 9, 99)).save(clear, "PNG")
    kept = picture_making.made(clear.getvalue())
    assert (kept.kind.value, kept.width) == ("image/png", 1104)
    assert picture_making.made(moving(3)).content == moving(3), "what moves goes on moving"


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        photo(400, 300)[:900],
        newsroom.png(13_000, 1),
        newsroom.png(1, 1).replace(b"\x00\x00\x00\x01" * 2, b"\x00\x00\x27\x10" * 2),
        moving(picture_making.MAX_FRAMES + 1),
        b"GIF89a" + b"\xff" * 40,
    ],
    ids=["svg", "cut off", "too long", "bomb", "too many frames", "garbage"],
)
def test_what_is_no_picture_or_would_unfold_without_end_is_refused(content: bytes) -> None:
    with pytest.raises(errors.Invalid) as refused:
        picture_making.made(content)
    assert "file" in refused.value.fields


def test_what_moves_is_counted_with_all_its_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_making, "MAX_PHOTO_PIXELS", 3 * 8 * 8)
    assert picture_making.made(moving(3)).width == 8
    with pytest.raises(errors.Invalid):
        picture_making.made(moving(4))


def test_what_has_to_be_in_view_stays_in_it_when_a_picture_is_cut() -> None:
    whole = picture_making.made(photo(1000, 400)).content
    left, right = (seen(picture_making.cut(whole, Shape.SQUARE, (x, 50)).content) for x in (0, 100))
    assert left.size == right.size == (400, 400)
    first, second = (each.resize((1, 1)).getpixel((0, 0)) for each in (left, right))
    assert abs(first - second) > 60, "it was cut at either end"  # type: ignore[operator]
    assert seen(picture_making.cut(whole, Shape.WIDE, (50, 50)).content).size == (711, 400)


async def bulletin_with(ground: Ground, picture: Picture, **more: Any) -> None:
    block = {"kind": "image", "id": "photo", "picture": picture.digest, **more}
    await newsroom.bulletin(ground, written(issue="", blocks=[block]))


async def shown(ground: Ground) -> Any:
    async with ground.db.reading() as session:
        return await compiling.look(ground, session, await bulletins.get(session, 1))


@pytest.mark.storage
async def test_a_picture_is_described_once_cut_and_replaced_in_what_is_still_to_be_sent(
    ground: Ground, web: Web
) -> None:
    author = await web.as_staff(Role.AUTHOR)
    sent = await author.post(
        HERE,
        files(("Rally.jpg", photo()), ("notes.svg", b"<svg/>")),
        headers={"Accept": "application/json"},
    )
    said = json.loads(sent.text)
    assert sent.status == 422
    assert list(said["problems"]) == ["notes.svg"], "each is judged by itself"
    (kept,) = said["pictures"]
    assert (kept["name"], kept["size"], kept["lacking"]) == (
        "Rally.jpg",
        "1104 × 828",
        ["English", "Spanish"],
    )

    async with ground.db.reading() as session:
        picture = await pictures.get(session, 1)
        wide = await pictures.in_shape(session, picture, Shape.WIDE)
    assert (wide.width, wide.height) == (1104, 621)
    await bulletin_with(ground, picture, shape="16:9")
    looked = await shown(ground)
    assert pictures.path(wide) in str(looked.editions["en"].plan.html_segments)
    described = {"alt-en": "A rally", "alt-es": "Una marcha", "focus_x": "10", "focus_y": "20"}
    translator = await web.as_staff(Role.TRANSLATOR)
    await translator.post(f"{HERE}/1", described | {"is_decorative": "1"})
    async with ground.db.reading() as session:
        by_translator = await pictures.get(session, 1)
    assert (by_translator.alts["es"], by_translator.is_decorative) == ("Una marcha", False)
    assert by_translator.focus_x == 50, "what is in view is for authors"
    await author.post(f"{HERE}/1", described)
    async with ground.db.reading() as session:
        moved = await pictures.in_shape(session, picture, Shape.WIDE)
        assert moved.digest != wide.digest
        assert await pictures.served(session, wide.digest), "mails that went out still show it"
    assert (await author.get(f"{HERE}?q=marcha")).text.count('href="/staff/media/1"') == 1
    assert 'href="/staff/media/1"' not in (await author.get(f"{HERE}?q=march%25x")).text

    assert "/staff/bulletins/1" in (await author.get(f"{HERE}/1")).text
    refused = await author.post(f"{HERE}/1/delete", {})
    assert refused.status == 409
    await author.post(f"{HERE}/1/replace", files(("b.jpg", photo(900, 500))))
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, 1)
        old = await pictures.get(session, 1)
        assert await picture_uses.of(session, old) == []
    (block,) = bulletins.document_of(bulletin).blocks
    assert (block.picture != picture.digest, bulletin.version) == (True, 2)  # type: ignore[union-attr]
    assert (await author.post(f"{HERE}/1/delete", {})).location == HERE
    assert (await author.get(pictures.path(moved))).status == 404


async def test_a_document_names_a_picture_as_it_was_uploaded_whatever_it_became(
    ground: Ground,
) -> None:
    kept = await pictures.add(ground, actor=ANA, file_name="march.png", content=photo(kind="PNG"))
    assert kept.file_name == "march.jpg"
    async with ground.db.reading() as session:
        for name in ("march.png", "march.jpg", "march"):
            found = await pictures.find(session, name)
            assert found is not None
            assert found.id == kept.id


async def test_the_list_goes_on_page_by_page(ground: Ground, web: Web) -> None:
    for number in range(pictures.PAGE + 1):
        await pictures.add(
            ground, actor=ANA, file_name=f"p{number}.png", content=newsroom.png(9, number + 1)
        )
    viewer = await web.as_staff(Role.VIEWER)
    first = await viewer.get(HERE)
    assert "p0.png" not in first.text
    assert "data-drop" not in first.text
    address = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert address
    assert "p0.png" in (await viewer.get(address[1])).text
    assert (await viewer.post(HERE, {})).status == 403
