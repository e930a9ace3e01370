"""Makes the sample coalition's people: brought along by a file, signed up on forms, and members."""

import asyncio
import csv
import functools
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from foundation.accounts.models import Role
from foundation.frozen import frozen
from foundation.tokens import Purpose
from handbill.demo import seed_partners
from handbill.demo.checking import token_in
from handbill.demo.content import Member
from handbill.demo.scene import Scene
from subscribers import applying, importing, members, people, preferences, signup
from subscribers.importing import Asking
from subscribers.models import MemberState

IMPORTED = 320
SIGNED_UP = 64
_WAYWARD = ("gone", "gone", "gone", "gone", "full", "full", "full", "moved", "moved")
_NEVER_CONFIRM = 7
"""Every seventh looks at the mail and leaves it."""
_DAYS_BETWEEN_MEMBERS = 2.5


@frozen
class Person:
    """Somebody made up."""

    email: str
    first_name: str
    last_name: str
    town: str
    postal_code: str
    language: str


async def bring_along(scene: Scene) -> None:
    """Most of the list comes from the coalition's old one, as a CSV file."""
    everybody = list(_made_up(scene, count=IMPORTED, wayward=_WAYWARD))
    path = scene.folder / "old-list.csv"
    await asyncio.to_thread(_write, path, everybody)
    await importing.import_file(
        scene.ground,
        actor=scene.staff[Role.EDITOR],
        path=path,
        options=importing.Options(topics=["secure-communities"], asking=Asking.VOUCHED),
    )
    for person in everybody[::3]:
        await _visit_preferences(scene, person)


def plan_sign_ups(scene: Scene, *, from_days_ago: float, until_days_ago: float) -> None:
    """People find the forms, day by day; most of them press the button in the mail."""
    step = (from_days_ago - until_days_ago) / SIGNED_UP
    for number, person in enumerate(_made_up(scene, count=SIGNED_UP, wayward=())):
        at = scene.ago(from_days_ago - number * step)
        scene.timeline.add(at, functools.partial(_sign_up, scene, number, person))


async def _sign_up(scene: Scene, number: int, person: Person) -> None:
    network = f"198.51.{number}.0/24"
    asked = signup.SignUpRequest(
        email=person.email, language=person.language, first_name=person.first_name, network=network
    )
    await signup.submit(scene.ground, request=_as_it_came(scene, number, person, asked))
    await scene.deliver()
    if number % _NEVER_CONFIRM != _NEVER_CONFIRM - 1:
        wait = timedelta(minutes=scene.random.randint(2, 90))
        scene.timeline.after(wait, functools.partial(_confirm, scene, number, person))


def _as_it_came(
    scene: Scene, number: int, person: Person, asked: signup.SignUpRequest
) -> signup.SignUpRequest:
    """Half come by the partner's page, some of them to its own list, too; a few by another's."""
    if number % 2:
        own = scene.sample.coalition.partner_key
        return asked._replace(
            form=own,
            topics=["secure-communities"],
            shares=[own] if number % 3 else [],
            referrer_host="lynnlegal.example",
            page_path=("/", "/appointments", "/your-rights")[number % 3],
        )
    is_taken_up = scene.clock.now() > scene.ago(seed_partners.TAKEN_UP - 1)
    is_quiet = scene.clock.now() > scene.ago(seed_partners.QUIET_SINCE)
    if number % 6 == 4 and is_taken_up and not is_quiet:
        quiet = seed_partners.QUIET
        return asked._replace(
            partner=quiet.key,
            topics=["secure-communities"],
            referrer_host="casaabierta.example",
            page_path=quiet.pages[0],
        )
    return asked._replace(
        form="main",
        topics=_some_topics(scene),
        postal_code=person.postal_code,
        source="issue-page",
    )


async def _confirm(scene: Scene, number: int, person: Person) -> None:
    mail = scene.catcher.mailbox.latest(person.email)
    await signup.confirm(
        scene.ground, token=token_in(mail, "/confirm/"), network=f"198.51.{number}.0/24"
    )
    await scene.deliver()


