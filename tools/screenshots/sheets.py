"""Sheets of pictures that are kept with the code: the top of each page, four pictures in a row.

`docs/pictures.md` shows them by room. What is kept is small: the pictures themselves can be taken
again at any time.
"""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tools.screenshots.camera import CHOSEN, WIDTHS

FIRST_DAY = "first-day"
ROOMS = {
    "public": "What anybody can open",
    "supporter": "Signing up, changing and leaving",
    "stopped": "Coming back after mail was returned",
    "widget": "The form on a partner’s page",
    "organisation": "Joining the coalition",
    "statement": "Signing the coalition’s statement",
    "partner": "What a partner sees",
    "write": "The staff room: writing",
    "send": "The staff room: sending and what came of it",
    "people": "The staff room: people and partners",
    "office": "The staff room: the office",
    "coming-in": "Coming in for the first time",
    "mail": "Mails",
    FIRST_DAY: "A site on its first day",
}
"""Word before the names of pictures → heading."""
README = {
    "front": "public-issue.en.1280.light",
    "composer": "write-bulletin.en.1280.light",
    "report": "send-campaign-report.en.1280.light",
}
"""Pictures that stand alone: name → which."""

_HEIGHT = 376
_GAP = 12
_CAPTION = 30
_A_SHEET = 8
"""Pages."""
_QUALITY = 40
_GROUND = "#b9b2a7"
_ORDER = (("en", 1280), ("es", 1280), ("es", 375), ("en", 375))


def lay_out(folder: Path, docs: Path) -> int:
    """Writes the sheets and their page from the pictures in `folder`; says how many octets."""
    kept = docs / "pictures"
    kept.mkdir(exist_ok=True)
    for old in kept.glob("*.webp"):
        old.unlink()
    said = [_HEAD]
    names = {path.name.split(".")[0]: None for path in sorted(folder.glob("*.png"), key=_age)}
    for room, title in ROOMS.items():
        here = [each for each in names if each.startswith(f"{room}-") and _is_whole(folder, each)]
        if not here:
            continue
        said.append(f"## {title}\n")
        for place in range(0, len(here), _A_SHEET):
            shown = here[place : place + _A_SHEET]
            file = kept / f"{room}-{place // _A_SHEET + 1}.webp"
            _sheet(folder, shown).save(file, "WEBP", quality=_QUALITY, method=6)
            words = ", ".join(each.removeprefix(f"{room}-").replace("-", " ") for each in shown)
            said.append(f"![{title}: {words}](pictures/{file.name})\n")
    (docs / "pictures.md").write_text("\n".join(said), encoding="utf-8")
    for name, which in README.items():
        if (folder / f"{which}.png").exists():
            top = _top(folder / f"{which}.png", 1280)
            top.save(kept / f"{name}.webp", "WEBP", quality=80, method=6)
    return sum(path.stat().st_size for path in kept.iterdir())


_HEAD = """# Pictures of every page

Made by `make screenshots` from the demo, to be looked at before a release. In each row stands one \
page: in English by day and in Spanish at night on a desktop, in Spanish by day and in English at \
night on a phone; the top of it, as far as the window shows.
"""


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns


def _file(folder: Path, name: str, language: str, width: int) -> Path:
    scheme = dict(CHOSEN[language])[width]
    return folder / f"{name}.{language}.{width}.{scheme}.png"


def _is_whole(folder: Path, name: str) -> bool:
    return all(_file(folder, name, *each).exists() for each in _ORDER)


def _top(file: Path, width: int) -> Image.Image:
    with Image.open(file) as picture:
        return picture.convert("RGB").crop((0, 0, width, WIDTHS[width]))


def _sheet(folder: Path, names: Sequence[str]) -> Image.Image:
    widths = [round(width * _HEIGHT / WIDTHS[width]) for _, width in _ORDER]
    row = _CAPTION + _HEIGHT + _GAP
    sheet = Image.new("RGB", (sum(widths) + _GAP * (len(widths) + 1), row * len(names)), _GROUND)
    drawing, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=17)
    for place, name in enumerate(names):
        drawing.text((_GAP, place * row + 6), name.replace("-", " "), fill="black", font=font)
        left = _GAP
        for (language, width), shown in zip(_ORDER, widths, strict=True):
            top = _top(_file(folder, name, language, width), width)
            sheet.paste(
                top.resize((shown, _HEIGHT), Image.Resampling.LANCZOS),
                (left, place * row + _CAPTION),
            )
            left += shown + _GAP
    return sheet
