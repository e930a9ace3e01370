"""Every form and every address of the API gets bodies that are not what was asked for.

The answers keep to what `probing.check` says; nothing that is refused leaves a row or a mail.
"""

import gc
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import html5lib
import pytest
import sqlalchemy as sa
from aiohttp import FormData
from yarl import URL

from foundation.accounts.models import Staff
from foundation.ground import Ground
from foundation.web import security
from tests.campaigns import newsroom
from tests.world import estate, probing
from tests.world.estate import Estate
from tests.world.smtp import Catcher
from tests.world.web import Answer, Web


def bodies() -> dict[str, dict[str, Any]]:
    """What is sent in place of a form or of probing.JSON."""
    deep = b'{"a":' * 30_000 + b"1" + b"}" * 30_000
    kind = "Content-Type"
    form = probing.FORM
    return {
        "nothing": {},
        "no type": {"data": b"a=b", "headers": {kind: ""}},
        "a type of its own": {"data": b"\x00\x01", "headers": {kind: "application/;; charset"}},
        "text": {"data": b"name=x", "headers": {kind: "text/plain"}},
        "XML": {"data": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "headers": {kind: "text/xml"}},
        "an unknown charset": {"data": b"name=x", "headers": {kind: f"{form}; charset=nope"}},
        "bytes that are no UTF-8": {"data": b"name=%FF%FE&email=%C3%28", "headers": {kind: form}},
        "raw bytes": {"data": b"name=\xff\xfe&\x80=1", "headers": {kind: form}},
        "NULs": {"data": b"name=%00&email=a%00@example.org&topic=%00", "headers": {kind: form}},
        "repeats": {"data": b"email=a&name=b&topic=c&version=1&" * 900, "headers": {kind: form}},
        "fields without end": {"data": b"a=1&" * 20_000, "headers": {kind: form}},
        "deep probing.JSON": {"data": deep, "headers": {kind: "application/json"}},
        "a JSON list": {"data": b"[]", "headers": {kind: "application/json"}},
        "half of probing.JSON": {
            "data": b'{"email": "\\ud800',
            "headers": {kind: "application/json"},
        },
        "JSON of wrong types": {
            "data": b'{"email": {"$gt": 1}, "topics": 7, "name": [1e999, null], "id": 1e400}',
            "headers": {kind: "application/json"},
        },
        "a lone surrogate": {
            "data": b'{"email": "a\\ud800@example.org", "topics": ["\\udfff"]}',
            "headers": {kind: "application/json"},
        },
        "multipart without parts": {"data": b"--", "headers": {kind: "multipart/form-data"}},
        "a broken part": {
            "data": b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--b--',
            "headers": {kind: "multipart/form-data; boundary=b"},
        },
        "a part cut off": {
            "data": b'--b\r\nContent-Disposition: form-data; name="file"; filename="../x"\r\n'
            b"\r\nab",
            "headers": {kind: "multipart/form-data; boundary=b"},
        },
        "a part in a strange code": {
            "data": b'--b\r\nContent-Disposition: form-data; name="a"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--b--\r\n",
            "headers": {kind: "multipart/form-data; boundary=b"},
        },
        "squeezed rubbish": {
            "data": b"not gzip",
            "headers": {kind: form, "Content-Encoding": "gzip"},
        },
    }


