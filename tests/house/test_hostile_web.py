"""Every route of the assembled site gets the requests of strangers, broken programs and attackers.

What holds for each of them: no answer of 500 or more, nothing of our insides shown, an error page
that says in the reader's language what is wrong (problem details under `/api/`), the safe headers,
nothing sent in that comes back as markup, and no row changed by looking.

Who somebody is, is asked in the staff room alone: there an owner tries everything, and strangers,
whom all of it sends to one door, one thing at each address. Elsewhere everybody is a stranger.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from typing import Any

import aiohttp
import pytest
from yarl import URL

from foundation.ground import Ground
from foundation.tokens import Purpose
from foundation.web import security
from tests.world import estate, probing
from tests.world.estate import Address, Estate
from tests.world.smtp import Catcher
from tests.world.web import Answer, Web

BROKEN_NAMES = (
    "0",
    "-1",
    "9" * 18,
    "9" * 400,
    "%C3%A9%E2%80%AE",
    "%FF%FE",
    "..%2f..%2fetc%2fpasswd",
    "a%00b",
    "a%0D%0ASet-Cookie:%20x=1",
    "%3Cscript%3Eprobe()%3C%2Fscript%3E",
)
WAYS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("lang=es&lang=%00", {}),
    ("lang=../../x&after=zzz&before=-1&page=99999999999999999999&limit=-5", {}),
    (
        "after=%FF&cursor=%F0%9F%92%A9&q=%00",
        {
            "Accept-Language": ";;;q=,\x80zz-\t,*;q=9e99",
            "If-None-Match": '"',
            "If-Modified-Since": "yesterday",
            "Range": "bytes=9-1,-",
        },
    ),
    ("text=%3Cscript%3Eprobe()%3C/script%3E&q=%3Cscript%3Eprobe()%3C/script%3E", {}),
    (
        "q=%25%27%22%20OR%201=1--&state=nope&topic=nope&language=nope&kind=nope&bulletin=zz&form=..",
        {},
    ),
    (
        "&".join(["email=a", "topic=b"] * 60),
        {
            "Accept-Language": "x-" * 2000,
            "Host": "evil.example:0@x",
            "Referer": "http://[::1",
            "Origin": "null",
            "HX-Request": "true",
            "User-Agent": "x" * 4000,
        },
    ),
    (
        "next=//evil.example&utm_source=" + "x" * 2000,
        {"X-Forwarded-For": "::ffff:not, 1.2.3", "Sec-Fetch-Site": "\xa0"},
    ),
    (
        "",
        {
            "Cookie": 'handbill_session="\\777;; =; handbill_lang=../..; handbill_text=<b>; '
            "handbill_flash=%FF"
        },
    ),
)
"""Queries, and headers that go along with some of them: nothing of either hides the other.

