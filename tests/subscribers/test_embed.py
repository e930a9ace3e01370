import re

from foundation import audit
from foundation.ground import Ground
from subscribers import consent, embed, forms, signup
from subscribers.models import Form
from tests.world import people
from tests.world.web import Web


async def made(ground: Ground, *topics: str, **changes: object) -> tuple[Form, list[embed.Embed]]:
    offered = [await people.topic(ground, slug) for slug in topics]
    details = forms.Details(slug="river", name="River", topics=topics, **changes)  # type: ignore[arg-type]
    form = await forms.create(ground, actor=audit.COMMAND, details=details)
    return form, embed.codes(ground, form=form, offered=offered)


def fields(code: str) -> dict[str, str]:
    """What a browser sends when only the address is typed."""
    found = re.findall(r'<input type="(?:hidden|checkbox)" name="(\w+)" value="([^"]*)"', code)
    return {**dict(found), "email": "ana@example.org"}


async def test_the_code_says_what_our_own_page_says_in_each_language(ground: Ground) -> None:
    _, codes = await made(ground, "secure-communities", "action-alerts")
    assert [code.language for code in codes] == ["en", "es"]
    for each in codes:
        assert f'lang="{each.language}"' in each.code
        assert consent.words(ground, consent.SIGNUP, language=each.language) in each.code
    assert "Comunidades Seguras" in codes[1].code


async def test_the_trap_is_in_the_code_and_not_in_the_preview(ground: Ground) -> None:
    _, (code, _) = await made(ground, "secure-communities")
    assert f'name="{signup.HONEYPOT}" tabindex="-1"' in code.code
    assert 'aria-hidden="true"' in code.code
    assert signup.HONEYPOT not in code.preview
    assert "style=" not in code.preview


async def test_nothing_staff_wrote_breaks_out_of_the_code(ground: Ground) -> None:
    form, _ = await made(ground, "secure-communities")
    topic = await people.topic(ground, "secure-communities")
    topic.texts = {"en": {"name": '"><script>alert(1)</script>', "description": ""}}
    other = await people.topic(ground, "action-alerts")
    for each in embed.codes(ground, form=form, offered=[topic, other]):
        assert "<script" not in each.code
        assert "<script" not in each.preview


async def test_the_code_on_another_site_signs_a_person_up(web: Web, ground: Ground) -> None:
    _, codes = await made(ground, "secure-communities")
    answer = await web.post(
        "/subscribe/river",
        fields(codes[1].code),
        headers={"Origin": "https://river.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status in (200, 303)
    (standing,) = await forms.listed(ground)
    assert standing.submitted == 1
