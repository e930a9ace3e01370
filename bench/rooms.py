"""How soon the pages of the staff room come, on a site with years behind it, on both engines.

Every address of the staff room is asked for: the router says which there are, so that a new one is
measured without being written down here, or stands among those that are not, with the reason.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import furniture, kept, timing
from bench.furniture import Numbers
from bench.measure import Figure
from foundation.ground import Ground
from tests.world import estate, web

LIMIT_MS = 100.0
_TIMES = 9
_STAFF = "/staff"
_NO_PAGES: Mapping[str, Sequence[str]] = {
    "the door: nobody is signed in there yet": (
        "/staff/signin",
        "/staff/signin/second-step",
        "/staff/signin/forgotten",
        "/staff/signin/password/{secret}",
        "/staff/signin/{secret}",
    ),
    "a file with a row for everything, sent as it is read": (
        "/staff/audit.csv",
        "/staff/audit.jsonl",
        "/staff/partners/{id}/numbers.csv",
        "/staff/campaigns/{id}/report.csv",
        "/staff/campaigns/{id}/report.json",
        "/staff/issues/{id}/materials/{material}/taken.csv",
    ),
    "a file that is printed behind the page": ("/staff/campaigns/{id}/handbill.pdf",),
    "an answer that goes on while a campaign is sent": ("/staff/campaigns/{id}/live",),
    "leads on to a page of this list": (
        "/staff/campaigns/{id}/check",
        "/staff/campaigns/{id}/release",
        "/staff/welcome-mailings/{id}",
    ),
    "only of what has several languages, or several things in it": (
        "/staff/bulletins/{id}/blocks/{block}/words/{development}",
        "/staff/issues/{id}/parts/new",
        "/staff/translations/{kind}/{id}",
    ),
}
"""Why an address is not asked for → which."""
_OF_DRAFTS = ("", "/edit", "/check/progress", "/review", "/trial", "/why")
_OF_SCHEDULED = ("", "/schedule", "/start", "/edit")
"""Pages of a campaign that nobody has got; its people are counted beside the page."""
_MORE: Mapping[str, str] = {
    "people, a second page": "/staff/people?after=500000",
    "people by a name": "/staff/people?q=family77",
    "people by part of an address": "/staff/people?q=person77777",
    "people on a topic": "/staff/people?topic=action-alerts",
    "people confirmed": "/staff/people?standing=confirmed",
    "people suppressed": "/staff/people?standing=suppressed",
    "a campaign to write": "/staff/campaigns/new?bulletin={sent}",
    "recipients by a name": "/staff/campaigns/{sent}/everybody?q=family77",
    "a plain bulletin": "/staff/bulletins/{sent}",
    "its preview": "/staff/bulletins/{sent}/preview",
    "find": "/staff/find?q=bulletin+4",
}
"""The same addresses, asked for something."""


async def run(
    engines: Sequence[str] = kept.ENGINES, *, people: int, campaigns: int, folder: Path | None
) -> list[Figure]:
    """Medians of each page, asked for by one person at a time; see `kept.site` on `folder`."""
    found: list[Figure] = []
    for engine in engines:
        async with kept.site(engine, people=people, campaigns=campaigns, folder=folder) as ground:
            found += await _asked(ground, engine, sent=campaigns)
    return found


async def _asked(ground: Ground, engine: str, *, sent: int) -> list[Figure]:
    figures: list[Figure] = []
    numbers = await furniture.numbers(ground, sent=sent)
    async with web.browsing(ground) as door:
        staff = await door.as_staff()
        for name, path in _pages(ground, numbers, sent).items():

            async def ask(path: str = path) -> None:
                answer = await staff.get(path)
                if answer.status != 200:
                    raise AssertionError(f"{path}: {answer.status}")

            figures.append(await timing.figure(f"{engine}: {name}", ask, _TIMES, LIMIT_MS))
            # What is counted beside this page is not to be in the way of the next.
            await staff.get(f"{path}{'&' if '?' in path else '?'}whole=1")
    return figures


def _pages(ground: Ground, numbers: Numbers, sent: int) -> dict[str, str]:
    """What a page is called → its address. Raises `AssertionError` for one nobody can fill in."""
    left_out = {each for patterns in _NO_PAGES.values() for each in patterns}
    patterns = [
        address.pattern
        for address in estate.addresses(ground)
        if address.method == "GET" and address.pattern.split("/")[1] == "staff"
    ]
    if gone := left_out - set(patterns):
        raise AssertionError(f"not asked for, and not there: {sorted(gone)}")
    campaign = f"{_STAFF}/campaigns/{{id}}"
    of_unsent = {f"{campaign}{part}" for part in (*_OF_DRAFTS, *_OF_SCHEDULED)} - {campaign}
    pages = {
        pattern: numbers.filled(pattern)
        for pattern in patterns
        if pattern not in left_out | of_unsent
    }
    for which, parts in (("draft", _OF_DRAFTS), ("scheduled", _OF_SCHEDULED)):
        number = getattr(numbers, which)
        pages |= {
            f"{campaign}{part}, {which}": f"{_STAFF}/campaigns/{number}{part}" for part in parts
        }
    if odd := [each for each in pages.values() if "{" in each]:
        raise AssertionError(f"say in bench/furniture.py what stands in the places of {odd}")
    return pages | {name: path.format(sent=sent) for name, path in _MORE.items()}