Whoever has these cookies is a stranger, so they come alone.
"""
WANT_MORE = (
    "/api/v1/developments",
    "/r/",
    "/staff/issues/1/parts/new",
    "/staff/campaigns/1/schedule",
    "/api/v1/campaigns/1/trial",
    "/static/",
    "/staff/signin/",
    "/staff/translations/snippet/",
    "/oembed",
    "/events/",
)
"""Pages that need a query, a state or a name that the estate does not have."""


async def missing(house: Estate, owner: Web, found: Iterable[Address]) -> AsyncIterator[str]:
    """The paths of `found` that lead an owner to nothing, though there is one of everything."""
    for address in found:
        path = house.real(address)
        answer = await probing.probe(owner, "GET", path, headers=probing.with_token(house, path))
        if answer.status >= 400 and not path.startswith(WANT_MORE):
            yield f"{path}: {answer.status}"


async def test_broken_names_in_any_path_are_answered_by_a_page(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    async with probing.opened(ground, web) as (house, owner):
        delivered = len(smtp.messages)
        acts, at_the_door = [], itertools.cycle(BROKEN_NAMES)
        for address in house.addresses:
            for place in address.places:
                good = {name: house.values.get(name, "1") for name in address.places}
                paths = [
                    address.filled({**good, place: name}) + "?lang=es" for name in BROKEN_NAMES
                ]
                is_staffs = address.pattern.startswith("/staff")
                for path in paths:
                    browser = owner if is_staffs else web
                    headers = probing.with_token(house, path)
                    acts.append(probing.probe(browser, address.method, path, headers=headers))
                if is_staffs:
                    path = address.filled({**good, place: next(at_the_door)})
                    acts.append(probing.probe(web, address.method, f"{path}?lang=es"))
        await probing.together(acts)
    assert len(smtp.messages) == delivered, "a broken name made somebody a mail"


async def test_looking_at_every_page_with_any_query_and_header_changes_no_row(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    async with probing.opened(ground, web) as (house, owner):
        delivered = len(smtp.messages)
        before = await estate.rows(ground, without=probing.CHANGED_BY_LOOKING)
        found = probing.methods(house.addresses, "GET")
        assert not " ".join([path async for path in missing(house, owner, found)])
        acts, at_the_door = [], itertools.cycle(WAYS)
        for path in map(house.real, found):
            is_staffs = path.startswith("/staff")
            browser = owner if is_staffs else web
            acts += [looked(house, browser, path, *way) for way in WAYS]
            if is_staffs:
                acts.append(looked(house, web, path, *next(at_the_door)))
        await probing.together(acts)
        assert await estate.rows(ground, without=probing.CHANGED_BY_LOOKING) == before
        assert len(smtp.messages) == delivered


def looked(
    house: Estate, browser: Web, path: str, query: str, headers: Mapping[str, str]
) -> Coroutine[Any, Any, Answer]:
    """A look at a page, with a query and with headers."""
    return probing.probe(
        browser, "GET", f"{path}?{query}", headers=probing.with_token(house, path, **headers)
    )


async def test_any_method_on_any_address_is_answered_and_says_what_is_allowed(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port
    async with probing.opened(ground, web) as (house, owner):
        before = await estate.rows(ground, without=probing.CHANGED_BY_LOOKING)
        taken: dict[str, set[str]] = {}
        useless = itertools.cycle(("TRACE", "PROPFIND"))
        for address in house.addresses:
            taken.setdefault(house.real(address), set()).add(address.method)
        for path, known in taken.items():
            # One of those that no page has a use for, each in its turn.
            for method in {"HEAD", "OPTIONS", "PUT", "DELETE", next(useless)} - known:
                answer = await probing.probe(
                    owner,
                    method,
                    path,
                    headers={security.CSRF_HEADER: owner.csrf, **probing.with_token(house, path)},
                )
                # 400: a HEAD of /staff/signin/passkey asks for a link whose secret is none.
                assert answer.status in (400, 401, 403, 404, 405), f"{method} {path}"
                if answer.status == 405:
                    assert answer.headers["Allow"], f"{method} {path}"
            if "HEAD" in known:
                await probing.probe(owner, "HEAD", path)
                await probing.probe(web, "HEAD", path)
        assert await estate.rows(ground, without=probing.CHANGED_BY_LOOKING) == before


async def test_the_staff_room_is_shut_for_strangers_and_for_forms_of_other_sites(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port
    async with probing.opened(ground, web) as (house, owner):
        before = await estate.rows(ground, without=probing.CHANGED_BY_LOOKING)
        token = {security.CSRF_FIELD: "guessed", "name": "x"}
        elsewhere = {security.CSRF_HEADER: owner.csrf, "Sec-Fetch-Site": "cross-site"}
        checked = 0
        for address in probing.methods(house.addresses, "GET", "POST", "PATCH", "DELETE", "PUT"):
            path = house.real(address)
            if path.startswith("/api/v1"):
                for headers in (
                    {},
                    {"Authorization": "Bearer hb_guess"},
                    {"Authorization": "\x80"},
                ):
                    answer = await probing.probe(web, address.method, path, headers=headers)
                    assert answer.status == 401, path
            if not path.startswith("/staff"):
                continue
            checked += 1
            if not path.startswith("/staff/signin"):
                data = token if address.method == "POST" else None
                answer = await probing.probe(web, address.method, path, data=data)
                assert answer.status == 303, path
                assert answer.location.startswith("/staff/signin"), path
            if address.method == "POST":
                for more in ({"data": token}, {"headers": elsewhere, "data": {"name": "x"}}):
                    assert (await probing.probe(owner, "POST", path, **more)).status == 403, path
        assert checked > 90
        assert await estate.rows(ground, without=probing.CHANGED_BY_LOOKING) == before


def forged(token: str, other: str) -> dict[str, str]:
    """What somebody makes of a real token; `other` is a real one of another kind."""
    changed = "A" if token[5] != "A" else "B"
    return {
        "cut short": token[:-1],
        "cut to nothing much": token[:3],
        "made longer": token + "A",
        "changed": token[:5] + changed + token[6:],
        "of another kind": other,
        "upper case": token.swapcase(),
    }


async def test_a_forged_cut_or_foreign_token_opens_nothing(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    async with probing.opened(ground, web) as (house, _):
        delivered = len(smtp.messages)
        before = await estate.rows(ground)
        tried = set()
        for address in house.addresses:
            if "token" not in address.places or address.method == "HEAD":
                continue
            real = house.real(address)
            token = estate.token(ground, address.pattern)
            purpose = Purpose.VIEW if "/view" not in address.pattern else Purpose.CLICK
            for how, name in forged(token, ground.tokens.seal(purpose, 1, 1, 1)).items():
                path = real.replace(token, name)
                data = {"List-Unsubscribe": "One-Click"} if address.method == "POST" else None
                answer = await probing.probe(web, address.method, f"{path}?lang=es", data=data)
                is_pixel = address.pattern.startswith("/o/")  # a mail shows no error page
                assert answer.status in ({200} if is_pixel else {400, 404}), f"{how}: {path}"
                tried.add(address.pattern)
        assert len(tried) >= 7
        assert await estate.rows(ground) == before
        assert len(smtp.messages) == delivered


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        (
            b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        ),
        b"GET /subscribe HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"X-%d: y\r\n" % n for n in range(2000))
        + b"\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["nul", "length", "smuggling", "version", "long", "many", "target", "tls"],
)
async def test_what_is_no_http_is_refused_and_the_next_reader_is_served(
    web: Web, raw: bytes
) -> None:
    base = URL(web.base)
    assert base.host
    reader, writer = await asyncio.open_connection(base.host, base.port)
    try:
        writer.write(raw)
        await writer.drain()
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), timeout=60)
    finally:
        writer.close()
    assert not answer or answer.split(b" ")[1][:1] in (b"4", b"2", b"3"), answer[:200]
    assert b"Traceback" not in answer
    async with aiohttp.ClientSession(web.base) as other, other.get("/subscribe") as page:
        assert page.status == 200
