"""A supporter's and an organisation's part of the story, as they live it: pages and mails."""

import re
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import col

from handbill.demo.browser import Browser
from handbill.demo.checking import StoryError, expect, link_in, until
from handbill.demo.mailbox import Mail
from handbill.demo.scene import Scene
from subscribers.models import Subscriber, Subscription, SubscriptionState, Topic

TOPIC = "secure-communities"


class Supporter:
    """Somebody with an address and a browser."""

    def __init__(self, scene: Scene, *, email: str, first_name: str, language: str) -> None:
        self._scene = scene
        self._browser = Browser(scene.ground.settings.site.url, language=language)
        self.email = email
        self.first_name = first_name
        self.language = language

    async def close(self) -> None:
        """Close the browser."""
        await self._browser.close()

    async def find_issue(self) -> str:
        """Read the issue's page; the door to the bulletin is on it."""
        page = await self._browser.open("/issues/secure-communities")
        expect(f'lang="{self.language}"' in page.text, "the page is in another language")
        expect("/subscribe" in page.text, "the page has no door to the bulletin")
        expect("/join" in page.text, "the page has no door to the coalition")
        return _title(page.text)

    async def sign_up(self) -> str:
        """Fill in the form as a person would, in a minute."""
        page = await self._browser.open("/subscribe?source=issue-page")
        self._scene.clock.skip(timedelta(minutes=1))
        await self._browser.send(
            page.form("/subscribe"),
            email=self.email,
            first_name=self.first_name,
            lang=self.language,
            topic=[TOPIC],
        )
        return f"{self.email}, {await self._state()}"

    async def sign_up_at(self, partner_url: str) -> str:
        """Fill in the form on a partner's own page, on another origin."""
        page = await self._browser.open(partner_url)
        await self._browser.send(
            page.form("/subscribe/"), email=self.email, first_name=self.first_name
        )
        return f"{self.email}, {await self._state()}"

    async def look_at_link(self) -> str:
        """Open the mailed link without pressing anything; programs that check mail do this."""
        mail = await self._mail("/confirm/")
        url = link_in(mail, "/confirm/")
        await self._browser.head(url)
        await self._browser.open(url)
        state = await self._state()
        expect(state == SubscriptionState.PENDING, f"looking made it {state}")
        return f"“{mail.subject}”, still {state}"

    async def confirm(self) -> str:
        """Press the button behind the link; a mail of welcome comes."""
        page = await self._browser.open(link_in(await self._mail("/confirm/"), "/confirm/"))
        await self._browser.send(page.form())
        state = await self._state()
        expect(state == SubscriptionState.CONFIRMED, f"the button left it {state}")
        welcome = await self._mail("/preferences/")
        return f"{state}, then “{welcome.subject}”"

    async def allow_counting(self) -> str:
        """Agree on the preferences page to be counted by name."""
        url = link_in(await self._mail("/preferences/"), "/preferences/")
        page = await self._browser.open(url)
        await self._browser.send(page.form("/preferences/"), allows_tracking="1", action="save")
        return "by the link in the mail"

    async def get_bulletin(self, subject: str) -> str:
        """The bulletin has come, in this person's language, with all that the law and mail ask."""
        mail = await self._bulletin()
        expect(mail.subject == subject, f"the subject is “{mail.subject}”")
        missing = [
            name
            for name in ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Message-ID")
            if name not in mail.parsed
        ]
        expect(not missing, f"headers are missing: {', '.join(missing)}")
        expect(f'lang="{self.language}"' in mail.html, "the mail is in another language")
        address = self._scene.sample.coalition.site.postal_address
        expect(address in " ".join(mail.text.split()), "the postal address is not in it")
        return f"“{mail.subject}”"

    async def read(self, label: str, target: str) -> str:
        """Open the mail, then press its button, minutes after it came."""
        mail = await self._bulletin()
        self._scene.clock.skip(timedelta(minutes=4))
        await self._browser.fetch(_first(mail, r"(https?://[^\s\"'<>]+/o/[\w-]+\.gif)"))
        self._scene.clock.skip(timedelta(minutes=1))
        # Nothing else is followed: whoever follows every link is taken for a program.
        button = _first(mail, rf'<a\b[^>]*href="([^"]+)"[^>]*>\s*(?:<[^>]+>\s*)*{label}\s*<')
        leads_to = await self._browser.leads_to(button)
        expect(leads_to == target, f"the button leads to {leads_to or 'nothing'}")
        return f"“{label}” leads to {target}"

    async def leave(self) -> str:
        """Press the mail program's own button: one POST without cookies (RFC 8058)."""
        url = (await self._bulletin()).one_click_url
        async with Browser(self._scene.ground.settings.site.url) as program:
            page = await program.post(url, {"List-Unsubscribe": "One-Click"})
        expect(page.status == 200, f"it was answered by {page.status}")
        expect(page.url == url, "it was sent elsewhere")
        state = await self._state()
        expect(state == SubscriptionState.UNSUBSCRIBED, f"it left the subscription {state}")
        return f"{self.email} is {state}"

    async def _mail(self, path: str) -> Mail:
        mailbox = self._scene.catcher.mailbox
        return await until(
            lambda: mailbox.latest(self.email, having=path), f"a mail for {self.email}"
        )

    async def _bulletin(self) -> Mail:
        mails = self._scene.catcher.mailbox.newest(to=self.email)
        found = next((mail for mail in mails if mail.is_bulletin), None)
        if found is None:
            raise StoryError(f"{self.email} got no bulletin")
        return found

    async def _state(self) -> str:
        """How the subscription stands, as the database has it."""
        statement = (
            sa.select(col(Subscription.state))
            .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            .join(Topic, col(Topic.id) == col(Subscription.topic_id))
            .where(col(Subscriber.email) == self.email, col(Topic.slug) == TOPIC)
        )
        async with self._scene.ground.db.reading() as session:
            return str(await session.scalar(statement) or "unknown")


