"""Message bodies a second by splicing, beside jinja2 rendering the same texts and encoding them."""

import binascii
import tempfile
import time
from pathlib import Path

import jinja2

from bench import house
from bench.measure import Result, compare
from templates.plan import Plan


async def run(*, messages: int, times: int) -> Result:
    """The same values for both; each message has values of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with house.opened(Path(folder)) as ground:
            plan = house.bulletins(ground)["en"]
    people = [_values(plan, number) for number in range(messages)]
    html, text = _template(plan, is_html=True), _template(plan, is_html=False)

    async def ours() -> float:
        began = time.perf_counter()
        for values in people:
            plan.body(values)
        return messages / (time.perf_counter() - began)

    async def theirs() -> float:
        began = time.perf_counter()
        for values in people:
            for part in (text, html):
                binascii.b2a_qp(part.render(values=values).encode(), istext=True)
        return messages / (time.perf_counter() - began)

    return await compare(
        f"splicing, {len(plan.body(people[0])) / 1000:.1f} KB bodies",
        unit="messages",
        yardstick="jinja2 and quoted-printable by binascii",
        ours=ours,
        theirs=theirs,
        times=times,
    )


def _values(plan: Plan, number: int) -> dict[str, str]:
    """What the slots of one message get: names, and addresses with a token each."""
    return {
        name: f"https://handbill.test/r/AcUBAuTJoA6ge_Bsq4wdxTFT2E8{number:08}"
        if "url" in name or name.startswith("click:")
        else f"Ana María {number}"
        for name in plan.slot_names
    }


def _template(plan: Plan, *, is_html: bool) -> jinja2.Template:
    """The plan's text with `{{ values[name] }}` in place of its slots."""
    marks = {name: f"ZQ{place}QZ" for place, name in enumerate(sorted(plan.slot_names))}
    source = plan.html(marks) if is_html else plan.text(marks)
    # What is in braces already is meant as it stands.
    source = source.replace("{{", "{{ '{{' }}").replace("{%", "{{ '{%' }}")
    for name, mark in marks.items():
        source = source.replace(mark, f"{{{{ values[{name!r}] }}}}")
    # The text part is no HTML.
    return jinja2.Environment(autoescape=is_html).from_string(source)  # noqa: S701
