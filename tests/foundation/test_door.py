"""What is handed out before the application is asked: the same as it would say, to whoever asks."""

import asyncio

import pytest

from foundation.web import ready
from tests.world.web import Web

SCRIPT = "/widget.js"


async def spoken(web: Web, request: str) -> tuple[str, bytes]:
    """What the server says to these lines until it hangs up: head and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(web.base.rpartition(":")[2]))
    writer.write(request.replace("\n", "\r\n").encode())
    head, _, body = (await asyncio.wait_for(reader.read(), 60)).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head.decode(), body


async def test_what_is_handed_out_at_the_door_says_what_the_handler_says(web: Web) -> None:
    plain = {"Accept-Encoding": "identity"}
    made = await web.get(SCRIPT, headers=plain)  # not in memory yet
    kept = await web.get(SCRIPT, headers=plain)
    of_server = ("Date", "Server")
    assert "Server" in made.headers
    assert "Server" not in kept.headers, "not by the door"
    assert (kept.status, kept.body) == (made.status, made.body)
    assert "Date" in kept.headers
    told = [{n: v for n, v in each.headers.items() if n not in of_server} for each in (made, kept)]
    assert told[0] == told[1]
    head = await web.request("HEAD", SCRIPT, headers=plain)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["ETag"] == kept.headers["ETag"]


@pytest.mark.parametrize("line", ["HTTP/1.0\n", "HTTP/1.1\nConnection: close\n"])
async def test_who_wants_the_connection_closed_gets_all_of_it_and_then_that(
    web: Web, line: str
) -> None:
    script = await web.get(SCRIPT)
    head, body = await spoken(web, f"GET {SCRIPT} {line}Host: localhost\n\n")
    assert head.split()[1] == "200"
    assert f"Content-Length: {len(script.body)}" in head
    assert body == script.body


async def test_many_requests_in_one_piece_are_answered_one_after_the_other(web: Web) -> None:
    script = await web.get(SCRIPT)
    each = f"GET {SCRIPT} HTTP/1.1\nHost: localhost\n"
    head, rest = await spoken(web, f"{each}\n{each}Connection: close\n\n")
    assert head.split()[1] == "200"
    first, rest = rest[: len(script.body)], rest[len(script.body) :]
    assert first == script.body
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")
    assert rest.endswith(b"\r\n\r\n" + script.body)


def test_no_header_of_an_answer_brings_another_along() -> None:
    for value in ("a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\0b"):
        with pytest.raises(ValueError, match="line break"):
            ready.lines({"Location": value})
