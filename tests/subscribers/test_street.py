"""Sign-ups that were written down at a table: on paper, and sealed on a tablet."""

import base64
import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlmodel import col, select

from delivery.models import QueuedNotice
from foundation import audit, errors
from foundation.accounts.models import Role
from foundation.audit import AuditEntry
from foundation.ground import Ground
from subscribers import forms, gatherings, retention, sealing, sheet_entry, suppression
from subscribers.models import SignUpState, SuppressionReason, Wording
from subscribers.sheet_entry import Row
from subscribers.street_models import Gathering
from subscribers.tabling import Outcome
from tests.subscribers import mailbox
from tests.world import people
from tests.world.clock import FakeClock
from tests.world.web import Web

FAIR = gatherings.Details(
    name="Spring fair, Lowell", code="spring-fair", day=date(2026, 4, 11), languages=["en", "es"]
)


async def fair(ground: Ground) -> Gathering:
    """A table at a fair, with the site's own form."""
    await mailbox.topics(ground)
    return await gatherings.create(ground, actor=audit.COMMAND, details=FAIR)


async def mailed(ground: Ground) -> list[QueuedNotice]:
    async with ground.db.reading() as session:
        return list((await session.exec(select(QueuedNotice).order_by(col(QueuedNotice.id)))).all())


def sealed(ground: Ground, said: dict[str, Any], *, number: str = "0" * 32) -> dict[str, str]:
    """An entry as a tablet seals it, written down from the standards and not from our code."""
    point = base64.urlsafe_b64decode(sealing.public_key(ground) + "=")
    service = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    own = ec.generate_private_key(ec.SECP256R1())
    public = own.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    agreed = own.exchange(ec.ECDH(), service)
    key = HKDF(hashes.SHA256(), 32, salt=public, info=b"handbill kiosk 1").derive(agreed)
    text = AESGCM(key).encrypt(b"n" * 12, json.dumps(said).encode(), number.encode())
    parts = {"key": public, "nonce": b"n" * 12, "text": text}
    return {
        "number": number,
        **{name: base64.urlsafe_b64encode(each).decode() for name, each in parts.items()},
    }


def said(email: str = "ana@example.org", **changes: Any) -> dict[str, Any]:
    return {
        "email": email,
        "first_name": "Ana",
        "language": "es",
        "source": "spring-fair",
        "topics": ["action-alerts"],
        "typed_at": "2026-04-11T10:00:00Z",
        **changes,
    }


async def send(web: Web, entries: Sequence[dict[str, str]]) -> Any:
    answer = await web.request("POST", "/kiosk/subscribe/entries", json={"entries": list(entries)})
    assert answer.status == 200, answer.text
    return answer.json()