def plan_members(scene: Scene, *, from_days_ago: float) -> None:
    """Organisations apply, confirm by mail, and get the coalition's answer the next day."""
    for number, member in enumerate(scene.sample.coalition.members):
        at = scene.ago(from_days_ago - number * _DAYS_BETWEEN_MEMBERS)
        scene.timeline.add(at, functools.partial(_apply, scene, member))


async def _apply(scene: Scene, member: Member) -> None:
    await applying.apply(scene.ground, application=_application(member))
    await scene.deliver()
    scene.timeline.after(timedelta(hours=3), functools.partial(_confirm_member, scene, member))


async def _confirm_member(scene: Scene, member: Member) -> None:
    mail = scene.catcher.mailbox.latest(member.contact_email)
    await applying.confirm(
        scene.ground, token=token_in(mail, "/join/confirm/"), network="203.0.113.0/24"
    )
    await scene.deliver()
    if member.decision != "waiting":
        scene.timeline.after(timedelta(hours=20), functools.partial(_answer, scene, member))


async def _answer(scene: Scene, member: Member) -> None:
    ground, actor = scene.ground, scene.staff[Role.EDITOR]
    waiting = await members.listed(ground, state=MemberState.APPLIED)
    found = next(each for each in waiting.members if each.name == member.name)
    if member.decision == "approved":
        await members.approve(ground, actor=actor, member_id=found.id, version=found.version)
    else:
        await members.decline(
            ground, actor=actor, member_id=found.id, version=found.version, reason=member.reason
        )
    await scene.deliver()


def _application(member: Member) -> applying.Application:
    return applying.Application(
        name=member.name,
        website=member.website,
        town=member.town,
        languages=member.languages,
        mission=member.mission,
        contact_name=member.contact_name,
        contact_email=member.contact_email,
        contact_role=member.contact_role,
        wants_listing=True,
        agrees=True,
        language=member.language,
        network="203.0.113.0/24",
    )


async def _visit_preferences(scene: Scene, person: Person) -> None:
    """Somebody opens their preferences, chooses topics, and most agree to be counted by name."""
    number = await people.by_email(scene.ground, email=person.email)
    await preferences.save(
        scene.ground,
        token=scene.ground.tokens.seal(Purpose.PREFERENCES, number),
        wishes=preferences.Wishes(
            topics=_some_topics(scene),
            language=person.language,
            first_name=person.first_name,
            last_name=person.last_name,
            postal_code=person.postal_code,
            allows_tracking=scene.random.random() < 0.9,
        ),
        network="198.51.100.0/24",
    )


def _some_topics(scene: Scene) -> list[str]:
    """The issue always, the others now and then."""
    others = [slug for slug in ("action-alerts", "all-news") if scene.random.random() < 0.45]
    return ["secure-communities", *others]


def _made_up(scene: Scene, *, count: int, wayward: tuple[str, ...]) -> Iterator[Person]:
    """People with plausible names and towns, each with an address of their own."""
    chance, sample = scene.random, scene.sample.people
    made = 0
    while made < count:
        language = "es" if chance.random() < 0.42 else "en"
        first = chance.choice(sample.first_names_es if language == "es" else sample.first_names_en)
        last = chance.choice(sample.last_names)
        start = wayward[made] if made < len(wayward) else _plain(first)
        email = f"{start}.{_plain(last)}@{chance.choice(sample.domains)}"
        if email in scene.addresses:
            continue
        scene.addresses.add(email)
        made += 1
        town = chance.choice(list(sample.towns))
        yield Person(
            email=email,
            first_name=first,
            last_name=last,
            town=town,
            postal_code=chance.choice(sample.towns[town]),
            language=language,
        )


def _plain(name: str) -> str:
    """A name as a local part: letters only, without accents."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in letters if letter.isalpha())


def _write(path: Path, everybody: list[Person]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["email", "first_name", "last_name", "city", "zip", "language", "tags"])
        for person in everybody:
            out.writerow(
                [
                    person.email,
                    person.first_name,
                    person.last_name,
                    person.town,
                    person.postal_code,
                    person.language,
                    "old-list",
                ]
            )
