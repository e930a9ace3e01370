"""Who reads several languages gets one edition or two in one mail, as they chose."""

from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlmodel import col

from campaigns import audiences, lifecycle, readings, reports
from campaigns.audiences import Audience
from campaigns.models import Bulletin, Campaign
from campaigns.preflight import checklist
from campaigns.readings import Wish
from delivery.models import DispatchLink, DispatchPlan
from foundation.audit import COMMAND
from foundation.ground import Ground
from subscribers import embed, forms
from tests.campaigns import newsroom
from tests.subscribers import mailbox
from tests.world import people
from tests.world.smtp import Catcher
from tests.world.web import Web

three = pytest.mark.settings(site={"languages": ["en", "es", "pt"]})
Deliver = Callable[[], Awaitable[None]]


@pytest.mark.parametrize(
    ("language", "further", "reads_both", "key"),
    [
        ("en", "es", False, "en"),
        ("es-mx", "en", True, "es+en"),
        ("ht", "es pt", False, "es"),
        ("ht", "es pt en", True, "es+en"),
        ("ht", "pt", True, "en"),
        ("es", "pt", True, "es"),
        ("es", "es-mx en", True, "es+en"),
    ],
)
def test_the_readers_languages_count_in_their_order(
    language: str, further: str, reads_both: bool, key: str
) -> None:
    wish = Wish(language=language, further=further, reads_both=reads_both)
    assert readings.edition_for(wish, ["en", "es"]) == key


async def everybody(ground: Ground) -> None:
    """Five people who read one language, one of two, or two at once."""
    for email, language, further, reads_both in (
        ("one@example.org", "en", "", False),
        ("first@example.org", "es", "en", False),
        ("both@example.org", "es", "en", True),
        ("turned@example.org", "en", "es", True),
        ("fallen@example.org", "pt", "es", False),
    ):
        await people.subscribed(
            ground,
            email,
            language=language,
            further_languages=further,
            reads_both=reads_both,
            first_name="Ana",
        )


async def drafted(ground: Ground, bulletin: Bulletin) -> Campaign:
    """A campaign of it to everybody on the topic."""
    return await lifecycle.create(
        ground,
        actor=COMMAND,
        bulletin_id=bulletin.id,
        name="October",
        audience=Audience(topics=["secure-communities"]),
    )


@three
@pytest.mark.storage
async def test_two_editions_come_in_one_mail_and_are_compiled_once_for_who_has_them(
    web: Web, ground: Ground, smtp: Catcher, deliver: Deliver
) -> None:
    await everybody(ground)
    document = newsroom.written(
        editions={
            "en": {"subject": "What happened", "preheader": "In October"},
            "es": {"subject": "Lo que pasó", "preheader": "En octubre"},
        },
        blocks=[
            newsroom.text_block(
                'Read <a href="https://paper.example/story">it</a>, {{ subscriber.first_name }}',
                'Lea <a href="https://paper.example/story">esto</a>',
            )
        ],
    )
    await newsroom.issue(ground)
    bulletin = await newsroom.bulletin(ground, document)
    counted = await audiences.count(
        ground, Audience(topics=["secure-communities"]), languages=["en", "es"]
    )
    wanted = {"en": 1, "es": 2, "es+en": 1, "en+es": 1}
    assert counted.by_language == wanted
    campaign = await drafted(ground, bulletin)
    for step in (lifecycle.request_review, lifecycle.approve, lifecycle.start):
        await step(ground, actor=COMMAND, campaign_id=campaign.id)
    await deliver()

    (both,) = smtp.to("both@example.org")
    assert both.parsed["Subject"] == "Lo que pasó"
    assert "What happened · En octubre" in both.html
    page = " ".join(both.html.split())
    assert '<html lang="es" dir="ltr"' in page
    spanish, mark, english = page.partition('<div lang="en" dir="ltr">')
    assert mark
    assert "In English further down" in spanish
    assert ("Lea" in spanish, "Lea" in english, ", Ana" in english) == (True, False, True)
    assert "Cancelar" in spanish
    assert "Unsubscribe" in english
    assert both.html.count(".gif") == 1
    assert both.text.index("In English further down") < both.text.index("Lea")
    assert both.text.index("Lea") < both.text.index("Read")
    (turned,) = smtp.to("turned@example.org")
    assert turned.parsed["Subject"] == "What happened"
    assert smtp.to("fallen@example.org")[0].parsed["Subject"] == "Lo que pasó"
    assert 'div lang="en"' not in smtp.to("first@example.org")[0].html

    async with ground.db.reading() as session:
        plans = await session.scalars(sa.select(col(DispatchPlan.language)))
        assert set(plans) == set(wanted)
        links = (await session.scalars(sa.select(col(DispatchLink.number)))).all()
        assert len(links) == len(set(links)) == 4
    report = await reports.report(ground, campaign_id=campaign.id)
    assert {key: sum(states.values()) for key, states in report.by_language.items()} == wanted

    person = await mailbox.person(ground, "both@example.org")
    assert person is not None
    # What they read later changes nothing about the mail that they got.
    async with ground.db.transaction() as session:
        (await session.get_one(type(person), person.id)).language = "pt"
    link = next(each for each in both.text.split() if "/view/" in each)
    seen = (await web.get(link)).text
    assert "Lea" in seen
    assert "Read" in seen
    one_click = both.parsed["List-Unsubscribe"].split(">")[0].lstrip("<")
    done = await web.post(one_click, {"List-Unsubscribe": "One-Click"})
    assert done.status == 200
    assert set((await mailbox.states(ground, "both@example.org")).values()) == {"unsubscribed"}


