"""The API: tokens and scopes, problem details, paging, idempotency, and a true description."""

import io
from typing import Any

import pytest

from foundation.accounts import api_tokens
from foundation.audit import COMMAND
from foundation.ground import Ground
from handbill import api
from tests.world import people
from tests.world.smtp import Catcher
from tests.world.web import Answer, Web


async def bearer(ground: Ground, *scopes: str) -> dict[str, str]:
    """Headers of a program with these scopes (none: all)."""
    secret = await api_tokens.create(
        ground, actor=COMMAND, name="test", scopes=api_tokens.scopes_from(scopes)
    )
    return {"Authorization": f"Bearer {secret}"}


def problem(answer: Answer, status: int) -> Any:
    """The problem details of an answer."""
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    found = answer.json()
    assert found["status"] == status
    assert found["detail"]
    return found


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer hb_wrong", "Basic eDp5"])
async def test_without_a_valid_token_nothing_is_shown(web: Web, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    problem(await web.get("/api/v1/subscribers", headers=headers), 401)


async def test_a_token_does_only_what_its_scopes_say(web: Web) -> None:
    reader = await bearer(web.ground, "read")
    assert (await web.get("/api/v1/topics", headers=reader)).status == 200
    said = problem(
        await web.post("/api/v1/suppressions", json={"email": "a@example.org"}, headers=reader), 403
    )
    assert "subscribers" in said["detail"]


async def test_a_list_comes_in_pages_and_misses_nobody(web: Web) -> None:
    for number in range(7):
        await people.subscribed(web.ground, f"p{number}@example.org")
    headers = await bearer(web.ground)
    found: list[str] = []
    url = "/api/v1/subscribers?limit=3"
    while True:
        page = (await web.get(url, headers=headers)).json()
        found += [each["email"] for each in page["items"]]
        if not page["next"]:
            break
        url = f"/api/v1/subscribers?limit=3&after={page['next']}"
    assert found == [f"p{number}@example.org" for number in reversed(range(7))]


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "limit=100000", "after=zzz"])
async def test_a_wrong_page_is_said(web: Web, query: str) -> None:
    headers = await bearer(web.ground)
    problem(await web.get(f"/api/v1/subscribers?{query}", headers=headers), 422)


async def test_a_sign_up_by_a_program_is_confirmed_by_the_person(web: Web, smtp: Catcher) -> None:
    await people.topic(web.ground)
    headers = await bearer(web.ground)
    answer = await web.post(
        "/api/v1/subscribers",
        json={"email": "ana@example.org", "topics": ["secure-communities"], "language": "es"},
        headers=headers,
    )
    assert (answer.status, answer.json()) == (202, {"state": "accepted"})
    [found] = (await web.get("/api/v1/subscribers?q=ana", headers=headers)).json()["items"]
    assert found["standing"] == "pending"
    assert smtp.messages == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "a@example.org\r\nBcc: b@example.org"}, "email"),
        ({"email": "a@example.org", "first_name": "x" * 300}, "first_name"),
        ({"email": "a@example.org", "status": "confirmed"}, "status"),
        ({}, "email"),
    ],
)
async def test_each_wrong_field_is_named(web: Web, body: dict[str, str], field: str) -> None:
    await people.topic(web.ground)
    headers = await bearer(web.ground)
    said = problem(await web.post("/api/v1/subscribers", json=body, headers=headers), 422)
    assert field in [each["field"] for each in said["errors"]]


@pytest.mark.parametrize("sent", [b"", b"[]", b"{", b'{"email": "\xff"}', b"null", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_said(web: Web, sent: bytes) -> None:
    headers = {**await bearer(web.ground), "Content-Type": "application/json"}
    problem(await web.request("POST", "/api/v1/topics", data=sent, headers=headers), 422)


async def test_a_body_over_the_limit_is_refused(web: Web) -> None:
    headers = {**await bearer(web.ground), "Content-Type": "application/json"}
    body = io.BytesIO(b"{" + b"x" * 10_000_000)
    problem(await web.request("POST", "/api/v1/topics", data=body, headers=headers), 413)


async def test_a_repeat_with_the_same_key_acts_once(web: Web) -> None:
    headers = {**await bearer(web.ground), "Idempotency-Key": "k-1"}
    body = {"name": "Vecinos", "key": "vecinos"}
    first = await web.post("/api/v1/partners", json=body, headers=headers)
    again = await web.post("/api/v1/partners", json=body, headers=headers)
    assert first.status == 201, first.text
    assert (again.status, again.body) == (first.status, first.body)
    listed = await web.get("/api/v1/partners", headers=headers)
    assert len(listed.json()["items"]) == 1
    other = await web.post("/api/v1/partners", json={**body, "key": "x"}, headers=headers)
    problem(other, 422)


async def test_a_key_is_free_again_after_a_mistake(web: Web) -> None:
    headers = {**await bearer(web.ground), "Idempotency-Key": "k-2"}
    wrong = await web.post("/api/v1/partners", json={"name": "", "key": "a b"}, headers=headers)
    assert wrong.status == 422
    right = {"name": "Vecinos", "key": "vecinos"}
    assert (await web.post("/api/v1/partners", json=right, headers=headers)).status == 201


async def test_what_is_not_there_is_said_as_a_problem(web: Web) -> None:
    headers = await bearer(web.ground)
    problem(await web.get("/api/v1/subscribers/999", headers=headers), 404)
    problem(await web.get("/api/v1/nothing", headers=headers), 404)
    problem(await web.request("PUT", "/api/v1/topics", headers=headers), 405)


async def test_the_description_names_every_endpoint(web: Web) -> None:
    document = (await web.get("/api/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert described == {(each.method, f"/api/v1{each.path}") for each in api.endpoints()}
    for name in ("subscribers", "topics", "forms", "partners", "members", "suppressions"):
        assert f"/api/v1/{name}" in document["paths"]


def test_every_reference_of_the_description_leads_somewhere() -> None:
    document = api.describe("http://handbill.test")
    schemas = set(document["components"]["schemas"])

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for each in value.values() for found in references(each)]
        if isinstance(value, list):
            return [found for each in value for found in references(each)]
        return []

    used = {each.rpartition("/")[2] for each in references(document)}
    assert used
    assert used <= schemas
    names = [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]
    assert len(names) == len(set(names))
