"""The whole story, lived unattended over real HTTP and SMTP: what `handbill demo --once` does.

Each step is one thing that somebody does, and checks what they would see. Steps are printed as they
happen; the first that fails ends the story.
"""

import contextlib
from collections.abc import Awaitable, Callable

import aiohttp
import click

from foundation import errors
from handbill.demo import staff_story
from handbill.demo.checking import StoryError
from handbill.demo.scene import Scene
from handbill.demo.staff_story import Office
from handbill.demo.supporter_story import Organisation, Supporter

_PROBLEMS = (StoryError, errors.HandbillError, aiohttp.ClientError, TimeoutError)
Step = tuple[str, Callable[[], Awaitable[str]]]


async def tell(scene: Scene, *, partner_url: str) -> int:
    """Live the story and print it; 0 when every step went well, else 1."""
    luz = Supporter(scene, email="luz.amaya@example.org", first_name="Luz", language="es")
    ray = Supporter(scene, email="moved.ray@example.net", first_name="Ray", language="en")
    circle, office = Organisation(scene), Office(scene)
    async with contextlib.AsyncExitStack() as stack:
        for each in (luz, ray, circle, office):
            stack.push_async_callback(each.close)
        steps = [
            *_people_come(luz, ray, partner_url),
            *_office_works(circle, office),
            *_bulletin_is_read(luz, ray, office),
        ]
        for what, act in steps:
            try:
                click.echo(f"✓ {what}: {await act()}")
            except _PROBLEMS as problem:
                click.echo(f"✗ {what}: {str(problem) or type(problem).__name__}")
                return 1
    click.echo(f"All {len(steps)} steps went well.")
    return 0


def _people_come(luz: Supporter, ray: Supporter, partner_url: str) -> list[Step]:
    return [
        ("Luz reads about the issue, in Spanish", luz.find_issue),
        ("Luz signs up", luz.sign_up),
        ("Programs follow the mailed link, and confirm nothing", luz.look_at_link),
        ("Luz presses the button behind it", luz.confirm),
        ("Luz allows to be counted by name", luz.allow_counting),
        ("Ray signs up on a partner's page", lambda: ray.sign_up_at(partner_url)),
        ("Ray presses the button", ray.confirm),
    ]


def _office_works(circle: Organisation, office: Office) -> list[Step]:
    return [
        ("An organization applies, and its contact confirms", circle.apply),
        ("The office signs in", office.sign_in),
        ("The office takes the organization in", lambda: office.approve(circle.name)),
        ("The organization hears of it", circle.hear_back),
        ("The office writes a bulletin in two languages", office.compose),
        ("The office sends itself a test", office.test),
        ("The office chooses who gets it, and approves", office.make_campaign),
        ("The office schedules it", office.schedule),
        ("It starts by itself and is sent", office.wait_until_sent),
    ]


def _bulletin_is_read(luz: Supporter, ray: Supporter, office: Office) -> list[Step]:
    subjects, label = staff_story.SUBJECTS, staff_story.ACTION["label-es"]
    return [
        ("Luz gets it in Spanish", lambda: luz.get_bulletin(subjects["es"])),
        ("Ray gets it in English", lambda: ray.get_bulletin(subjects["en"])),
        ("Luz opens it and presses its button", lambda: luz.read(label, staff_story.TARGET)),
        ("The report counts her", office.see_readers),
        ("Ray's mail comes back", office.see_bounce),
        ("Luz unsubscribes by one click", luz.leave),
        ("The report adds up", office.see_sums),
    ]
