"""A site that speaks Arabic, too: pages and mails run from the right, names keep their order."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from campaigns import lifecycle
from campaigns.audiences import Audience
from delivery import worker
from foundation import i18n, isolating
from foundation.audit import COMMAND
from foundation.ground import Ground
from templates import content, notices
from tests.campaigns import newsroom
from tests.subscribers import mailbox
from tests.world import people
from tests.world import web as web_world
from tests.world.smtp import Catcher
from tests.world.web import Web

FEW_TEXTS = Path(__file__).parents[1] / "world" / "locales"
HELLO = "مرحبا"


@pytest.fixture
def arabic(ground: Ground) -> Ground:
    """The same ground with another language, of which there are a few texts."""
    few = i18n.load(languages=[], default="ar", zone="America/New_York", folder=FEW_TEXTS)
    spoken = {code: ground.catalog.translator(code) for code in ground.catalog.languages}
    catalog = i18n.Catalog({**spoken, "ar": few.translator("ar")}, default="en")
    return dataclasses.replace(ground, catalog=catalog)


@pytest.fixture
async def site(arabic: Ground) -> AsyncIterator[Web]:
    """That site, and a browser."""
    async with web_world.browsing(arabic) as client:
        yield client


async def test_pages_run_from_the_right_and_fall_back_text_by_text(site: Web) -> None:
    await mailbox.topics(site.ground)
    page = (await site.get("/subscribe?lang=ar-EG")).text
    assert '<html lang="ar" dir="rtl"' in page
    assert "اشترك في النشرة" in page
    assert "Skip to the content" in page
    described = (await site.get("/api/public/forms?lang=ar")).json()
    assert (described["lang"], described["dir"]) == ("ar", "rtl")
    tablet = " ".join((await site.get("/kiosk/subscribe?languages=ar,en")).text.split())
    assert '<div lang="ar" dir="rtl" data-language="ar"' in tablet
    person = await people.subscribed(site.ground, "ana@example.org", language="ar")
    leaving = (await site.get(mailbox.unsubscribe_path(site.ground, person))).text
    assert "<bdi>Bay State Coalition</bdi>" in leaving
    asked = notices.render_notice(
        "confirm",
        context={"confirm_url": "https://x.example/c", "topics": "Secure Communities"},
        brand=content.Brand.from_site(site.ground.settings.site),
        translator=site.ground.translator("ar"),
    )
    assert "<bdi>Bay State Coalition</bdi>" in " ".join(asked.html.split())
    assert isolating.apart("Bay State Coalition", direction="rtl") in asked.subject


async def test_mails_run_from_the_right_with_names_and_addresses_in_their_own_order(
    arabic: Ground, smtp: Catcher
) -> None:
    for email, further in (("ar@example.org", ""), ("both@example.org", "en")):
        await people.subscribed(
            arabic,
            email,
            language="ar",
            further_languages=further,
            reads_both=bool(further),
            first_name="Ana (the older)",
        )
    await newsroom.issue(arabic)
    texts = {
        "en": {"title": "Meeting", "place": "City Hall", "address": "12 Bridge Street, Lowell"},
        "ar": {"title": "اجتماع", "place": "City Hall", "address": "12 Bridge Street, Lowell"},
    }
    rich = {
        "en": {"html": "<p>Hello</p>"},
        "ar": {"html": f"<p>{HELLO} {{{{ subscriber.first_name }}}}</p>"},
    }
    document = newsroom.written(
        editions={
            "en": {"subject": "News"},
            "ar": {"subject": f"{HELLO} {{{{ subscriber.first_name }}}}"},
        },
        blocks=[
            {"kind": "rich_text", "texts": rich},
            {"kind": "event", "starts_at": "2026-12-03T18:30", "texts": texts},
        ],
    )
    bulletin = await newsroom.bulletin(arabic, document)
    campaign = await lifecycle.create(
        arabic,
        actor=COMMAND,
        bulletin_id=bulletin.id,
        name="October",
        audience=Audience(topics=["secure-communities"]),
    )
    for step in (lifecycle.request_review, lifecycle.approve, lifecycle.start):
        await step(arabic, actor=COMMAND, campaign_id=campaign.id)
    await worker.run_until_idle(arabic)

    (mail,) = smtp.to("ar@example.org")
    page = " ".join(mail.html.split())
    assert '<html lang="ar" dir="rtl"' in page
    assert "text-align:right" in page
    assert "direction:ltr" not in page
    for words in ("Ana (the older)", "12 Bridge Street, Lowell", "Bay State Coalition"):
        assert f"<bdi>{words}</bdi>" in page
        assert isolating.apart(words, direction="rtl") in mail.text
    assert (
        mail.parsed["Subject"] == f"{HELLO} {isolating.apart('Ana (the older)', direction='rtl')}"
    )
    assert "\u2068" not in page
    (both,) = smtp.to("both@example.org")
    first, _, second = " ".join(both.html.split()).partition('<div lang="en" dir="ltr">')
    assert ("direction:rtl" in first, "direction:ltr" in second) == (True, True)
    assert "direction:rtl" not in second
    assert "<bdi>" not in second