class Organisation:
    """An organisation that wants to join, by its contact person."""

    name = "Fall River Sewing Circle"
    _email = "ilda@sewingcircle.example"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._browser = Browser(scene.ground.settings.site.url)

    async def close(self) -> None:
        """Close the browser."""
        await self._browser.close()

    async def apply(self) -> str:
        """Fill in the application, and press the button behind the mailed link."""
        page = await self._browser.open("/join")
        self._scene.clock.skip(timedelta(minutes=2))
        await self._browser.send(
            page.form("/join"),
            name=self.name,
            website="https://sewingcircle.example",
            town="Fall River",
            languages="English, Portuguese",
            mission="We mend clothes and find work for those who can.",
            contact_name="Ilda Medeiros",
            contact_email=self._email,
            contact_role="Founder",
            agrees="1",
        )
        mailbox = self._scene.catcher.mailbox
        asked = await until(
            lambda: mailbox.latest(self._email, having="/join/confirm/"), "the mail to confirm"
        )
        page = await self._browser.open(link_in(asked, "/join/confirm/"))
        await self._browser.send(page.form())
        return self.name

    async def hear_back(self) -> str:
        """The coalition's answer comes by mail."""
        mailbox = self._scene.catcher.mailbox
        before = "/join/confirm/"
        answer = await until(
            lambda: next(
                (
                    mail
                    for mail in mailbox.newest(to=self._email)
                    if "welcome" in mail.text.lower() and before not in mail.text
                ),
                None,
            ),
            "the coalition's answer",
        )
        return f"“{answer.subject}”"


def _first(mail: Mail, pattern: str) -> str:
    found = re.search(pattern, mail.html)
    if found is None:
        raise StoryError(f"nothing in the mail is like {pattern}")
    return found[1]


def _title(html: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", html, re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", found[1]).strip() if found else ""