# aiohttp leaves the file of a part that is cut off for the garbage collector to close.
@pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")
async def test_any_body_that_is_not_what_was_asked_for_is_refused_clearly(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port
    async with probing.opened(ground, web) as (house, owner):
        for more in bodies().values():
            acts = []
            for address in probing.methods(house.addresses, "POST", "PUT", "PATCH"):
                path = house.real(address)
                browser = owner if path.startswith("/staff") else web
                headers = probing.with_token(house, path, **more.get("headers", {}))
                if browser is owner:
                    headers[security.CSRF_HEADER] = owner.csrf
                sent = {**more, "headers": headers}
                acts.append(probing.probe(browser, address.method, f"{path}?lang=es", **sent))
            await probing.together(acts)
    gc.collect()


async def test_eleven_megabytes_are_too_much_everywhere_and_change_nothing(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port
    huge = b"name=" + b"x" * 11_000_000
    async with probing.opened(ground, web) as (house, owner):
        before = await estate.rows(ground, without=probing.CHANGED_BY_LOOKING)
        for address in probing.methods(house.addresses, "POST", "PUT", "PATCH", "DELETE"):
            path = house.real(address)
            browser = owner if path.startswith("/staff") else web
            kind = probing.JSON if path.startswith("/api/") else probing.FORM
            answer = await probing.probe(
                browser,
                address.method,
                f"{path}?lang=es",
                data=io.BytesIO(huge),
                headers=probing.with_token(house, path, **{"Content-Type": kind}),
            )
            assert answer.status == 413, f"{path}: {answer.status}"
            assert re.search(r"\b(1|10) MB", answer.text), path
        assert await estate.rows(ground, without=probing.CHANGED_BY_LOOKING) == before


async def test_a_body_that_does_not_say_how_long_it_is_is_cut_off_at_the_limit(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port

    async def pieces(megabytes: int) -> AsyncIterator[bytes]:
        for _ in range(megabytes * 10):
            yield b"x" * 100_000

    async with probing.opened(ground, web) as (house, owner):
        before = await estate.rows(ground, without=probing.CHANGED_BY_LOOKING)
        for path in ("/subscribe", "/join", "/api/public/signups", "/api/v1/topics"):
            kind = probing.JSON if path.startswith("/api/") else probing.FORM
            headers = probing.with_token(house, path, **{"Content-Type": kind})
            answer = await probing.probe(web, "POST", path, data=pieces(2), headers=headers)
            assert answer.status == 413, path
        for path, megabytes in (("/staff/account", 2), ("/staff/issues/1/materials/1/copy", 12)):
            headers = {security.CSRF_HEADER: owner.csrf, "Content-Type": probing.FORM}
            answer = await probing.probe(
                owner, "POST", path, data=pieces(megabytes), headers=headers
            )
            assert answer.status == 413, path
        assert await estate.rows(ground, without=probing.CHANGED_BY_LOOKING) == before


NO_ADDRESSES = (
    "",
    "ana",
    "@example.org",
    "ana@",
    "ana@example..org",
    "ana@@example.org",
    "ana @example.org",
    "ana@exam ple.org",
    "ana@example.org\r\nBcc: b@example.org",
    "ana@example.org, b@example.org",
    "<ana@example.org>",
    "a" * 65 + "@example.org",
    "ana@" + "a" * 250 + ".org",
    "ana@[127.0.0.1]",
    "ana@-example.org",
    "ana\u202e@example.org",
)


def sign_ups(email: str, topic: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Every way to bring an address and a topic in: who asks, where, and with what."""
    form = {"email": email, "topic": topic}
    organization = {
        "name": "River Valley Tenants",
        "website": "https://tenants.example",
        "town": "Lowell",
        "languages": "English",
        "mission": "We help tenants.",
        "contact_name": "Ana",
        "contact_email": email,
        "contact_role": "Director",
        "agrees": "1",
    }
    return [
        ("", "/subscribe", {"data": form}),
        ("", "/api/public/signups", {"json": {"email": email, "topics": [topic]}}),
        ("token", "/api/v1/subscribers", {"json": {"email": email, "topics": [topic]}}),
        *([("", "/join", {"data": organization})] if topic == "secure-communities" else []),
    ]


async def refused(house: Estate, web: Web, email: str, topic: str) -> None:
    """Each way in says what is wrong."""
    for who, path, more in sign_ups(email, topic):
        headers = probing.with_token(house, path) if who else {}
        answer = await probing.probe(web, "POST", f"{path}?lang=es", headers=headers, **more)
        assert answer.status == 422, f"{path} {email!r} {topic!r}: {answer.status}"


@pytest.mark.settings(signup={"submissions_per_network_per_hour": 1000})
async def test_what_is_no_address_comes_in_by_no_door(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    async with probing.opened(ground, web) as (house, _):
        delivered = len(smtp.messages)
        before = await estate.rows(ground, without=probing.CHANGED_BY_LOOKING)
        for email in NO_ADDRESSES:
            await refused(house, web, email, "secure-communities")
        assert await estate.rows(ground, without=probing.CHANGED_BY_LOOKING) == before
        assert len(smtp.messages) == delivered


async def test_topics_that_are_not_there_come_in_by_no_door(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port
    async with probing.opened(ground, web) as (house, owner):
        before = await estate.rows(ground, without=probing.CHANGED_BY_LOOKING)
        for topic in ("nowhere", "SECURE", "1", "x" * 300, "secure-communities'--"):
            await refused(house, web, "somebody@example.org", topic)
            campaign = {"bulletin": "1", "name": "x", "topics": topic}
            answer = await probing.probe(
                owner,
                "POST",
                "/staff/campaigns/new",
                data=campaign,
                headers={security.CSRF_HEADER: owner.csrf},
            )
            assert answer.status == 422
            token = estate.token(ground, "/preferences/{token}")
            wishes = {"action": "save", "topics": topic, "topic": topic, "language": "es"}
            await probing.probe(web, "POST", f"/preferences/{token}", data=wishes)
        kept = await estate.rows(ground, without=probing.CHANGED_BY_LOOKING)
        assert kept["campaigns"] == before["campaigns"]
        assert kept["topics"] == before["topics"]
        assert len(kept["subscriptions"]) == len(before["subscriptions"])


def with_file(content: bytes, name: str, **fields: str) -> FormData:
    """A form with a file."""
    data = FormData(fields)
    data.add_field(
        "file", io.BytesIO(content), filename=name, content_type="application/octet-stream"
    )
    return data


async def test_handouts_and_pictures_may_be_larger_than_forms(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port
    async with probing.opened(ground, web) as (_, owner):
        copy = "/staff/issues/1/materials/1/copy"
        handout = newsroom.PDF + b"0" * 4_000_000
        for language in ("en", "es"):
            form = with_file(handout, "form.pdf", language=language)
            assert (
                await probing.probe(
                    owner, "POST", copy, data=form, headers={security.CSRF_HEADER: owner.csrf}
                )
            ).status == 303
        picture = newsroom.png(extra=newsroom.chunk(b"teXt", b"x" * 3_000_000))
        block = {
            "kind": "image",
            "version": "1",
            "after": "",
            "alt-en": "A table",
            "alt-es": "Una tabla",
        }
        form = with_file(picture, "large.png", **block)
        path = "/staff/bulletins/1/blocks/new"
        answer = await probing.probe(
            owner, "POST", path, data=form, headers={security.CSRF_HEADER: owner.csrf}
        )
        assert answer.status == 303
        kept = await estate.rows(ground)
        assert len(kept["material_files"]) == 2
        assert [row for row in kept["pictures"] if "large.png" in row]


async def test_a_file_over_the_limit_is_refused_in_the_language_of_whoever_sends_it(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port
    async with probing.opened(ground, web) as (_, owner):
        async with ground.db.transaction() as session:
            await session.execute(sa.update(Staff).values(language="es"))
        form = with_file(newsroom.PDF + b"0" * 11_000_000, "form.pdf", language="en")
        told = await probing.probe(
            owner,
            "POST",
            "/staff/issues/1/materials/1/copy",
            data=form,
            headers={security.CSRF_HEADER: owner.csrf},
        )
        assert told.status == 413
        assert "como mucho 10 MB. Vuelva atrás y elija uno más pequeño." in told.text


def forms_in(page: Answer) -> list[tuple[str, list[tuple[str, str]]]]:
    """The POST forms of a page: where each goes, and its fields with their values."""
    found = []
    # Read by themselves, as forms hold no forms: all around them would take most of the time.
    for text in re.findall(r"<form\b.*?</form>", page.text, re.DOTALL):
        (form,) = html5lib.parseFragment(text, namespaceHTMLElements=False).iter("form")
        if form.get("method", "get").lower() != "post":
            continue
        fields = []
        for field in form.iter():
            name = field.get("name")
            if field.tag not in ("input", "textarea", "select", "button") or not name:
                continue
            value = field.get("value", "")
            if field.tag == "textarea":
                value = "".join(field.itertext())
            elif field.tag == "select":
                value = next((each.get("value", "") for each in field.iter("option")), "")
            fields.append((name, value))
        found.append((form.get("action") or URL(page.url).path, fields))
    return found


async def test_a_line_break_in_any_field_of_any_form_reaches_no_table_and_no_mail(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    evil = f"x\r\nBcc: evil@example.org\r\n\r\n{probing.MARK}"
    async with probing.opened(ground, web) as (house, owner):
        delivered = len(smtp.messages)
        tried = 0
        seen = set()
        for address in probing.methods(house.addresses, "GET"):
            path = house.real(address)
            browser = owner if path.startswith("/staff") else web
            page = await browser.get(path)
            if "html" not in page.headers.get("Content-Type", ""):
                continue
            for action, fields in forms_in(page):
                form = (browser, action, *fields)
                if form in seen:
                    continue  # such as the box that finds anything, which is on every page
                seen.add(form)
                for wrong in sorted({name for name, _ in fields} - {security.CSRF_FIELD}):
                    sent = [(name, evil if name == wrong else value) for name, value in fields]
                    answer = await browser.post(URL(action).raw_path_qs, sent)
                    probing.check(answer, told=f"{action} {wrong}")
                    # Its letters may stand in a header, as in a word to be shown: on one line.
                    assert "Bcc" not in answer.headers, f"{action} {wrong}"
                    assert not re.search(r"[\r\n]", "".join(answer.headers.values())), action
                    tried += 1
        assert tried > 150
        for table, kept in (await estate.rows(ground)).items():
            assert "\r" not in "".join(str(value) for row in kept for value in row), table
        assert all(b"\nBcc:" not in mail.data for mail in smtp.messages[delivered:])


async def test_files_that_are_none_are_refused_wherever_files_are_taken(
    ground: Ground, web: Web, smtp: Catcher
) -> None:
    assert smtp.port
    async with probing.opened(ground, web) as (house, owner):
        for address in probing.methods(house.addresses, "POST"):
            path = house.real(address)
            if not path.startswith("/staff"):
                continue
            data = FormData()
            data.add_field("version", "1")
            for field in ("file", "picture", "file-en", "image", "csv"):
                data.add_field(
                    field, b"MZ\x00\xff", filename="../../a\u202e.exe", content_type="image/png"
                )
            await probing.probe(
                owner, "POST", path, data=data, headers={security.CSRF_HEADER: owner.csrf}
            )
