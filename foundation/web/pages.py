"""Renders page templates with Jinja and serves static files under their hash.

The folders are handed in by `handbill/app.py`; nothing here knows which pages there are.
"""

import hashlib
import mimetypes
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from foundation import isolating
from foundation.i18n import DateStyle, Translator

_ONE_YEAR_S = 31_536_000


class Pages:
    """The page templates and static files of the site."""

    def __init__(self, templates: Path, static: Path) -> None:
        self.static_folder = static
        self._hashes = _hash_files(static)
        self.environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        self.environment.globals["static"] = self.static_url
        self.environment.filters |= {
            "date": _date,
            "moment": _moment,
            "number": _number,
            "percent": _percent,
            "iso": _iso,
            "bdi": _bdi,
            "language_title": _language_title,
            "breakable": _breakable,
        }
        # Bound per render in `render`, so that one environment serves every language.
        self.environment.install_gettext_callables(  # type: ignore[attr-defined]
            _gettext, _ngettext, newstyle=True
        )

    def render(self, template: str, *, translator: Translator, values: Mapping[str, Any]) -> str:
        """The page's HTML. Raises Jinja's errors: a broken page template is our mistake."""
        return self.environment.get_template(template).render(
            **{
                "translator": translator,
                "lang": translator.language,
                "dir": translator.direction,
                **values,
            }
        )

    def static_url(self, name: str) -> str:
        """The address of a static file, which changes with its content."""
        return f"/static/{self._hashes[name]}/{name}"

    async def serve_static(self, request: web.Request) -> web.StreamResponse:
        """`GET /static/{hash}/{name}`: a file of ours, to be kept for a year."""
        name = request.match_info["name"]
        if name not in self._hashes:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        is_current = request.match_info["hash"] == self._hashes[name]
        keeping = f"public, max-age={_ONE_YEAR_S}, immutable" if is_current else "no-cache"
        return web.FileResponse(
            self.static_folder / name, headers={"Content-Type": kind, "Cache-Control": keeping}
        )


def _hash_files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _translator(context: Context) -> Translator:
    found: Translator = context["translator"]
    return found


@pass_context
def _gettext(context: Context, msgid: str) -> str:
    return _translator(context).gettext(msgid)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return _translator(context).ngettext(singular, plural, count)


@pass_context
def _date(context: Context, value: date | datetime, style: DateStyle = "long") -> Markup:
    shown = _translator(context).date(value, style)
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), shown)


@pass_context
def _moment(context: Context, value: datetime, style: DateStyle = "medium") -> Markup:
    shown = _translator(context).moment(value, style)
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), shown)


@pass_context
def _number(context: Context, value: float) -> str:
    return _translator(context).number(value)


@pass_context
def _percent(context: Context, share: float, digits: int = 1) -> str:
    return _translator(context).percent(share, digits)


@pass_context
def _language_title(context: Context, language: str) -> str:
    return _translator(context).language_title(language)


@pass_context
def _bdi(context: Context, words: object) -> object:
    """A name or address, kept apart from what runs in another direction around it."""
    return isolating.on_page(words, direction=_translator(context).direction)


def _breakable(words: str) -> Markup:
    """An e-mail address that breaks behind its @ where it is too long for a line."""
    name, sign, domain = words.partition("@")
    return Markup("{}{}<wbr>{}").format(name, sign, domain) if sign else Markup.escape(words)


def _iso(value: date | datetime) -> str:
    return value.isoformat()
