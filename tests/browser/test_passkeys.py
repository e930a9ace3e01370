"""Somebody of the office adds a passkey, and comes in with it alone and as the second step.

Chromium's virtual authenticator stands for the telephone (Chrome DevTools Protocol, WebAuthn).
"""

import dataclasses
import socket

import pytest
from playwright.async_api import Browser, expect
from yarl import URL

from foundation.accounts import passwords, second_step
from foundation.accounts.models import Role, Staff
from foundation.clock import SystemClock
from foundation.config import Settings
from foundation.web import middleware
from handbill import listening
from tests.world import browsers, grounds, people

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PASSWORD = "correct horse battery"
EMAIL = "owner@coalition.example"


async def test_a_passkey_lets_in_alone_and_after_a_password(
    settings: Settings, browser: Browser
) -> None:
    async with grounds.standing(settings, SystemClock()) as plain:
        person, secret = await people.staff(plain, Role.OWNER)
        async with plain.db.transaction() as session:
            there = await session.get_one(Staff, person.id)
            there.password_hash = await passwords.hash_password(PASSWORD)
        # Passkeys are bound to a name: the site's has to be that of the server.
        port = _free_port()
        site = settings.site.model_copy(update={"url": f"http://localhost:{port}"})
        ground = dataclasses.replace(plain, settings=settings.model_copy(update={"site": site}))
        async with listening.open_web(ground, host="127.0.0.1", port=port):
            context = await browser.new_context(base_url=site.url, locale="en-US")
            await context.add_cookies(
                [{"name": middleware.SESSION_COOKIE, "value": secret, "url": site.url}]
            )
            page = await context.new_page()
            devices = await context.new_cdp_session(page)
            await devices.send("WebAuthn.enable")
            device = {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
            await devices.send("WebAuthn.addVirtualAuthenticator", {"options": device})

            await page.goto("/staff/account")
            assert await browsers.violations(page) == []
            await page.get_by_label("Name of the new passkey").fill("my laptop")
            await page.get_by_role("button", name="Add a passkey").click()
            await expect(page.get_by_role("heading", name="Keep these codes")).to_be_visible()
            await page.get_by_role("link", name="I have kept them").click()
            await expect(page.get_by_text("my laptop", exact=True)).to_be_visible()
            assert (await second_step.state(ground, staff_id=person.id)).codes_left == 10

            await page.get_by_role("button", name="Sign out", exact=True).click()
            await page.get_by_role("button", name="Sign in with a passkey").click()
            await page.wait_for_url("**/staff")
            await page.get_by_role("button", name="Sign out", exact=True).click()

            await page.get_by_label("Your e-mail address").fill(EMAIL)
            await page.get_by_label("Password", exact=True).fill(PASSWORD)
            await page.get_by_role("button", name="Sign in", exact=True).click()
            await page.wait_for_url("**/staff/signin/second-step")
            assert await browsers.violations(page) == []
            await page.get_by_role("button", name="Use a passkey").click()
            await page.wait_for_url("**/staff")
            (passkey,) = (await second_step.state(ground, staff_id=person.id)).passkeys
            assert URL(page.url).path == "/staff"
            assert passkey.last_used_at is not None
            assert passkey.sign_count > 0
            await context.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
