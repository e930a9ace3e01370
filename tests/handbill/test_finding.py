"""Finding anything in the staff room by a word."""

import pytest

from foundation.accounts.models import Role
from foundation.ground import Ground
from tests.world import campaigning, people
from tests.world.web import Web

PATH = "/staff/find"


@pytest.mark.storage
async def test_words_lead_to_rooms_and_to_what_is_in_them(web: Web, ground: Ground) -> None:
    made = await campaigning.approved(ground)
    ana = await people.subscribed(ground, "ana.lopez@example.org")
    staff = await web.as_staff(Role.VIEWER)
    page = await staff.get(PATH)
    assert 'href="/staff/campaigns"' in page.text
    assert "/staff/bulletins/new" not in page.text  # a viewer begins nothing
    found = await staff.post(PATH, {"q": "CÁMPAIGNS"})
    assert 'href="/staff/campaigns"' in found.text
    assert f"/staff/campaigns/{made.id}" not in found.text
    found = await staff.post(PATH, {"q": made.name.upper()})
    assert f'href="/staff/campaigns/{made.id}"' in found.text
    one = f"/staff/people/{ana.id}"
    assert one not in (await staff.post(PATH, {"q": "ana.lopez"})).text
    assert (
        f"/staff/people/{ana.id}" in (await staff.post(PATH, {"q": " Ana.Lopez@example.org "})).text
    )
    assert "Nothing of that name" in (await staff.post(PATH, {"q": "zzz"})).text


async def test_an_author_may_begin_what_a_stranger_never_sees(web: Web) -> None:
    author = await web.as_staff(Role.AUTHOR)
    assert 'href="/staff/bulletins/new"' in (await author.post(PATH, {"q": "new bul"})).text
    assert 'data-keys="n b"' in (await author.get("/staff/keys")).text
    assert (await web.get(PATH)).location.startswith("/staff/signin")