@three
@pytest.mark.storage
async def test_no_more_combinations_are_compiled_than_there_is_room_for(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await everybody(ground)
    await people.subscribed(
        ground, "more@example.org", language="en", further_languages="es", reads_both=True
    )
    monkeypatch.setattr(readings, "MOST_STACKED", 1)
    counted = await audiences.count(
        ground, Audience(topics=["secure-communities"]), languages=["en", "es"]
    )
    assert counted.by_language == {"en": 1, "es": 3, "en+es": 2}


async def test_two_editions_in_one_mail_can_be_seen_before_and_are_pointed_out_when_long(
    web: Web, ground: Ground
) -> None:
    await everybody(ground)
    await newsroom.issue(ground)
    words = "word " * 9_000
    bulletin = await newsroom.bulletin(
        ground, newsroom.written(blocks=[newsroom.text_block(words, words)])
    )
    campaign = await drafted(ground, bulletin)
    author = await web.as_staff()
    here = f"/staff/bulletins/{bulletin.id}"
    page = (await author.get(f"{here}/preview?language=es%2Ben")).text
    assert "Spanish + English" in page
    assert "What happened · En octubre" in page
    shown = (await author.get(f"{here}/mail?language=es%2Ben")).text
    assert '<div lang="en" dir="ltr">' in " ".join(shown.split())
    person = await mailbox.person(ground, "both@example.org")
    assert person is not None
    own = (await web.get(mailbox.preferences_path(ground, person))).text
    assert own.count('name="further_languages"') == 1
    found = await checklist.check(ground, campaign_id=campaign.id)
    speaks = ground.translator("en")
    said = [each.say(speaks) for each in found if each.code == "weight-stacked"]
    assert len(said) == 2
    assert "Some read" in said[0]


@three
async def test_what_somebody_reads_is_chosen_on_a_form_and_in_the_preferences(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground, lang="pt", further_languages=["en", "pt", "tlh", "es"])
    person = await mailbox.person(ground)
    assert person is not None
    assert (person.language, person.further_languages, person.reads_both) == ("pt", "en es", False)
    path = mailbox.preferences_path(ground, person)
    page = (await web.get(path)).text
    assert "Outros idiomas que você lê" in page
    await web.post(
        path,
        {
            "action": "save",
            "topic": ["secure-communities"],
            "lang": "es",
            "further_languages": ["es", "pt"],
            "reads_both": "both",
        },
    )
    person = await mailbox.person(ground)
    assert person is not None
    assert (person.language, person.further_languages, person.reads_both) == ("es", "pt", True)
    assert 'value="both" checked' in " ".join((await web.get(path)).text.split())


@three
async def test_a_form_asks_for_further_languages_in_every_way_that_it_is_put_on_pages(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    details = forms.Details(
        slug="several", name="Several", topics=["action-alerts"], asks=["further_languages"]
    )
    made = await forms.create(ground, actor=COMMAND, details=details)
    described = (await web.get("/api/public/forms/several?lang=en")).json()
    assert [each["slug"] for each in described["languages"]] == ["es", "pt"]
    async with ground.db.reading() as session:
        offer = await forms.offered(session, slug=made.slug, partner_key="")
    ways = [str(embed.plain(ground, offer, "en")), (await web.get("/subscribe/several")).text]
    for page in ways:
        assert page.count('name="further_languages"') == 2
    assert "further_languages" not in (await web.get("/subscribe")).text
    said = {"email": "bo@example.org", "form": "several", "further_languages": ["es", "pt"]}
    assert (await web.post("/api/public/signups", json=said)).status == 202
    assert (await mailbox.sign_ups(ground))[-1].further_languages == "es pt"
