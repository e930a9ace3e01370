"""Sets a message in type: Jinja and MJML sources from `templates/mail/` to HTML.

Whatever is wrong with a template is a `TemplateProblem` that names its file and line.
"""

import functools
import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import mjml
from jinja2 import pass_context, sandbox
from jinja2.runtime import Context

from foundation.frozen import frozen
from templates import mjml_lint, problems, slots

MAIL = Path(__file__).parent / "mail"
_MENDED = (
    (' aria-roledescription="email"', ""),
    (' role="article"', ' role="main"'),
    (' height="auto"', ""),
)
"""What MJML writes, and what stands there instead; none of it can be in a text, where quotation
marks are escaped."""


_BODY = re.compile(r"<mj-body[^>]*>(.*)</mj-body>", re.DOTALL)
_OWN = "<template>"
"""What Jinja calls a source that has no file."""
_SEAM = "hbseam"
"""Stands between layers while MJML is at work, which keeps words and would close elements."""
_ALIGNED = re.compile(r"<(mj-(?:wrapper|section|group|column|text|button|image))\b([^>]*?)(/?)>")


@frozen
class Layer:
    """One of several mails that are set under one another."""

    template: str
    language: str
    direction: str
    values: Mapping[str, Any]
    source: str = ""
    """Of a template that is the site's own; it stands in for `template`."""


def typeset_stacked(layers: Sequence[Layer], *, folder: Path = MAIL) -> str:
    """The HTML of several mails in one: the first is the document, the others stand in its body."""
    first, *others = layers
    source = compose(first.template, values=first.values, folder=folder, own=first.source)
    for number, layer in enumerate(others):
        body = _BODY.search(
            compose(layer.template, values=layer.values, folder=folder, own=layer.source)
        )
        inner = body[1] if body else ""
        if layer.direction != first.direction:
            inner = _ALIGNED.sub(functools.partial(_aligned, layer.direction), inner)
        seams = (f"<mj-raw>{_SEAM}{kind}{number}z</mj-raw>" for kind in "oc")
        source = source.replace("</mj-body>", inner.join(seams) + "</mj-body>")
    html = _html(source, file=f"{folder.name}/{first.template}.mjml")
    for number, layer in enumerate(others):
        opening = f'<div lang="{layer.language}" dir="{layer.direction}">'
        html = html.replace(f"{_SEAM}o{number}z", opening).replace(f"{_SEAM}c{number}z", "</div>")
    return html


def _aligned(direction: str, tag: re.Match[str]) -> str:
    """The tag of a mail that runs the other way than the document: what it inherits is wrong."""
    name, said, end = tag[1], tag[2], tag[3]
    start = "right" if direction == "rtl" else "left"
    wanted = {"direction": direction, "text-align": start}
    if name in ("mj-text", "mj-button", "mj-image"):
        wanted = {"align": start}
    elif name != "mj-section":
        del wanted["text-align"]
    more = "".join(f' {key}="{value}"' for key, value in wanted.items() if f" {key}=" not in said)
    return f"<{name}{said.rstrip()}{more}{' /' if end else ''}>"


def typeset(name: str, *, values: Mapping[str, Any], folder: Path = MAIL) -> str:
    """The HTML that the template `name` (without its ending) makes of `values`.

    `values` must hold `translator`, in whose language the template's own texts are set.
    """
    source = compose(name, values=values, folder=folder)
    return _html(source, file=f"{folder.name}/{name}.mjml")


def _html(source: str, *, file: str) -> str:
    try:
        # By itself it would load Roboto from another host, which would see who reads when.
        return _mended(str(mjml.mjml2html(source, fonts={})))
    except ValueError as problem:
        raise problems.TemplateProblem(file=file, line=1, detail=str(problem)) from problem


def _mended(html: str) -> str:
    """The HTML without what MJML writes and nobody should read.

    Its body is an article whose role is “email”, in English whatever the mail's language; here it
    is the document's main part. A picture's height is no number, so none is said.
    """
    for written, instead in _MENDED:
        html = html.replace(written, instead)
    return html


def compose(name: str, *, values: Mapping[str, Any], folder: Path = MAIL, own: str = "") -> str:
    """The MJML that the template `name` makes of `values`, before it becomes HTML.

    The source of an `own` template, which is not trusted, stands in for it.
    """
    file = f"{name}.mjml"
    try:
        if own:
            made = _environment(folder, is_trusted=False).from_string(own).render(**values)
        else:
            made = _environment(folder).get_template(file).render(**values)
        return slots.scrubbed(made).strip()
    except jinja2.TemplateSyntaxError as problem:
        raise problems.TemplateProblem(
            file=f"{folder.name}/{problem.name or file}",
            line=problem.lineno,
            detail=problem.message or "syntax error",
        ) from problem
    except jinja2.TemplateNotFound as problem:
        raise problems.TemplateProblem(
            file=f"{folder.name}/{file}",
            line=_line(problem, folder)[1],
            detail=f"there is no template “{problem.name}”",
        ) from problem
    except problems.TemplateProblem:
        raise
    except Exception as problem:
        where, line = _line(problem, folder)
        raise problems.TemplateProblem(
            file=f"{folder.name}/{where or file}", line=line, detail=str(problem)
        ) from problem


class _CheckedLoader(jinja2.FileSystemLoader):
    """Reads templates, and looks at each as MJML once before it is compiled."""

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Any]:
        source, filename, is_fresh = super().get_source(environment, template)
        environment.parse(source, name=template, filename=filename)
        mjml_lint.check(source, file=f"{Path(filename).parent.name}/{template}")
        return source, filename, is_fresh


@functools.lru_cache(maxsize=8)
def _environment(folder: Path, *, is_trusted: bool = True) -> jinja2.Environment:
    kind = jinja2.Environment if is_trusted else sandbox.ImmutableSandboxedEnvironment
    environment = kind(
        loader=_CheckedLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        _gettext, _ngettext, newstyle=True
    )
    return environment


@pass_context
def _gettext(context: Context, msgid: str) -> str:
    return str(context["translator"].gettext(msgid))


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return str(context["translator"].ngettext(singular, plural, count))


def _line(problem: BaseException, folder: Path) -> tuple[str, int]:
    """The innermost template that `problem` went through, and the line there.

    Jinja puts the template's own file and lines into tracebacks.
    """
    for frame in reversed(traceback.extract_tb(problem.__traceback__)):
        path = Path(frame.filename)
        if path.parent == folder or frame.filename == _OWN:
            return path.name, frame.lineno or 1
    return "", 1
