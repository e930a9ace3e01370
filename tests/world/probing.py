"""Requests as strangers and attackers make them, and what every answer has to keep to."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from yarl import URL

from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.world import estate
from tests.world.estate import Address, Estate
from tests.world.web import Answer, Web

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MARK = "<script>probe()</script>"
SAFE = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "X-Frame-Options",
)
CHANGED_BY_LOOKING = frozenset(
    {"throttle_counters", "hits", "hit_rules", "hit_totals", "material_downloads"}
)
"""Tables that count who came by."""


@asynccontextmanager
async def opened(ground: Ground, web: Web) -> AsyncIterator[tuple[Estate, Web]]:
    """The estate, and a browser of an owner."""
    yield await estate.copied(ground), await web.as_staff(Role.OWNER)


def check(answer: Answer, *, told: str = "") -> None:
    """What every answer has to keep to."""
    where = f"{answer.status} {answer.url[:200]} {told}"
    assert answer.status < 500, where
    for name in SAFE:
        assert name in answer.headers, f"{name} is missing: {where}"
    assert "set-cookie: x=1" not in str(answer.headers).lower(), where
    is_text = answer.headers.get("Content-Type", "").startswith(("text/", "application/"))
    body = answer.body.decode("utf-8", "replace") if is_text else ""
    assert "Traceback (most recent" not in body, where
    if "html" in answer.headers.get("Content-Type", ""):
        assert MARK not in body, where
    if answer.status >= 400:
        check_refusal(answer, body, where)


def check_refusal(answer: Answer, body: str, where: str) -> None:
    """An error is said to programs as problem details and to people as a page."""
    path = URL(answer.url).path
    if not body:
        return  # the answer to HEAD
    if path.startswith(("/api/", "/hooks/")):
        assert answer.headers["Content-Type"].startswith("application/problem+json"), where
        said = json.loads(body)
        assert said["status"] == answer.status, where
        assert said["title"], where
        assert said["detail"], where
        return
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8", where
    assert re.search(r"<h1[^>]*>\s*\S", body), where
    assert re.search(r'<html lang="(en|es)"', body), where
    if "lang=es" in URL(answer.url).raw_query_string.split("&")[:1]:
        assert '<html lang="es"' in body, where


def methods(found: Iterable[Address], *wanted: str) -> list[Address]:
    """Routes of these methods."""
    return [each for each in found if each.method in wanted]


async def together(acts: Iterable[Any]) -> None:
    """A few at once, as a server has it."""
    waiting = list(acts)
    while waiting:
        now, waiting = waiting[:8], waiting[8:]
        problems = [each for each in await asyncio.gather(*now, return_exceptions=True) if each]
        bad = [each for each in problems if isinstance(each, BaseException)]
        if bad:
            for act in waiting:
                act.close()
            raise AssertionError("\n".join(map(str, bad)))


async def probe(browser: Web, method: str, path: str, **more: Any) -> Answer:
    """One request whose answer is checked."""
    answer = await browser.request(method, path, **more)
    check(answer, told=f"{method} {str(more)[:200]}")
    return answer


def with_token(house: Estate, path: str, **headers: str) -> dict[str, str]:
    """Headers that let a program in where the path is the API's."""
    if path.startswith("/api/v1"):
        return {"Authorization": f"Bearer {house.api_token}", **headers}
    return headers
