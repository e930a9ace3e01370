"""Mails as a mail program shows them: bulletins that staff try out, and one of each small kind."""

from datetime import UTC, datetime

from handbill.demo import content
from templates import notices
from templates.content import Brand
from tests.world import demo as demo_world
from tools.screenshots.camera import LANGUAGES, Camera

MADE_UP = {
    "campaign": "November bulletin",
    "change": "A passkey was added: my laptop.",
    "event": "the spring fair in Lowell",
    "question": "Which towns do you work in, and since when?",
    "first_name": "Inés",
    "inviter": "Inés Quiroga",
    "minutes": "30",
    "name": "Walter",
    "organisation": "Harbor Choir",
    "series": "Neighbors’ fortnight",
    "feed": "Harbor Gazette",
    "note": "Could you read the Spanish side with care?",
    "who": "Walter",
    "open": "2",
    "until": "17:30",
    "subject": "What the council said",
    "people": "4,812",
    "sent": "4,790",
    "failed": "13",
    "cancelled": "9",
    "reason": "We meet on the first Tuesday of each month, and would be glad to see you there.",
    "topics": "Secure Communities",
}
"""What the small mails speak of."""


async def bulletins(camera: Camera) -> None:
    """What staff get when they try out each of the sample bulletins."""
    page = camera.page
    for number in (1, 2, 3):
        name = f"mail-bulletin-{number}"
        if not camera.only.search(name):
            continue
        await page.goto(camera.address(f"/staff/bulletins/{number}"))
        subject = await page.locator(f'.subjects dd[lang="{camera.language}"]').first.inner_text()
        await camera.press("Send a test to myself")
        mail = await camera.demo.mail(camera.demo.owner, having=f"[Test] {subject}")
        await camera.show(name, demo_world.html_of(mail))


async def other_bulletins(camera: Camera) -> None:
    """Two editions in one mail, and the first words of a correction."""
    page, both = camera.page, "%2B".join((camera.language, *set(LANGUAGES) - {camera.language}))
    await camera.open("mail-both-languages", f"/staff/bulletins/1/mail?language={both}")
    if camera.only.search("mail-correction"):
        await page.goto(camera.address("/staff/campaigns/1"))
        await camera.press("Write a correction")
        mail = f"{await camera.here()}/mail?language={camera.language}"
        await camera.open("mail-correction", mail)


async def small_mails(camera: Camera) -> None:
    """One mail of each kind that is no bulletin, with values made up."""
    site = content.load(datetime.now(UTC).date()).coalition.site
    brand = Brand(
        site_name=site.name, site_url=camera.demo.site, postal_address=site.postal_address
    )
    for kind in notices.Kind:
        values = {key: MADE_UP.get(key, f"{camera.demo.site}/") for key in notices.keys(kind)}
        mail = notices.render_notice(
            kind, translator=camera.translator, context=values, brand=brand
        )
        if camera.only.search(f"mail-{kind.value}"):
            await camera.show(f"mail-{kind.value}", mail.html)
