"""An organisation applies, its contact confirms, the office takes it in, and the answer arrives."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit, signed_in
from tests.world import demo as demo_world
from tests.world.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]


@pytest.mark.parametrize("language", ["en", "es"])
async def test_an_organisation_joins(demo: Demo, visit: Visit, language: str) -> None:
    name, address = f"Harbor Choir {language}", f"choir.{language}@example.org"
    contact = await visit(language)
    await contact.go("/issues/secure-communities")
    await contact.follow("Join the coalition")
    await contact.fill("Name of the organization", name)
    await contact.fill("Website", "www.choir.example")
    await contact.fill("Town", "Lynn")
    await contact.fill("Languages you work in", "Spanish, English")
    await contact.fill("What your organization does", "We sing for our neighbors.")
    await contact.page.locator('input[name="contact_name"]').fill("Lidia Sosa")
    await contact.fill("E-mail address", address)
    await contact.take_their_time()
    await contact.press("Send the application")
    await expect(contact.page.locator("#agrees-error")).to_be_visible()
    await expect(contact.field("Town")).to_have_value("Lynn")
    await contact.page.locator('input[name="agrees"]').check()
    await contact.press("Send the application")
    await contact.reads("Look into your mail")

    mail = await demo.mail(address, having="/join/confirm/")
    await contact.go(demo_world.link_in(mail, "/join/confirm/"))
    await contact.press("Yes, this is me")
    await contact.reads("Thank you")

    office = await signed_in(demo, visit, f"office.choir.{language}@example.org", language)
    await office.go("/staff/members?state=applied")
    await office.follow(name)
    await expect(office.page.locator("p.lead")).to_have_text("We sing for our neighbors.")
    await office.page.locator('textarea[name="welcome"]').fill("We meet on Tuesdays.")
    await office.press("Approve and tell them")
    await office.go("/staff/members?state=approved")
    await expect(office.page.get_by_role("link", name=name)).to_be_visible()

    answer = await demo.mail(address, having="We meet on Tuesdays.")
    assert f'lang="{language}"' in demo_world.html_of(answer)
    assert name in str(answer["Subject"])
