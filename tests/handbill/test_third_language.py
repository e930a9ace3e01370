"""A site in English, Spanish and Portuguese: readers of Portuguese meet no English of ours."""

import html
import re
from collections.abc import Awaitable, Callable

import pytest

from foundation.ground import Ground
from handbill import texts
from subscribers import consent
from tests.subscribers import mailbox
from tests.subscribers.mailbox import ANA
from tests.world import estate
from tests.world.smtp import Catcher
from tests.world.web import Web

three = pytest.mark.settings(
    site={
        "languages": ["en", "es", "pt"],
        "name": "Valley Coalition",
        "postal_address": "12 Bridge Street, Lowell",
    }
)
_NOT_FOR_READERS = ("/staff", "/api/", "/metrics", "/healthz", "/readyz", "/webhooks", "/static")
_IN_SEVERAL = ("/archive/{slug}/mail", "/view/{token}", "/kiosk/{form}")
"""A mail is the edition that was sent, and a tablet's page has all languages in it."""
_ELEMENT = re.compile(r">([^<>]+)<")
_ATTRIBUTE = re.compile(r"\b(?:aria-label|title|alt|content|placeholder)=\"([^\"]+)\"")
_OWN_NAME = "What happened"
"""What the bulletin of these tests is called, which is a text of ours, too."""


def english(page: str) -> set[str]:
    """Whole texts of a page, in elements or attributes, that stand there in English."""
    spoken = texts.in_language("pt")
    found = _ELEMENT.findall(page) + _ATTRIBUTE.findall(page)
    pieces = {" ".join(html.unescape(each).split()) for each in found}
    return {
        msgid
        for msgid in texts.public()
        if msgid in pieces and spoken[msgid][0] != msgid and msgid != _OWN_NAME
    }


@three
@pytest.mark.usefixtures("smtp")
async def test_every_public_page_speaks_portuguese(ground: Ground, web: Web) -> None:
    house = await estate.build(ground)
    left: dict[str, set[str]] = {}
    seen = 0
    for address in house.addresses:
        if address.method != "GET" or address.pattern.startswith(_NOT_FOR_READERS):
            continue
        answer = await web.get(house.real(address) + "?lang=pt-BR")
        if "text/html" not in answer.headers.get("Content-Type", ""):
            continue
        seen += 1
        if address.pattern in _IN_SEVERAL:
            continue
        if 'lang="pt" dir="ltr"' not in answer.text:
            left[address.pattern] = {"another language"}
        elif found := english(answer.text):
            left[address.pattern] = found
    assert left == {}
    assert seen > 25
    lost = await web.get("/nowhere?lang=pt")
    assert (lost.status, "Não existe essa página." in lost.text) == (404, True)


@three
async def test_a_reader_of_portuguese_signs_up_reads_and_leaves_in_it(
    ground: Ground, web: Web, smtp: Catcher, deliver: Callable[[], Awaitable[None]]
) -> None:
    await mailbox.topics(ground)
    described = (await web.get("/api/public/forms?lang=pt-BR,en")).json()
    assert described["lang"] == "pt"
    assert described["consent"]["text"] == consent.words(ground, consent.SIGNUP, language="pt")
    assert described["consent"]["text"].startswith("Enviem-me boletins de Valley Coalition")
    refused = await mailbox.send(web, email="nobody", lang="pt")
    assert (refused.status, english(refused.text)) == (422, set())
    sent = await mailbox.send(web, lang="pt", first_name="Ana")
    assert sent.status == 303
    link = await mailbox.confirm_url(ground)
    await deliver()
    asked = smtp.messages[-1]
    assert asked.parsed["Subject"] == "Por favor, confirme: notícias de Valley Coalition"
    assert "Sim, quero receber" in asked.text
    assert '<html lang="pt" dir="ltr"' in asked.html
    assert english(asked.html) == set()

    confirmed = await web.post(link, {})
    assert (confirmed.status, english(confirmed.text)) == (200, set())
    person = await mailbox.person(ground, ANA)
    assert person is not None
    assert person.language == "pt"
    path = mailbox.preferences_path(ground, person)
    for answer in (await web.get(path), await web.get(mailbox.unsubscribe_path(ground, person))):
        assert 'lang="pt"' in answer.text
        assert english(answer.text) == set()
    done = await web.post(mailbox.unsubscribe_path(ground, person), {"from": "everything"})
    assert "Pronto. Sua inscrição foi cancelada." in done.text
    assert english(done.text) == set()
