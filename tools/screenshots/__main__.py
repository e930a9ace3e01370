"""Takes a picture of every page and mail of the demo, for people to look at before a release.

Usage: python -m tools.screenshots [FOLDER] [--room NAME]… [--only WORDS] [--all] [--keep]. Of each
page four are taken, which show both languages, a desktop and a phone, light and dark; with `--all`
every combination. `--keep` lays what the folder holds out on the sheets of `docs/pictures`.
"""

import argparse
import asyncio
import dataclasses
import re
from pathlib import Path

from playwright.async_api import Browser

from foundation import i18n
from tests.world import browsers
from tests.world import demo as demo_world
from tests.world.demo import Demo
from tools.screenshots import first_day, mails, pages, sheets, walks
from tools.screenshots.camera import LANGUAGES, WIDTHS, Camera

ROOT = Path(__file__).parents[2]


async def in_room(camera: Camera, room: str) -> None:
    """The pages of a room, and the walks that begin there."""
    if room == "public":
        for name, path in pages.PUBLIC.items():
            await camera.open(f"{room}-{name}", path)
    if room in pages.STAFF:
        await camera.come_in()
        for name, path in pages.STAFF[room].items():
            await camera.open(f"{room}-{name}", path)
    for walk in walks.WALKS:
        if walk.room == room:
            await walk.go(camera)
    if room == "mail":
        await camera.come_in()
        await mails.bulletins(camera)
        await mails.other_bulletins(camera)
        await mails.small_mails(camera)


async def on_first_day(camera: Camera, empty: Demo) -> int:
    """The pages of a site in which there is nothing yet; says how many pictures that was."""
    camera = dataclasses.replace(camera, demo=empty, taken=0)
    await camera.come_in()
    for name, path in pages.FIRST_DAY.items():
        await camera.open(f"{sheets.FIRST_DAY}-{name}", path)
    return camera.taken


async def in_language(
    browser: Browser, demo: Demo, empty: Demo, language: str, given: argparse.Namespace
) -> int:
    """Everything in one language; says how many pictures that was."""
    context = await browser.new_context(viewport={"width": 1280, "height": WIDTHS[1280]})
    catalog = i18n.load(languages=LANGUAGES, default="en", zone="America/New_York")
    camera = Camera(
        demo=demo,
        page=await context.new_page(),
        folder=given.folder,
        translator=catalog.translator(language),
        only=re.compile(given.only),
        is_all=given.all,
    )
    for room in sheets.ROOMS:
        if not given.room or room in given.room:
            await in_room(camera, room)
    if not given.room or sheets.FIRST_DAY in given.room:
        camera.taken += await on_first_day(camera, empty)
    await context.close()
    return camera.taken


async def take(demo: Demo, given: argparse.Namespace) -> int:
    """Everything; says how many pictures that was."""
    async with (
        browsers.opened() as browser,
        first_day.running() as empty,
        asyncio.TaskGroup() as group,
    ):
        tasks = [
            group.create_task(in_language(browser, demo, empty, each, given)) for each in LANGUAGES
        ]
    return sum(task.result() for task in tasks)


def main() -> None:
    """Read the command line, start the demo, take the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "var" / "screenshots")
    parser.add_argument("--room", action="append", choices=sheets.ROOMS, default=[])
    parser.add_argument("--only", default="", help="a regular expression over pictures' names")
    parser.add_argument("--all", action="store_true", help="every width, scheme and language")
    parser.add_argument("--keep", action="store_true", help="write docs/pictures from the folder")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with demo_world.running() as demo:
        taken = asyncio.run(take(demo, given))
    print(f"{taken} pictures in {given.folder}")
    if given.keep:
        size = sheets.lay_out(given.folder, ROOT / "docs")
        print(f"{size / 1_000_000:.1f} MB in docs/pictures")


if __name__ == "__main__":
    main()
