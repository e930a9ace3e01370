"""A browser without scripts for the demo's story: reads pages, fills in forms, keeps cookies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from foundation.frozen import frozen
from handbill.demo.checking import StoryError


@dataclass(kw_only=True, slots=True)
class Form:
    """A form as it stands in a page, with what is filled in already."""

    action: str
    method: str
    values: list[tuple[str, str]] = field(default_factory=list)
    """What the browser would send, without any button."""
    names: set[str] = field(default_factory=set)
    """Every field, those that are not ticked too."""

    def filled(self, changes: Mapping[str, str | list[str]]) -> list[tuple[str, str]]:
        """The values with `changes`, which may name only fields that are there."""
        unknown = set(changes) - self.names
        if unknown:
            raise StoryError(f"the form {self.action} has no field {', '.join(sorted(unknown))}")
        pairs = [(name, value) for name, value in self.values if name not in changes]
        for name, given in changes.items():
            pairs += [(name, value) for value in ([given] if isinstance(given, str) else given)]
        return pairs


@frozen
class Page:
    """An answer, read to its end."""

    url: str
    status: int
    text: str

    def form(self, action: str = "") -> Form:
        """The first form that posts to an address with `action` in it. Raises `StoryError`."""
        reader = _Reader(self.url)
        reader.feed(self.text)
        for found in reader.forms:
            if found.method == "post" and action in found.action:
                return found
        raise StoryError(f"{urlsplit(self.url).path} has no form for {action or 'anything'}")


class Browser:
    """One person at a browser."""

    def __init__(self, base: str, *, language: str = "en") -> None:
        self._http = aiohttp.ClientSession(
            base,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers={"Accept-Language": language, "User-Agent": "Mozilla/5.0 (demo story)"},
            timeout=aiohttp.ClientTimeout(total=60),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _problem: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the browser; its cookies are gone."""
        await self._http.close()

    async def open(self, url: str) -> Page:
        """Follow a link, and redirects behind it. Raises `StoryError` for an error page."""
        async with self._http.get(URL(url, encoded=True)) as answer:
            return await _page(answer)

    async def send(self, form: Form, **changes: str | list[str]) -> Page:
        """Send a form with some fields changed."""
        pairs = form.filled(changes)
        async with self._http.post(URL(form.action, encoded=True), data=pairs) as answer:
            return await _page(answer)

    async def post(self, url: str, values: Mapping[str, str]) -> Page:
        """Post values that stand in no page, as a mail program's own button does."""
        async with self._http.post(URL(url, encoded=True), data=dict(values)) as answer:
            return await _page(answer)

    async def head(self, url: str) -> int:
        """What a link checker asks: the status, without the page."""
        async with self._http.head(URL(url, encoded=True)) as answer:
            return answer.status

    async def fetch(self, url: str) -> None:
        """Load a picture in a mail. Raises `StoryError` when it is none."""
        async with self._http.get(URL(url, encoded=True)) as answer:
            await answer.read()
            if answer.status != 200 or not answer.content_type.startswith("image/"):
                raise StoryError(f"{answer.url.path} is no picture")

    async def leads_to(self, url: str) -> str:
        """Where a link in a mail sends the reader."""
        async with self._http.get(URL(url, encoded=True), allow_redirects=False) as answer:
            await answer.read()
            return answer.headers.get("Location", "")


async def _page(answer: aiohttp.ClientResponse) -> Page:
    body = await answer.read()
    if answer.status >= 400:
        raise StoryError(f"{answer.method} {answer.url.path} was answered by {answer.status}")
    return Page(url=str(answer.url), status=answer.status, text=body.decode("utf-8", "replace"))


class _Reader(HTMLParser):
    """Collects the forms of a page."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._url = url
        self._form: Form | None = None
        self._select = ""
        self._chosen: list[str] = []
        self._area = ""
        self._typed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(
                action=urljoin(self._url, given.get("action") or self._url),
                method=given.get("method", "get").lower(),
            )
            self.forms.append(self._form)
        elif self._form is not None and given.get("name"):
            self._field(self._form, tag, given)
        elif tag == "option" and self._select:
            self._option(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select" and self._select and self._form is not None:
            self._form.values += [(self._select, value) for value in self._chosen[:1]]
            self._select = ""
        elif tag == "textarea" and self._area and self._form is not None:
            self._form.values.append((self._area, "".join(self._typed).removeprefix("\n")))
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._typed.append(data)

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given["name"], given.get("type", "text")
        if tag == "input" and kind not in ("submit", "button", "file", "image"):
            form.names.add(name)
            if kind not in ("checkbox", "radio"):
                form.values.append((name, given.get("value", "")))
            elif "checked" in given:
                form.values.append((name, given.get("value", "on")))
        elif tag == "select":
            form.names.add(name)
            self._select, self._chosen = name, []
        elif tag == "textarea":
            form.names.add(name)
            self._area, self._typed = name, []
        elif tag == "button":
            form.names.add(name)

    def _option(self, given: dict[str, str]) -> None:
        """The chosen option comes first; without one, a browser sends the first there is."""
        value = given.get("value", "")
        if "selected" in given:
            self._chosen.insert(0, value)
        else:
            self._chosen.append(value)
