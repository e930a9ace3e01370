"""Checks that the demo makes on its way: what is so, what comes, and the links in mails."""

import asyncio
import re
from collections.abc import Callable
from typing import TypeVar

from handbill.demo.mailbox import Mail

T = TypeVar("T")


class StoryError(Exception):
    """Something in the demo did not happen as it should have."""


def expect(is_so: bool, problem: str) -> None:
    """Go on only if something is so. Raises `StoryError` that says what is the matter."""
    if not is_so:
        raise StoryError(problem)


async def until(look: Callable[[], T | None], what: str, *, within_s: float = 60.0) -> T:
    """Look again and again until something is there. Raises `StoryError` when it never comes."""
    ends = asyncio.get_running_loop().time() + within_s
    while (found := look()) is None:
        if asyncio.get_running_loop().time() > ends:
            raise StoryError(f"{what} did not come within {within_s:.0f} seconds")
        await asyncio.sleep(0.05)
    return found


def link_in(mail: Mail | None, path: str) -> str:
    """The first link in a mail's text whose path starts with `path`. Raises `StoryError`."""
    found = re.search(rf"https?://[^\s/]+{re.escape(path)}[^\s>)\]]*", mail.text if mail else "")
    if found is None:
        raise StoryError(f"no mail with a link to {path}")
    return found[0]


def token_in(mail: Mail | None, path: str) -> str:
    """The last part of such a link."""
    return link_in(mail, path).partition("?")[0].rpartition("/")[2]