@pytest.mark.storage
async def test_a_tablets_entry_is_taken_once_and_mailed_once_however_often_it_is_sent(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await fair(ground)
    typed = clock.now() - timedelta(hours=5)
    entry = sealed(ground, said(typed_at=typed.isoformat()))
    for _ in range(3):
        assert await send(web, [entry, entry]) == {
            "taken": ["0" * 32] * 2,
            "refused": [],
            "unreadable": [],
        }
        clock.advance(days=2)
    (notice,) = await mailed(ground)
    assert (notice.kind, notice.to_address, notice.language) == (
        "confirm_at_table",
        "ana@example.org",
        "es",
    )
    assert notice.context["event"] == "Spring fair, Lowell"
    (row,) = await mailbox.sign_ups(ground)
    assert (row.source, row.topics, row.typed_at) == ("spring-fair", ["action-alerts"], typed)
    assert row.state == SignUpState.SUBMITTED

    await web.post(await table_url(ground), {})
    assert await mailbox.states(ground) == {"action-alerts": "confirmed"}


async def table_url(ground: Ground) -> str:
    return (await mailed(ground))[0].context["confirm_url"]


async def test_what_was_changed_or_sealed_for_another_key_is_not_read(
    web: Web, ground: Ground
) -> None:
    await fair(ground)
    entry = sealed(ground, said())
    others = [
        {**entry, "number": "1" * 32},
        {**entry, "text": entry["text"][:-4] + "AAAA"},
        {**entry, "key": entry["key"][:-4] + "AAAA"},
        {**entry, "nonce": ""},
    ]
    answer = await send(web, others)
    assert len(answer["unreadable"]) == 4
    assert await mailed(ground) == []


async def test_one_wrong_entry_does_not_hold_up_the_others(web: Web, ground: Ground) -> None:
    await fair(ground)
    numbers = [str(number) * 32 for number in range(3)]
    emails = ("nobody", "ana@example.org", "bo@example.org")
    batch = [
        sealed(ground, said(email), number=number)
        for number, email in zip(numbers, emails, strict=True)
    ]
    assert await send(web, batch) == {
        "taken": numbers[1:],
        "refused": numbers[:1],
        "unreadable": [],
    }


@pytest.mark.parametrize("body", [{}, {"entries": []}, {"entries": [{}]}, {"entries": [1] * 26}])
async def test_what_is_no_batch_is_refused(web: Web, ground: Ground, body: Any) -> None:
    await fair(ground)
    assert (await web.request("POST", "/kiosk/subscribe/entries", json=body)).status == 422


@pytest.mark.settings(signup={"submissions_per_network_per_hour": 2})
async def test_what_is_over_a_limit_is_mailed_later_with_the_same_words(
    web: Web, ground: Ground, clock: FakeClock
) -> None:
    await fair(ground)
    await send(
        web,
        [sealed(ground, said(f"p{n}@example.org"), number=str(n) * 32) for n in range(4)],
    )
    assert len(await mailed(ground)) == 2
    clock.advance(hours=2)
    await retention.release_held(ground)
    assert [notice.kind for notice in await mailed(ground)] == ["confirm_at_table"] * 4


@pytest.mark.settings(signup={"challenge": "always"})
async def test_during_an_attack_staff_look_at_what_a_tablet_sends(web: Web, ground: Ground) -> None:
    await fair(ground)
    await send(web, [sealed(ground, said())])
    (row,) = await mailbox.sign_ups(ground)
    assert (row.state, await mailed(ground)) == (SignUpState.SUSPECT, [])


async def test_the_kiosk_speaks_two_languages_and_holds_no_secret(web: Web, ground: Ground) -> None:
    await fair(ground)
    page = await web.get("/kiosk/subscribe?source=spring-fair")
    assert page.status == 200
    assert re.findall(r'data-language="(\w+)"', page.text) == ["en", "es"]
    assert "Spring fair, Lowell" in page.text
    assert not re.search(r"\sstyle=|<script(?![^>]*nonce=)", page.text)
    for path, first in (("?lang=es-MX", "es"), ("?languages=es,en&lang=en", "en"), ("", "en")):
        other = await web.get(f"/kiosk/subscribe{path}")
        assert re.findall(r'data-language="(\w+)"', other.text)[0] == first
        assert f'<html lang="{first}"' in other.text
    worker = await web.get("/kiosk/worker.js")
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert (await web.get("/kiosk/nothing")).status == 404


@pytest.mark.storage
async def test_a_sheet_is_typed_in_with_the_words_that_stood_on_it(
    web: Web, ground: Ground
) -> None:
    gathering = await fair(ground)
    office = await web.as_staff(Role.EDITOR)
    page = await office.get(f"/staff/gatherings/{gathering.id}/entry")
    fields = {
        "rows": "4",
        "email.1": "ANA@example.org",
        "first_name.1": "Ana",
        "language.1": "es",
        "email.2": "bo@gmial.com",
        "email.3": "ana@example.org",
        "email.4": "",
    }
    answer = await office.post(f"/staff/gatherings/{gathering.id}/entry", fields)
    assert (page.status, answer.status) == (200, 422)
    assert "The same address as in row 1" in answer.text
    assert "bo@gmail.com" in answer.text
    assert answer.field("email.1") == "bo@gmial.com"

    (notice,) = await mailed(ground)
    assert (notice.kind, notice.language) == ("confirm_at_table", "es")
    (step,) = await mailbox.steps(ground)
    async with ground.db.reading() as session:
        words = await session.get(Wording, step.wording_id)
        (entry,) = await session.exec(
            select(AuditEntry).where(AuditEntry.action == "gathering.entered")
        )
    assert words is not None
    assert (step.via, words.key, words.language) == ("sheet", "sheet", "es")
    assert (entry.actor_label, entry.after) == ("Editor", {"sign_ups": [step.signup_id]})
    assert "ana" not in json.dumps(entry.after)


async def test_another_name_or_day_is_kept_and_logged_and_the_paper_stays_true(
    web: Web, ground: Ground
) -> None:
    gathering = await fair(ground)
    here = f"/staff/gatherings/{gathering.id}"
    office = await web.as_staff(Role.EDITOR)
    wrong = await office.post(here, {"name": "", "day": "soon"})
    assert wrong.status == 422
    assert "Give the day." in wrong.text
    done = await office.post(here, {"name": "Spring fair, Lawrence", "day": "2026-04-18"})
    assert done.location == here
    kept = (await gatherings.show(ground, gathering_id=gathering.id or 0)).gathering
    assert (kept.name, kept.day) == ("Spring fair, Lawrence", date(2026, 4, 18))
    assert (kept.code, kept.wordings) == (gathering.code, gathering.wordings)
    async with ground.db.reading() as session:
        (entry,) = await session.exec(
            select(AuditEntry).where(AuditEntry.action == "gathering.mended")
        )
    assert entry.before == {"name": FAIR.name, "day": "2026-04-11"}
    viewer = await web.as_staff(Role.VIEWER)
    assert (await viewer.post(here, {"name": "x", "day": "2026-04-18"})).status == 403


async def test_staff_are_told_who_is_known_and_who_must_not_be_mailed(ground: Ground) -> None:
    gathering = await fair(ground)
    await people.subscribed(ground, "known@example.org", topics=("secure-communities",))
    async with ground.db.transaction() as session:
        await suppression.add(
            ground,
            session,
            email_key="angry@example.org",
            reason=SuppressionReason.COMPLAINT,
            via="complaint",
        )
    rows = [Row(email=name) for name in ("known@example.org", "angry@example.org", "x", "")]
    rows.append(Row(email="new@gmial.com", sure="new@gmial.com"))
    told = await sheet_entry.enter(
        ground, actor=audit.COMMAND, gathering_id=gathering.id, rows=rows
    )
    assert [each.outcome for each in told] == [Outcome.KNOWN, Outcome.BARRED, None, Outcome.ASKED]
    assert [notice.to_address for notice in await mailed(ground)] == ["new@gmial.com"]


async def test_the_sheet_asks_in_both_languages_and_names_its_event(
    web: Web, ground: Ground
) -> None:
    await mailbox.topics(ground)
    form = await forms.create(
        ground,
        actor=audit.COMMAND,
        details=forms.Details(slug="river", name="River", asks=["postal_code"]),
    )
    details = gatherings.Details(
        name="Fair", code="fair", day=date(2026, 4, 11), form_id=form.id, languages=["en", "es"]
    )
    gathering = await gatherings.create(ground, actor=audit.COMMAND, details=details)
    office = await web.as_staff(Role.VIEWER)
    page = (await office.get(f"/staff/gatherings/{gathering.id}/sheet?paper=a4")).text
    assert "By writing my address here" in page
    assert "Al anotar aquí mi dirección" in page
    assert "sheet-a4" in page
    assert "<strong>fair</strong>" in page
    assert "/subscribe/river?source=fair" in page
    with pytest.raises(errors.Invalid) as caught:
        await gatherings.create(ground, actor=audit.COMMAND, details=details)
    assert list(caught.value.fields) == ["code"]
