"""The office's part of the story: sign-in, a new member, a bulletin, its schedule and report."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from campaigns import reports
from foundation.accounts import team
from foundation.accounts.models import Role
from foundation.audit import COMMAND
from handbill.demo import seed_site
from handbill.demo.browser import Browser
from handbill.demo.checking import StoryError, expect, until
from handbill.demo.scene import Scene

TARGET = "https://baystateneighbors.example/actions/story"
SUBJECTS = {"en": "One story, two languages", "es": "Una historia, dos idiomas"}
_LOOK_EVERY_S = 0.1
_LOOKS = 300
_HEAD = {
    "subject-en": SUBJECTS["en"],
    "subject-es": SUBJECTS["es"],
    "preheader-en": "Written while you watch.",
    "preheader-es": "Escrita mientras usted mira.",
}
_LETTER = {
    "html-en": "<p>Dear {{ subscriber.first_name }}, here is what happened.</p>",
    "html-es": "<p>Hola, {{ subscriber.first_name }}: esto es lo que pasó.</p>",
}
ACTION = {"url": TARGET, "label-en": "Take part", "label-es": "Participe"}


class Office:
    """Somebody of the office, at a browser."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._browser = Browser(scene.ground.settings.site.url)
        self._bulletin = ""
        self._campaign = 0

    async def close(self) -> None:
        """Close the browser."""
        await self._browser.close()

    async def sign_in(self) -> str:
        """Come in by a one-time link."""
        ground = self._scene.ground
        link = await team.add(ground, actor=COMMAND, email=seed_site.OWNER_EMAIL, role=Role.OWNER)
        page = await self._browser.open(link)
        await self._browser.send(page.form("/staff/signin/"))
        inside = await self._browser.open("/staff/members")
        expect("/staff/signin" not in inside.url, "the link did not let anybody in")
        return "by a link that works once"

    async def approve(self, organisation: str) -> str:
        """Read the application and take the organisation in."""
        listed = await self._browser.open("/staff/members?state=applied")
        found = re.search(rf'href="(/staff/members/\d+)"[^>]*>\s*{organisation}', listed.text)
        if found is None:
            raise StoryError(f"{organisation} is not among the applications")
        page = await self._browser.open(found[1])
        await self._browser.send(page.form("/approve"))
        return organisation

    async def compose(self) -> str:
        """Begin with the news, and write a letter and a call to action, in two languages."""
        page = await self._browser.open("/staff/bulletins/new")
        since = (self._scene.clock.now() - timedelta(days=20)).date().isoformat()
        page = await self._browser.send(
            page.form("/staff/bulletins/new"),
            name="The story's bulletin",
            issue="secure-communities",
            template="bulletin",
            start="since",
            since=since,
        )
        page = await self._browser.send(page.form("/head"), **_HEAD)
        self._bulletin = urlsplit(page.url).path
        letter = re.search(rf'href="({self._bulletin}/blocks/[0-9a-f]+)"', page.text)
        if letter is None:
            raise StoryError("the new bulletin has no block to write in")
        page = await self._browser.open(letter[1])
        await self._browser.send(page.form("/blocks/"), **_LETTER)
        page = await self._browser.open(f"{self._bulletin}/blocks/new?kind=action")
        await self._browser.send(page.form("/blocks/new"), **ACTION)
        return f"“{SUBJECTS['en']}” and “{SUBJECTS['es']}”"

    async def test(self) -> str:
        """See both editions in a mail of one's own before anybody else does."""
        page = await self._browser.open(self._bulletin)
        await self._browser.send(page.form("/test"))
        subjects = [await self._own_mail(words) for words in ("what happened", "lo que pasó")]
        return " and ".join(f"“{subject}”" for subject in subjects)

    async def make_campaign(self) -> str:
        """Choose who gets it, and let it be approved."""
        bulletin = self._bulletin.rpartition("/")[2]
        page = await self._browser.open(f"/staff/campaigns/new?bulletin={bulletin}")
        page = await self._browser.send(
            page.form("/staff/campaigns/new"), name="The story", topics=["secure-communities"]
        )
        self._campaign = int(urlsplit(page.url).path.rpartition("/")[2])
        for step in ("/request-review", "/approve"):
            page = await self._browser.send(page.form(step))
        # Where counting takes long the page comes without, and asks by itself for what is whole.
        page = await self._browser.open(f"/staff/campaigns/{self._campaign}?whole=1")
        counted = re.search(r"Send to ([\d,]+) people", page.text)
        if counted is None:
            raise StoryError("the page of the approved campaign does not say to how many it goes")
        return f"{counted[1]} people"

    async def schedule(self) -> str:
        """Let it start by itself an hour from now."""
        site = self._scene.ground.settings.site
        at = (self._scene.clock.now() + timedelta(hours=1)).astimezone(site.tzinfo)
        local = at.strftime("%Y-%m-%dT%H:%M")
        here = f"/staff/campaigns/{self._campaign}"
        page = await self._browser.open(f"{here}/schedule")
        page = await self._browser.send(page.form(f"{here}/schedule"), at=local, zone=site.zone)
        expect(urlsplit(page.url).path == here, "the schedule was not taken")
        return f"{local} {site.zone}"

    async def wait_until_sent(self) -> str:
        """An hour passes at once; the scheduler starts the campaign, the worker sends it."""
        self._scene.clock.skip(timedelta(hours=1, minutes=1))
        report = await self._report_where("state", "sent")
        return f"{report['sent']} mails, {report['failed']} refused"

    async def see_readers(self) -> str:
        """The report counts one person who opened and clicked."""
        report = await self.report()
        for kind in ("opens", "clicks"):
            expect(report[kind]["human"] == 1, f"{kind} are {report[kind]}")
            expect(report[kind]["people"] == 1, f"{kind} are {report[kind]}")
        return f"opens {report['opens']}, clicks {report['clicks']}"

    async def see_bounce(self) -> str:
        """The mail that came back is in the report."""
        report = await self._report_where("bounced", {"hard": 1, "soft": 0, "block": 0})
        return f"bounced {report['bounced']}"

    async def see_sums(self) -> str:
        """The counts add up to the audience, and the one who left is counted."""
        report = await self.report()
        parts = ("queued", "sent", "deferred", "failed", "uncertain", "cancelled")
        total = sum(report[name] for name in parts)
        expect(report["audience"] == total, f"{report['audience']} is not {total}")
        expect(report["unsubscribed"] == 1, f"unsubscribed are {report['unsubscribed']}")
        return f"{report['audience']} = " + " + ".join(f"{report[n]} {n}" for n in parts)

    async def report(self) -> dict[str, Any]:
        """The campaign's report, as the command line and the API give it."""
        found = await reports.report(self._scene.ground, campaign_id=self._campaign)
        return found.as_dict()

    async def _own_mail(self, words: str) -> str:
        """The subject of the mail to the office that holds some words, once it has come."""
        mailbox = self._scene.catcher.mailbox
        owner = seed_site.OWNER_EMAIL
        mail = await until(lambda: mailbox.latest(owner, having=words), f"a mail for {owner}")
        return mail.subject

    async def _report_where(self, name: str, value: object) -> dict[str, Any]:
        """The report as soon as it says so. Raises `StoryError` when it does not within a time."""
        report = await self.report()
        for _ in range(_LOOKS):
            if report[name] == value:
                return report
            await asyncio.sleep(_LOOK_EVERY_S)
            report = await self.report()
        raise StoryError(f"{name} is {report[name]}, not {value}")
