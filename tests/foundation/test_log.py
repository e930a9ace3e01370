"""Who changed what is found by person, change, object and day, however much was changed."""

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from foundation import audit
from foundation.accounts import differences, log, log_fields, log_values, log_words
from foundation.accounts.models import Role
from foundation.audit import COMMAND, Actor, ActorKind
from foundation.ground import Ground
from handbill.log_values import WORDS
from tests.world.clock import FakeClock
from tests.world.web import Web

ANA = Actor(kind=ActorKind.STAFF, label="=Ana", staff_id=1)
ROOT = Path(__file__).parents[2]
CHANGE = r'\baction="([a-z_-]+\.[a-z_-]+)"'


async def written(ground: Ground, clock: FakeClock, number: int, *, actor: Actor = ANA) -> None:
    """So many pauses of campaign 7, a day apart."""
    async with ground.db.transaction() as session:
        for _ in range(number):
            audit.record(
                session,
                actor=actor,
                at=ground.clock.now(),
                action="campaign.paused",
                object_kind="campaign",
                object_id=7,
                before={"state": "sending", "topics": ["a", "b"]},
                after={"state": "paused", "topics": ["b", "c"]},
            )
            clock.advance(days=1)


@pytest.mark.storage
async def test_entries_are_found_by_person_change_object_and_day_in_pages(
    ground: Ground, clock: FakeClock
) -> None:
    began = clock.now().astimezone(ground.settings.site.tzinfo).date()
    await written(ground, clock, 120)
    await written(ground, clock, 1, actor=COMMAND)
    seen: list[int] = []
    after = None
    while True:
        page = await log.page(ground, wanted=log.Wanted(staff_id=1), after=after)
        seen += [entry.id for entry in page.entries]
        after = page.after
        if after is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 120
    for wanted, number in (
        (log.Wanted(kind=ActorKind.COMMAND), 1),
        (log.Wanted(action="campaign.paused", object_kind="campaign", object_id="8"), 0),
        (log.Wanted(object_kind="campaign", object_id="7"), log.PAGE),
        (log.Wanted(action="campaign.resumed"), 0),
        (log.Wanted(since=began + timedelta(days=3), until=began + timedelta(days=5)), 3),
        (log.Wanted(until=began - timedelta(days=1)), 0),
        (log.Wanted(since=began + timedelta(days=500)), 0),
    ):
        assert len((await log.page(ground, wanted=wanted)).entries) == number, wanted
    assert await log.actions(ground) == ["campaign.paused"]


async def test_no_look_into_the_log_reads_through_it(ground: Ground) -> None:
    plans = {
        "staff_id": "staff_id = 1",
        "actor_kind": "actor_kind = 'token'",
        "action": "action = 'campaign.paused'",
        "object_kind": "object_kind = 'campaign'",
    }
    async with ground.db.reading() as session:
        for name, condition in plans.items():
            told = await session.execute(
                sa.text(
                    "EXPLAIN QUERY PLAN SELECT * FROM audit_entries"
                    f" WHERE {condition} AND id < 900 ORDER BY id DESC LIMIT 51"
                )
            )
            plan = " ".join(str(row) for row in told.all())
            assert f"ix_audit_entries_{name}_id" in plan
            assert "TEMP B-TREE" not in plan


async def test_the_page_says_it_in_words_and_gives_files(web: Web, clock: FakeClock) -> None:
    editor = await web.as_staff(Role.EDITOR)
    await written(web.ground, clock, 2)
    page = (await editor.get("/staff/audit?what=campaign.paused")).text
    assert "Campaign was paused" in page
    assert "<del>sending</del> <ins>paused</ins>" in page
    assert "<del>a</del> <ins>c</ins>" in page
    spanish = (await editor.get("/staff/audit?lang=es&what=campaign")).text
    assert "Envío: se pausó" in spanish
    assert ("State:</span>" in page, "Estado:</span>" in spanish) == (True, True)
    assert "<del>enviándose</del> <ins>en pausa</ins>" in spanish
    narrowed = "/staff/audit.csv?who=1&what=campaign&object=7"
    answer = await editor.get(narrowed)
    rows = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))
    assert rows[0] == list(log.COLUMNS)
    assert [row[1] for row in rows[1:]] == ["'=Ana"] * 2
    told = (await editor.get(narrowed.replace(".csv", ".jsonl"))).text.splitlines()
    assert [json.loads(each)["after"]["state"] for each in told] == ["paused"] * 2
    assert (await editor.get("/staff/audit.jsonl?who=999")).body == b""
    author = await web.as_staff(Role.AUTHOR)
    assert (await author.get(narrowed)).status == 403


def test_of_long_texts_the_words_that_differ_are_told() -> None:
    before = {"texts": {"en": "We meet on Tuesday in Lynn", "es": "Nos vemos"}, "same": 1}
    after = {"texts": {"en": "We meet on Friday in Lynn", "es": "Nos vemos"}, "same": 1}
    (found,) = differences.between(before, after)
    assert found.path == ("texts", "en")
    assert [(piece.text, piece.is_gone, piece.is_new) for piece in found.pieces] == [
        ("We meet on", False, False),
        ("Tuesday", True, False),
        ("Friday", False, True),
        ("in Lynn", False, False),
    ]


def test_what_a_list_holds_is_told_field_by_field() -> None:
    before = {"sections": [{"kind": "events", "headings": {"en": "Come"}}, {"most": 3}]}
    after = {"sections": [{"kind": "events", "headings": {"en": "Come along"}}, {"most": 3}]}
    (found,) = differences.between(before, after)
    assert found.path == ("sections", "1", "headings", "en")
    assert [piece.text for piece in found.pieces] == ["Come", "Come along"]


@pytest.mark.parametrize(
    ("kind", "name", "value", "words"),
    [
        ("staff", "role", "editor", "Edición"),
        ("staff", "way", "link", "Enlace por correo"),
        ("member", "role", "editor", "editor"),
        ("partner", "languages", ["es", "en"], ["español", "inglés"]),
        ("member", "languages", ["Haitian Creole"], ["Haitian Creole"]),
        ("subscriber", "further_languages", "es pt", "español, portugués"),
        ("series", "weekday", 3, "jueves"),
        ("sign-on", "state", "shown", "Se muestra"),
        ("subscriber", "note", "draft", "draft"),
    ],
)
def test_names_in_the_data_are_told_in_words(
    ground: Ground, kind: str, name: str, value: object, words: object
) -> None:
    told = log_values.said(
        value, (name,), kind=kind, words=WORDS, speaks=ground.catalog.translator("es")
    )
    assert told == words


def test_fields_are_told_in_words_and_settings_as_their_page_calls_them(ground: Ground) -> None:
    speaks = ground.catalog.translator("es")
    told = [
        log_fields.said(path, speaks, ground.settings)
        for path in (("texts", "en", "title"), ("relay:relay.connections",), ("brand_new",))
    ]
    assert told == ["Textos · Inglés · Título", "Conexiones a «relay» a la vez", "brand new"]


def test_every_change_that_the_code_names_has_words() -> None:
    """Those whose verb is put in while running are looked at by every test that does them."""
    named = {
        action
        for folder in ("foundation", "subscribers", "delivery", "campaigns", "handbill")
        for path in (ROOT / folder).rglob("*.py")
        for action in re.findall(CHANGE, path.read_text("utf-8"))
    }
    assert len(named) > 50
    assert {action for action in named if not log_words.has_words(action)} == set()
