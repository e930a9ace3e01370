"""Every page has its picture: the list of the pictures is the list of the pages."""

import re
from collections.abc import Sequence

from handbill import api, app
from tools.screenshots import pages, walks

WITH_PAGES = (*app.PAGE_SLICES, api)


def test_of_every_page_a_picture_is_taken_or_it_is_said_why_not() -> None:
    there = [
        route.path for module in WITH_PAGES for route in module.routes() if route.method == "GET"
    ]
    rooms = (pages.PUBLIC, *pages.STAFF.values())
    shown = {_leads_to(path.split("?")[0], there) for room in rooms for path in room.values()}
    shown |= {path for walk in walks.WALKS for path in walk.passes}
    unseen = [
        path
        for path in there
        if path not in shown and not any(_excuses(each, path) for each in pages.NO_PICTURE)
    ]
    assert unseen == []


def test_a_new_thing_is_no_picture_of_one_that_is_there() -> None:
    there = ["/staff/snippets/new", "/staff/snippets/{id}"]
    assert _leads_to("/staff/snippets/new", there) == "/staff/snippets/new"
    assert _leads_to("/staff/snippets/3", there) == "/staff/snippets/{id}"


def test_what_needs_no_picture_is_still_there() -> None:
    there = [route.path for module in WITH_PAGES for route in module.routes()]
    over = [each for each in pages.NO_PICTURE if not any(_excuses(each, path) for path in there)]
    assert over == []


def _leads_to(path: str, there: Sequence[str]) -> str | None:
    """The page that answers at an address: the one that is least open, as the router takes it."""
    found = [each for each in there if re.fullmatch(_pattern(each), path)]
    return min(found, key=lambda each: each.count("{"), default=None)


def _excuses(entry: str, path: str) -> bool:
    return path.startswith(entry) if entry[-1] in "/." else path == entry


def _pattern(path: str) -> str:
    return re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path))
