"""A call is believed when its provider made it, and not long ago; else nothing of it is kept."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delivery.arriving import known, looks, ways
from delivery.arriving.questions import Question
from delivery.hooks import state
from foundation import config, errors
from foundation.ground import Ground
from handbill import building
from tests.delivery.hooks import calling, parts
from tests.delivery.hooks.calling import Caller
from tests.delivery.hooks.conftest import Door
from tests.delivery.hooks.parts import Mail, Sent
from tests.world import estate, people, service
from tests.world.clock import FakeClock
from tests.world.web import Answer

ANA = Mail(address="ana@example.org")
SIGNING = [each for each in calling.ALL if each.IS_SIGNING]
DATED = [each for each in calling.ALL if each.IS_DATED]


async def someone(ground: Ground, caller: Caller) -> Mail:
    """A reader of their own for each provider."""
    mail = Mail(address=f"ana-{caller.NAME}@example.org")
    await people.subscribed(ground, mail.address)
    return mail


async def kept(ground: Ground) -> dict[str, list[Any]]:
    """Every row but the count of calls, and who signed in."""
    return await estate.rows(ground, without=frozenset({"hook_status"}))


async def refusing(ground: Ground, door: Door, name: str, sent: Sent, **more: Any) -> Answer:
    """The call is refused, and leaves nothing behind."""
    before = await kept(ground)
    answer = await door.post(name, sent, **more)
    assert answer.status in (401, 403), (name, answer.text)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["status"] == answer.status
    assert await kept(ground) == before
    return answer


async def test_a_call_of_the_provider_is_believed(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    for caller in calling.ALL:
        sent = caller.call(caller.hard(await someone(ground, caller)), at=clock.now())
        answer = await door.post(caller.NAME, sent)
        assert answer.status == 200, caller.NAME
        assert answer.json() == {"taken": 1, "repeated": 0, "ignored": 0, "is_waiting": False}


async def test_a_call_with_another_key_is_refused(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    for caller in calling.ALL:
        mail = await someone(ground, caller)
        sent = caller.call(caller.hard(mail), at=clock.now(), key=1)
        await refusing(ground, door, caller.NAME, sent)


async def test_a_body_that_differs_by_one_bit_is_refused(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    for caller in SIGNING:
        sent = caller.call(caller.hard(await someone(ground, caller)), at=clock.now())
        await refusing(ground, door, caller.NAME, sent.altered())
        assert (await door.post(caller.NAME, sent)).status == 200, caller.NAME


async def test_a_call_without_its_proof_is_refused(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    for caller in calling.ALL:
        sent = caller.call(caller.hard(await someone(ground, caller)), at=clock.now())
        bare = replace(
            sent,
            headers={"Content-Type": "application/json"},
            body=sent.body.replace(b'"signature"', b'"x"').replace(b'"Signature"', b'"X"'),
        )
        await refusing(ground, door, caller.NAME, bare)


async def test_the_proof_for_one_provider_is_none_for_another(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    for caller in calling.ALL:
        sent = caller.call(caller.hard(await someone(ground, caller)), at=clock.now())
        before = await kept(ground)
        for other in calling.ALL:
            is_same_secret = {caller.NAME, other.NAME} <= {"postmark", "brevo"}
            if other is not caller and not is_same_secret:
                answer = await door.post(other.NAME, sent)
                assert answer.status in (401, 403), (caller.NAME, other.NAME)
        assert await kept(ground) == before, caller.NAME


async def test_a_call_that_was_signed_long_ago_or_ahead_of_time_is_refused(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    for caller in DATED:
        sent = caller.call(caller.hard(await someone(ground, caller)), at=clock.now())
        clock.advance(days=2)
        assert "too far from ours" in (await refusing(ground, door, caller.NAME, sent)).text
        clock.advance(days=-2, minutes=-6)
        await refusing(ground, door, caller.NAME, sent)
        clock.advance(minutes=6)
        assert (await door.post(caller.NAME, sent)).status == 200, caller.NAME


@pytest.mark.settings(webhook_source=[{**each, "tolerance_s": 60} for each in calling.sources()])
async def test_how_long_a_signature_is_believed_can_be_set(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    for caller in DATED:
        sent = caller.call(caller.unheard_of(ANA), at=clock.now())
        clock.advance(seconds=59)
        assert (await door.post(caller.NAME, sent)).status == 200, caller.NAME
        clock.advance(seconds=2)
        await refusing(ground, door, caller.NAME, sent)


async def test_a_token_of_mailgun_is_good_for_one_body_only(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    await people.subscribed(ground, ANA.address)
    caller = calling.BY_NAME["mailgun"]
    sent = caller.call(caller.delivered(ANA), at=clock.now())
    assert (await door.post("mailgun", sent)).status == 200
    forged = replace(sent, body=sent.body.replace(b'"delivered"', b'"complained"'))
    await refusing(ground, door, "mailgun", forged)
    assert (await door.post("mailgun", sent)).json()["ignored"] == 1, "a try of the same"


async def test_of_several_signatures_of_svix_one_is_enough(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    caller = calling.BY_NAME["resend"]
    sent = caller.call(caller.unheard_of(ANA), at=clock.now())
    right = sent.headers["svix-signature"].split()[1]
    wrong = "v1," + "A" * 43 + "="
    for signatures, is_right in (
        (right, True),
        (f"{wrong} {right} v1a,zzz", True),
        (wrong, False),
        (right.replace("v1,", "v2,"), False),
        (right.removeprefix("v1,"), False),
        ("", False),
        (" ".join([wrong] * 100), False),
    ):
        changed = replace(sent, headers={**sent.headers, "svix-signature": signatures})
        if is_right:
            assert (await door.post("resend", changed)).status == 200
        else:
            await refusing(ground, door, "resend", changed)


async def test_the_id_and_the_time_of_svix_are_part_of_what_is_signed(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    caller = calling.BY_NAME["resend"]
    sent = caller.call(caller.unheard_of(ANA), at=clock.now())
    for name, value in (
        ("svix-id", "msg_other"),
        ("svix-id", ""),
        ("svix-timestamp", str(int(clock.now().timestamp()) + 1)),
        ("svix-timestamp", "yesterday"),
    ):
        changed = replace(sent, headers={**sent.headers, name: value})
        await refusing(ground, door, "resend", changed)


async def test_a_password_that_is_nearly_right_or_said_in_another_way_is_refused(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    caller = calling.BY_NAME["postmark"]
    sent = caller.call(caller.unheard_of(ANA), at=clock.now())
    for given in (
        "",
        "Basic",
        "Basic !!!",
        "Basic gICA",
        f"Basic {parts.SECRET}",
        f"Digest {parts.SECRET}",
        f"Bearer {parts.SECRET[:-1]}",
        f"Bearer {parts.SECRET.swapcase()}",
        parts.SECRET,
        "Bearer \u00e9\u00e9",
    ):
        changed = replace(sent, headers={**sent.headers, "Authorization": given})
        answer = await refusing(ground, door, "postmark", changed)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    bearer = replace(sent, headers={"Authorization": f"Bearer {parts.SECRET}"})
    assert (await door.post("postmark", bearer)).status == 200


@pytest.mark.settings(
    webhook_source=[
        {
            "name": "mail",
            "provider": "postmark",
            "secret": parts.SECRET,
            "header": "X-Our-Secret",
            "networks": ["192.0.2.0/24"],
        }
    ],
    server={"trusted_proxies": ["127.0.0.0/8"]},
)
async def test_the_secret_may_come_in_a_header_of_its_own_and_from_some_networks_only(
    ground: Ground, door: Door
) -> None:
    caller = calling.BY_NAME["postmark"]
    body = caller.call(caller.unheard_of(ANA), at=ground.clock.now()).body
    secret = {"X-Our-Secret": parts.SECRET}
    here, elsewhere = {"X-Forwarded-For": "192.0.2.9"}, {"X-Forwarded-For": "198.51.100.1"}
    await refusing(ground, door, "mail", Sent(headers={**secret, **elsewhere}, body=body))
    await refusing(ground, door, "mail", Sent(headers=secret, body=body))
    bearer = {"Authorization": f"Bearer {parts.SECRET}"}
    await refusing(ground, door, "mail", Sent(headers={**bearer, **here}, body=body))
    assert (await door.post("mail", Sent(headers={**secret, **here}, body=body))).status == 200


async def test_a_source_that_is_not_in_the_settings_is_not_found(
    door: Door, clock: FakeClock
) -> None:
    caller = calling.BY_NAME["postmark"]
    answer = await door.post("nobody", caller.call(caller.hard(ANA), at=clock.now()))
    assert (answer.status, answer.json()["status"]) == (404, 404)


async def test_staff_see_of_each_source_when_it_was_heard_and_why_it_was_refused_last(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    caller = calling.BY_NAME["brevo"]
    await people.subscribed(ground, ANA.address)

    async def seen() -> state.SourceState:
        async with ground.db.reading() as session:
            found = {each.name: each for each in await state.read(ground, session)}
        assert list(found) == [each["name"] for each in calling.sources()]
        return found["brevo"]

    assert ((await seen()).last_call_at, (await seen()).is_refusing) == (None, False)
    await door.post("brevo", caller.call(caller.hard(ANA), at=clock.now(), key=1))
    refused = await seen()
    assert (refused.is_refusing, refused.refused, refused.last_call_at) == (True, 1, None)
    assert "secret" in refused.refusal
    assert parts.SECRET not in refused.refusal
    began = clock.now()
    clock.advance(minutes=1)
    await door.post("brevo", caller.call(caller.hard(ANA), at=clock.now()))
    heard = await seen()
    assert (heard.is_refusing, heard.taken, heard.last_event_at) == (False, 1, clock.now())
    assert heard.last_refusal_at == began
    for _ in range(3):
        await door.post("brevo", caller.call(caller.delivered(ANA), at=clock.now()))
    clock.advance(seconds=10)
    await door.post("brevo", caller.call(caller.delivered(ANA), at=clock.now()))
    assert ((await seen()).ignored, (await seen()).last_event_at) == (4, heard.last_event_at)


@pytest.mark.settings(
    webhook_source=[{"name": "mail", "provider": "postmark", "secret": parts.SECRET}]
)
async def test_the_page_on_deliverability_says_how_each_webhook_does_in_either_language(
    ground: Ground, door: Door, clock: FakeClock
) -> None:
    caller = calling.BY_NAME["postmark"]

    async def says(language: str) -> tuple[str, str]:
        """Tone and words, as they are after they were kept."""
        found = await known.read(ground, planned=None)
        lines = [ways.of_webhook(hook) for hook in found.hooks]
        kept = looks._read(json.loads(json.dumps(looks._written({Question.RETURNS: lines}))))
        (line,) = kept[Question.RETURNS]
        return line.tone.value, line.say(ground.translator(language))

    assert (await says("en"))[1].startswith("The webhook “mail” is set up, but")
    await door.post("mail", caller.call(caller.delivered(ANA), at=clock.now(), key=1))
    tone, words = await says("es")
    assert tone == "warn"
    assert words.endswith("El secreto falta o no es correcto; no se aceptó nada.")
    clock.advance(minutes=1)
    await door.post("mail", caller.call(caller.delivered(ANA), at=clock.now()))
    tone, words = await says("en")
    assert (tone, "we last heard from it" in words) == ("good", True)


@pytest.mark.parametrize(
    ("provider", "values"),
    [
        ("mailgun", {"secret": ""}),
        ("mailgun", {"secret": "too short"}),
        ("resend", {"secret": "whsec_not base64 at all!"}),
        ("sendgrid", {"public_key": "AAAA"}),
        ("sendgrid", {"public_key": parts.public(parts.rsa_key(0))}),
        ("sendgrid", {"public_key": parts.public(parts.ec_key(2))}),
        ("postal", {"public_key": parts.public(parts.ec_key(0))}),
        ("ses", {"topic": "arn:aws:s3:::bucket"}),
        ("ses", {"topic": ""}),
        ("brevo", {"secret": parts.SECRET, "networks": ["nowhere"]}),
        ("postmark", {"secret": parts.SECRET, "name": "Not/A Name"}),
    ],
)
def test_a_key_that_is_too_short_or_of_another_kind_is_told_at_the_start(
    tmp_path: Path, provider: str, values: dict[str, Any]
) -> None:
    if values.get("secret") == "":
        # A file that is empty is only seen when it is read.
        (tmp_path / "secret").touch()
        values = {"secret_file": str(tmp_path / "secret")}
    table = {"name": "mail", "provider": provider, **values}
    file = tmp_path / "config.toml"
    file.write_text(service.as_toml({"webhook_source": [table]}))
    with pytest.raises(errors.ConfigProblem) as told:
        building.build(config.load(file, {}), clock=FakeClock())
    assert "webhook_source" in str(told.value)
    assert parts.SECRET not in str(told.value)


def test_the_secret_of_the_first_source_may_come_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        service.as_toml({"webhook_source": [{"name": "mail", "provider": "brevo", "secret": "x"}]})
    )
    found = config.load(file, {"HANDBILL_WEBHOOK_SOURCE__SECRET": parts.SECRET})
    assert [each.secret for each in found.webhook_source] == [parts.SECRET]
