"""The demo as a newcomer starts it: a process of its own, seen only from outside."""

import asyncio
import email
import email.policy
import html
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import aiohttp

from foundation.web import security
from handbill.demo import seed_site
from handbill.demo.browser import Browser

ROOT = Path(__file__).parents[2]
PASSWORD = "quiet harbor lantern nine"
_PATIENCE_S = 90


@dataclass(slots=True)
class Demo:
    """Where the demo listens; the owner comes in once and invites whoever a test needs."""

    site: str
    partner: str
    owner: str
    """The owner's address; `PASSWORD` opens the door."""
    shown: dict[str, int]
    """Each address that it printed, and the status of what answered there at its start."""

    async def invite(self, address: str, *, role: str = "owner", language: str = "en") -> str:
        """Somebody new in the staff room; gives the one-time link that was mailed to them."""
        async with Browser(self.site) as browser:
            page = await browser.open("/staff/signin")
            await browser.send(page.form("/staff/signin"), email=self.owner, password=PASSWORD)
            page = await browser.open("/staff/team")
            csrf = dict(page.form("/staff/team").values)[security.CSRF_FIELD]
            person = {"email": address, "role": role, "language": language, "name": ""}
            await browser.post("/staff/team", {security.CSRF_FIELD: csrf, **person})
        return link_in(await self.mail(address, having="/staff/signin/"), "/staff/signin/")

    async def mail(self, to: str, *, having: str) -> EmailMessage:
        """The newest mail to an address with a piece of text in it, as soon as it has come."""
        async with asyncio.timeout(_PATIENCE_S), aiohttp.ClientSession(self.site) as web:
            while True:
                async with web.get("/demo/inbox", params={"to": to}) as answer:
                    numbers = re.findall(r'href="/demo/inbox/(\d+)"', await answer.text())
                for number in numbers:
                    async with web.get(f"/demo/inbox/{number}/raw") as answer:
                        found = email.message_from_bytes(
                            await answer.read(), policy=email.policy.default
                        )
                    if having in str(found["Subject"]) or having in text_of(found):
                        return found
                await asyncio.sleep(0.1)


def text_of(mail: EmailMessage) -> str:
    """The text part."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: EmailMessage) -> str:
    """The HTML part."""
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def link_in(mail: EmailMessage, path: str) -> str:
    """The first address in the HTML part with `path` in it."""
    for found in re.findall(r'href="([^"]+)"', html_of(mail)):
        if path in urllib.parse.urlsplit(html.unescape(found)).path:
            return html.unescape(found)
    raise AssertionError(f"no link to {path} in “{mail['Subject']}”")


@contextmanager
def running() -> Iterator[Demo]:
    """The demo on free ports, for as long as the block lasts; it leaves nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "handbill", "demo", "--port", "0"],
            cwd=ROOT,
            env=_environment(folder),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        found: dict[str, str] = {}
        try:
            for line in process.stdout:
                label, _, url = line.strip().rpartition("  ")
                if "http://" in url:
                    found[label.strip()] = url
                if "Stop with Ctrl-C" in line:
                    break
            site = found["The issue's page"].removesuffix("/issues/secure-communities")
            shown = asyncio.run(_look(found.values()))
            asyncio.run(come_in(site, found["Staff, one-time link"]))
            yield Demo(
                site=site,
                partner=found["A partner's page"],
                owner=seed_site.OWNER_EMAIL,
                shown=shown,
            )
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=90)
        assert process.returncode == 0
        assert list(Path(folder).iterdir()) == []


def _environment(folder: str) -> dict[str, str]:
    """Without settings; what happens to be installed here, such as SpamAssassin, is not found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDBILL_")}
    own = {"LANG": "C.UTF-8", "PATH": str(Path(sys.executable).parent), "TMPDIR": folder}
    return kept | own


async def _look(urls: Iterable[str]) -> dict[str, int]:
    async with aiohttp.ClientSession() as web:
        shown = {}
        for url in urls:
            async with web.get(url) as answer:
                shown[url] = answer.status
        return shown


async def come_in(site: str, link: str) -> None:
    """Spend the printed link, and choose a password."""
    async with Browser(site) as browser:
        page = await browser.open(link)
        page = await browser.send(page.form("/staff/signin/"))
        await browser.send(page.form("/staff/account/password"), password=PASSWORD)
