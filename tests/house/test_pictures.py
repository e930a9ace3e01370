"""Every page has its picture: the list of the pictures is the list of the pages."""

import re

from handbill import api, app
from tools.screenshots import pages, walks

WITH_PAGES = (*app.PAGE_SLICES, api)


def test_of_every_page_a_picture_is_taken_or_it_is_said_why_not() -> None:
    shown = [path.split("?")[0] for path in pages.PUBLIC.values()]
    shown += [path.split("?")[0] for room in pages.STAFF.values() for path in room.values()]
    passed = {path for walk in walks.WALKS for path in walk.passes}
    unseen = [
        route.path
        for module in WITH_PAGES
        for route in module.routes()
        if route.method == "GET"
        and route.path not in passed
        and not any(re.fullmatch(_pattern(route.path), path) for path in shown)
        and not any(_excuses(each, route.path) for each in pages.NO_PICTURE)
    ]
    assert unseen == []


def test_what_needs_no_picture_is_still_there() -> None:
    there = [route.path for module in WITH_PAGES for route in module.routes()]
    over = [each for each in pages.NO_PICTURE if not any(_excuses(each, path) for path in there)]
    assert over == []


def _excuses(entry: str, path: str) -> bool:
    return path.startswith(entry) if entry[-1] in "/." else path == entry


def _pattern(path: str) -> str:
    return re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path))
