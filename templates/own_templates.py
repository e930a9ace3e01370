"""What a mail template may hold that staff wrote in the browser, looked at before it is ever run.

Nothing in it is trusted. Jinja is let in by a short list: our own parts are called, particulars of
the mail are shown, blocks are gone through once. There is no assignment, no macro, no arithmetic
and no loop within a loop, so it ends, and soon, whatever it says; it is run in Jinja's sandbox all
the same (`typesetting.py`).
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
from jinja2 import nodes

from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import N_
from templates import content, faces, mjml_lint, palette, problems, sheets

LONGEST = 40_000
PARTS: Mapping[str, frozenset[str]] = {
    "masthead.mjml": frozenset({"line", "below", "title", "alert"}),
    "blocks.mjml": frozenset({"all"}),
    "footer.mjml": frozenset({"bulletin"}),
}
"""Our files that may be imported, and what may be called in each."""
_FRAME = "frame.mjml"
_FILTERS = frozenset({"upper", "lower", "capitalize", "title", "trim", "length", "truncate"})
_PLAIN = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.If,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Concat,
    nodes.CondExpr,
)
"""What can do no harm whatever stands in it; all of it is looked at, too."""
_BARRED = re.compile(
    r"<\s*(script|iframe|object|embed|form|input|base|link|meta|mj-html-attributes)\b"
    r"|\son\w+\s*=|javascript:|vbscript:|data:text|@import|url\s*\(",
    re.IGNORECASE,
)
_LOOPS: Mapping[str, frozenset[str]] = {
    "page.parts": frozenset({"kind", "level"}),
    "page.below": frozenset({"language", "direction", "words"}),
}


def _names(of: type[Any]) -> frozenset[str]:
    return frozenset(each.name for each in dataclasses.fields(of))


_KNOWN: Mapping[str, frozenset[str]] = {
    "page": _names(sheets.Bulletin),
    "frame": _names(sheets.Frame) | {"start", "end", "light", "dark", "headline_face", "text_face"},
    "frame.brand": _names(content.Brand) - {"footer_html"},
    "frame.light": _names(palette.Palette),
    "frame.dark": _names(palette.Palette),
    "frame.headline_face": _names(faces.Face),
    "frame.text_face": _names(faces.Face),
    "loop": frozenset({"first", "last", "index"}),
}
"""What can be shown of what."""


@frozen
class Flaw:
    """Something wrong with a template, and in which line."""

    line: int
    problem: errors.HandbillError


def flaws(source: str) -> list[Flaw]:
    """Everything wrong with a source that can be told without running it, by line."""
    if len(source) > LONGEST:
        return [_flaw(1, N_("A template can have 40,000 characters at most."))]
    barred = [
        _flaw(_line(source, found.start()), N_("“%(words)s” can't stand in a mail."),
              words=found[0].strip())
        for found in _BARRED.finditer(source)
    ]  # fmt: skip
    try:
        tree = jinja2.Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source)
    except jinja2.TemplateSyntaxError as problem:
        return [*barred, _flaw(problem.lineno, _NOT_UNDERSTOOD, detail=problem.message or "?")]
    found = [*barred, *_Reader(tree).flaws()]
    try:
        mjml_lint.check(source, file="")
    except problems.TemplateProblem as problem:
        found.append(_flaw(problem.line, _NOT_UNDERSTOOD, detail=problem.detail))
    return sorted(found, key=lambda each: each.line)


_NOT_UNDERSTOOD = N_("This is not understood: %(detail)s")


def _flaw(line: int, msgid: str, **values: object) -> Flaw:
    return Flaw(line=line, problem=errors.Invalid(msgid, fields=None, **values))


def _line(source: str, at: int) -> int:
    return source.count("\n", 0, at) + 1


class _Reader:
    """Goes through a template's tree; whatever is not known to be harmless is a flaw."""

    def __init__(self, tree: nodes.Template) -> None:
        self._tree = tree
        self._parts: dict[str, str] = {}
        self._loop: tuple[str, frozenset[str]] | None = None

    def flaws(self) -> Iterator[Flaw]:
        """Every flaw."""
        extends = list(self._tree.find_all(nodes.Extends))
        if not extends:
            yield _flaw(1, N_("It has to extend “frame.mjml”."))
        for each in self._tree.find_all(nodes.Import):
            if isinstance(each.template, nodes.Const):
                self._parts[each.target] = str(each.template.value)
        yield from self._read(self._tree)

    def _read(self, node: nodes.Node) -> Iterator[Flaw]:
        match node:
            case nodes.Extends() | nodes.Import() | nodes.Block():
                yield from self._read_frame(node)
            case nodes.For():
                yield from self._read_loop(node)
            case nodes.Call():
                yield from self._read_call(node)
            case nodes.Name() | nodes.Getattr():
                yield from self._read_name(node)
            case nodes.Filter() if node.name in _FILTERS and node.node is not None:
                yield from self._all(node.iter_child_nodes())
            case nodes.Filter():
                yield _flaw(node.lineno, _NOT_ALLOWED, words=f"|{node.name}")
            case _ if isinstance(node, _PLAIN):
                yield from self._all(node.iter_child_nodes())
            case _:
                yield _flaw(node.lineno, _NOT_ALLOWED, words=type(node).__name__.lower())

    def _read_frame(self, node: nodes.Extends | nodes.Import | nodes.Block) -> Iterator[Flaw]:
        if isinstance(node, nodes.Block):
            if node.name != "body":
                yield _flaw(node.lineno, N_("The only block is “body”."))
            yield from self._all(node.body)
        elif isinstance(node, nodes.Extends):
            if not (isinstance(node.template, nodes.Const) and node.template.value == _FRAME):
                yield _flaw(node.lineno, N_("It can only extend “frame.mjml”."))
        elif self._parts.get(node.target) not in PARTS or not node.with_context:
            yield _flaw(
                node.lineno,
                N_("Only %(parts)s can be imported, each “with context”."),
                parts=", ".join(PARTS),
            )

    def _all(self, found: Any) -> Iterator[Flaw]:
        for each in found:
            yield from self._read(each)

    def _read_loop(self, node: nodes.For) -> Iterator[Flaw]:
        path = _path(node.iter)
        if self._loop is not None or path not in _LOOPS or node.recursive or node.test:
            yield _flaw(
                node.lineno,
                N_("A loop can only go through page.parts or page.below, and not in another loop."),
            )
            return
        if not isinstance(node.target, nodes.Name):
            yield _flaw(node.lineno, _NOT_ALLOWED, words="for")
            return
        self._loop = (node.target.name, _LOOPS[path])
        yield from self._all([*node.body, *node.else_])
        self._loop = None

    def _read_call(self, node: nodes.Call) -> Iterator[Flaw]:
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            yield _flaw(node.lineno, _NOT_ALLOWED, words="=")
        path = _path(node.node)
        part, _, name = path.partition(".")
        if path == "_" and len(node.args) == 1 and isinstance(node.args[0], nodes.Const):
            return
        if name not in PARTS.get(self._parts.get(part, ""), ()):
            yield _flaw(node.lineno, _NOT_ALLOWED, words=f"{path}(…)")
            return
        if name == "all" and self._loop and not self._is_one(node.args):
            yield _flaw(
                node.lineno, N_("Within a loop, blocks are set one by one: blocks.all([part]).")
            )
            return
        if not (name == "all" and self._is_one(node.args)):
            yield from self._all(each for each in node.args if _path(each) != "page")

    def _is_one(self, arguments: list[nodes.Expr]) -> bool:
        """Whether what is given is a list of the block at hand alone."""
        if self._loop is None or len(arguments) != 1 or not isinstance(arguments[0], nodes.List):
            return False
        return [_path(each) for each in arguments[0].items] == [self._loop[0]]

    def _read_name(self, node: nodes.Node) -> Iterator[Flaw]:
        path = _path(node)
        root, _, name = path.rpartition(".")
        is_known = name in _KNOWN.get(root, ())
        if self._loop is not None:
            is_known |= root == self._loop[0] and name in self._loop[1]
        if not is_known or name.startswith("_"):
            yield _flaw(node.lineno, N_("There is no “%(words)s” here."), words=path or "?")


_NOT_ALLOWED = N_("“%(words)s” can't be used in a template.")


def _path(node: nodes.Node) -> str:
    """`frame.light.ink` of what is written so; blank for anything else."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr) and (before := _path(node.node)):
        return f"{before}.{node.attr}"
    return ""
