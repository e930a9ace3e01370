"""Templates that staff wrote: what they may say, and that they end, whatever they say."""

import pytest

from foundation import errors
from templates import content, own_templates, problems, typesetting
from tests.templates import editions

OURS = {
    each: (typesetting.MAIL / f"{each.value}.mjml").read_text(encoding="utf-8")
    for each in content.Template
}
BULLETIN = OURS[content.Template.BULLETIN]
SECTION = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"


def with_body(more: str) -> str:
    """Our bulletin with something more at its end, on line 13."""
    return BULLETIN.replace("{% endblock %}", f"{more}\n{{% endblock %}}")


def said(source: str) -> list[tuple[int, str]]:
    return [(each.line, str(each.problem)) for each in own_templates.flaws(source)]


@pytest.mark.parametrize("template", list(content.Template))
def test_a_copy_of_ours_is_right_and_makes_the_same_mail(template: content.Template) -> None:
    assert said(OURS[template]) == []
    ours = editions.compiled(template=template)
    copy = editions.compiled(own_template=OURS[template])
    values = editions.values_for(ours)
    assert copy.html(values) == ours.html(values)


@pytest.mark.parametrize(
    "more",
    [
        SECTION.format("{{ page.title | upper }} {{ _('Unsubscribe') }}"),
        SECTION.format("{% if page.below %}{{ frame.brand.site_name }}{% endif %}"),
        "{% for part in page.parts %}{{ blocks.all([part]) }}{% endfor %}",
        SECTION.format("{{ frame.light.ink ~ frame.text_face.stack }}"),
    ],
)
def test_what_a_template_needs_is_let_in(more: str) -> None:
    assert said(with_body(more)) == []
    assert editions.compiled(own_template=with_body(more)).links


@pytest.mark.parametrize(
    "more",
    [
        "{{ page.__class__ }}",
        "{{ page.parts.__class__.__mro__ }}",
        "{{ page['title'] }}",
        "{{ page.title.__init__.__globals__ }}",
        "{{ frame.brand.from_site }}",
        "{{ frame.brand.footer_html }}",
        "{{ self.body() }}",
        "{{ cycler.__init__ }}",
        "{{ lipsum(1000) }}",
        "{{ 'x' * 999999999 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ page.title | safe }}",
        "{{ page | attr('title') }}",
        "{% for a in range(999999999) %}{% endfor %}",
        "{% for a in page.parts %}{% for b in page.parts %}{% endfor %}{% endfor %}",
        "{% for a in page.parts %}{{ blocks.all(page.parts) }}{% endfor %}",
        "{% for a in page.parts %}{{ a.block }}{% endfor %}",
        "{% set a = 'x' %}",
        "{% macro a() %}{{ a() }}{% endmacro %}",
        "{% include 'frame.mjml' %}",
        "{% import 'prose.mjml' as p with context %}",
        "{% from 'blocks.mjml' import all %}",
        "{% block other %}{% endblock %}",
        "{% call masthead.line('') %}{% endcall %}",
        "{{ page.subject }}",
        "{% if %}",
        "<mj-text>",
        "<mj-include path='/etc/passwd' />",
        "<mj-sectoin></mj-sectoin>",
        "<mj-raw><script>1</script></mj-raw>",
        "<mj-raw><a href='javascript:x'>x</a></mj-raw>",
        "<mj-raw><p onclick='x'>x</p></mj-raw>",
        "<mj-raw><style>@import 'https://x.example/';</style></mj-raw>",
    ],
)
def test_everything_else_is_refused_on_its_line(more: str) -> None:
    found = said(with_body(more))
    assert found
    assert 11 <= min(line for line, _ in found) <= 14


def test_it_begins_with_our_frame() -> None:
    assert said("<mj-section></mj-section>")[0][1] == "It has to extend “frame.mjml”."
    assert "only extend" in said(BULLETIN.replace("frame.mjml", "../secret"))[0][1]
    assert "40,000" in said("x" * 50_000)[0][1]


def test_what_goes_wrong_when_it_runs_is_a_problem_with_its_line() -> None:
    source = with_body("{{ masthead.title() }}")
    with pytest.raises(problems.TemplateProblem) as caught:
        editions.compiled(own_template=source)
    assert caught.value.line > 0
    assert isinstance(caught.value, errors.HandbillError)
    with pytest.raises(problems.TemplateProblem):
        editions.compiled(own_template=with_body("{{ page.title.__class__.__mro__[1] }}"))
