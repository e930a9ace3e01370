"""A passkey lets in its owner, on our site, once for each question; all else is refused."""

import dataclasses

import pytest

from foundation import errors
from foundation.accounts import passkeys, second_step, sessions
from foundation.accounts.entering import Visitor
from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.world import people
from tests.world.authenticator import Authenticator
from tests.world.clock import FakeClock
from tests.world.web import Web

VISITOR = Visitor(browser="b", network="192.0.2.0/24")
ORIGIN = "http://handbill.test"


async def with_passkey(ground: Ground, role: Role = Role.OWNER) -> tuple[int, Authenticator]:
    """Somebody with a passkey, and the device."""
    person, _ = await people.staff(ground, role)
    device = Authenticator(site="handbill.test", origin=ORIGIN)
    asked = await passkeys.ask_to_add(ground, staff_id=person.id)
    answer = device.make(asked.options)
    sheet = await passkeys.add(
        ground, staff_id=person.id, secret=asked.secret, credential=answer, name="phone"
    )
    assert len(sheet) == 10
    with pytest.raises(errors.BadToken):
        await passkeys.add(
            ground, staff_id=person.id, secret=asked.secret, credential=answer, name="again"
        )
    return person.id, device


@pytest.mark.storage
async def test_a_passkey_lets_in_its_owner_once_for_each_question(
    ground: Ground, clock: FakeClock
) -> None:
    staff_id, device = await with_passkey(ground)
    asked = await passkeys.ask_anybody(ground, network="192.0.2.0/24")
    answer = device.sign(asked.options)
    entry = await passkeys.enter(ground, secret=asked.secret, credential=answer, visitor=VISITOR)
    found = await sessions.find(ground, secret=entry.secret)
    assert found is not None
    assert found.staff_id == staff_id
    other = await passkeys.ask_anybody(ground, network="192.0.2.0/24")
    for secret, problem in ((asked.secret, errors.BadToken), (other.secret, errors.Invalid)):
        with pytest.raises(problem):
            await passkeys.enter(ground, secret=secret, credential=answer, visitor=VISITOR)
    clock.advance(minutes=11)
    with pytest.raises(errors.BadToken):
        await passkeys.enter(
            ground, secret=other.secret, credential=device.sign(other.options), visitor=VISITOR
        )
    (passkey,) = (await second_step.state(ground, staff_id=staff_id)).passkeys
    await passkeys.remove(ground, staff_id=staff_id, passkey_id=passkey.id)
    last = await passkeys.ask_anybody(ground, network="192.0.2.0/24")
    with pytest.raises(errors.Invalid):
        await passkeys.enter(
            ground, secret=last.secret, credential=device.sign(last.options), visitor=VISITOR
        )
    assert (await second_step.state(ground, staff_id=staff_id)).codes_left == 0


async def test_what_is_signed_elsewhere_unproven_or_by_a_copy_is_refused(ground: Ground) -> None:
    _, device = await with_passkey(ground)

    async def refused(answer: str, secret: str) -> None:
        with pytest.raises(errors.Invalid):
            await passkeys.enter(ground, secret=secret, credential=answer, visitor=VISITOR)

    asked = await passkeys.ask_anybody(ground, network="192.0.2.0/24")
    device.origin = "http://handbill.test.evil.example"
    await refused(device.sign(asked.options), asked.secret)
    device.origin = ORIGIN
    await refused(device.sign(asked.options, is_verified=False), asked.secret)
    stranger = Authenticator(site="handbill.test", origin=ORIGIN)
    await refused(stranger.sign(asked.options), asked.secret)
    stranger.id = device.id
    await refused(stranger.sign(asked.options), asked.secret)
    for nonsense in ("", "[]", "{}", "null", "x", '{"id": 1}', '{"id": "a", "response": {}}'):
        await refused(nonsense, asked.secret)
    await passkeys.enter(
        ground, secret=asked.secret, credential=device.sign(asked.options), visitor=VISITOR
    )
    # A copy of the device counts from where it was copied (WebAuthn Level 3 §6.1.1).
    device.count = 0
    again = await passkeys.ask_anybody(ground, network="192.0.2.0/24")
    await refused(device.sign(again.options), again.secret)


async def test_nobody_answers_for_somebody_else(web: Web) -> None:
    ground = web.ground
    staff_id, device = await with_passkey(ground)
    other_id, _ = await with_passkey(ground, Role.EDITOR)
    asked = await passkeys.ask_to_add(ground, staff_id=staff_id)
    with pytest.raises(errors.BadToken):
        await passkeys.add(
            ground,
            staff_id=other_id,
            secret=asked.secret,
            credential=Authenticator(site="handbill.test", origin=ORIGIN).make(asked.options),
            name="x",
        )
    (theirs,) = (await second_step.state(ground, staff_id=staff_id)).passkeys
    with pytest.raises(errors.NotFound):
        await passkeys.remove(ground, staff_id=other_id, passkey_id=theirs.id)
    site = ground.settings.site.model_copy(update={"url": "https://elsewhere.example"})
    moved = dataclasses.replace(ground, settings=ground.settings.model_copy(update={"site": site}))
    asked = await passkeys.ask_anybody(moved, network="")
    with pytest.raises(errors.Invalid):
        await passkeys.enter(
            moved, secret=asked.secret, credential=device.sign(asked.options), visitor=VISITOR
        )
    answer = await web.post("/staff/signin/passkey", {"credential": "{}"})
    assert (answer.status, "<h1>Sign in</h1>" in answer.text) == (422, True)
