import asyncio

import pytest
from sqlmodel import select

from foundation.ground import Ground
from subscribers import consent
from subscribers.models import ConsentStep, Wording
from tests.subscribers import mailbox
from tests.world.web import Web


async def keep(ground: Ground, text: str, *, language: str = "en") -> Wording:
    async with ground.db.transaction() as session:
        return await consent.wording(
            session, key="signup", language=language, text=text, now=ground.clock.now()
        )


@pytest.mark.storage
async def test_changed_words_make_a_new_version_and_the_same_words_none(ground: Ground) -> None:
    first = await keep(ground, "Send me mail.")
    again = await keep(ground, "Send me mail.")
    changed = await keep(ground, "Send me bulletins.")
    spanish = await keep(ground, "Envíenme correo.", language="es")
    back = await keep(ground, "Send me mail.")
    assert [w.version for w in (first, again, changed, spanish, back)] == [1, 1, 2, 1, 1]
    assert first.id == again.id == back.id


@pytest.mark.storage
async def test_the_same_new_words_at_once_make_one_version(ground: Ground) -> None:
    kept = await asyncio.gather(*(keep(ground, "Send me mail.") for _ in range(4)))
    assert {wording.id for wording in kept} == {kept[0].id}


@pytest.mark.storage
async def test_each_step_has_the_words_the_language_the_time_and_the_network(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    await mailbox.sign_up(web, ground, lang="es")
    asked, confirmed = await mailbox.steps(ground)
    for step, key in ((asked, "signup"), (confirmed, "confirm")):
        assert (step.language, step.at, step.network) == ("es", ground.clock.now(), "127.0.0.0/24")
        async with ground.db.reading() as session:
            wording = await session.get(Wording, step.wording_id)
        assert wording is not None
        assert (wording.key, wording.language) == (key, "es")
        page = await web.get("/subscribe?lang=es")
        assert key != "signup" or wording.text in page.text
    assert (asked.via, confirmed.via) == ("form", "link")
    assert asked.signup_id == confirmed.signup_id


async def test_the_page_to_confirm_shows_the_words_that_are_recorded(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    await mailbox.send(web)
    page = await web.get(await mailbox.confirm_url(ground))
    await web.post(await mailbox.confirm_url(ground), {})
    async with ground.db.reading() as session:
        (wording,) = (await session.exec(select(Wording).where(Wording.key == "confirm"))).all()
    assert wording.text in page.text


@pytest.mark.parametrize("step", ConsentStep)
@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_step_has_plain_words(ground: Ground, step: ConsentStep, language: str) -> None:
    assert consent.in_plain_words(step.value, ground.translator(language)).endswith(".")
