"""A broken mail template is named with file and line; ours are as strict as npm's `mjml`."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from templates import (
    block_weaving,
    headings,
    letters,
    marks,
    notices,
    problems,
    sheets,
    typesetting,
    weaving,
)
from templates.conditions import Condition
from templates.content import Template
from tests.templates import editions, letters_to_write
from tests.world import node

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
    near = Condition(towns=("Lynn",))
    for_some = [dataclasses.replace(each, shown_to=near) for each in editions.EVERY_BLOCK]
    page = sheets.Bulletin(
        title="Title",
        date_label="November 23, 2026",
        issue_title="Secure Communities",
        parts=headings.leveled(
            block_weaving.weave((*editions.EVERY_BLOCK, *for_some), weaver), top=1
        ),
        unsubscribe_url="https://a.example/u",
        preferences_url="https://a.example/p",
        view_url="https://a.example/v",
        pixel="",
    )
    values: dict[str, Any] = {"frame": frame, "page": page, "translator": translator}
    made = {each.value: typesetting.compose(each.value, values=values) for each in Template}
    branded = dataclasses.replace(editions.BRAND, logo_url="https://a.example/logo.png")
    values["frame"] = dataclasses.replace(frame, brand=branded, direction="rtl", preheader="")
    made["with a logo"] = typesetting.compose(Template.BULLETIN.value, values=values)
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


@pytest.mark.parametrize("language", ["en", "es"])
def test_strict_judge_finds_nothing_wrong_with_our_mails(language: str) -> None:
    assert node.judged(_JUDGE, sources(language)) == []


def test_strict_judge_does_judge() -> None:
    wrong = (
        "<mjml><mj-body><mj-section><mj-text colour='x'>x</mj-text></mj-section></mj-body></mjml>"
    )
    assert len(node.judged(_JUDGE, {"wrong": wrong})) >= 1


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
    "padding": (
        '<mjml>\n<mj-body>\n<mj-section padding="{{ x }} 24px 0" />\n</mj-body></mjml>',
        3,
        "write 0px",
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
