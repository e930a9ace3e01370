"""What Amazon SNS points to is fetched within limits, and nothing is followed."""

import pytest

from delivery.hooks import fetching
from foundation import errors
from tests.world import amazon


async def test_only_a_short_answer_of_200_is_taken_and_redirects_are_not_followed() -> None:
    async with amazon.serving() as served:
        served.pages |= {"/ok": b"x" * 100_000, "/long": b"x" * 100_001, "/end": b"secret"}
        served.leads["/away"] = "/end"
        assert await fetching.fetch(served.url("/ok")) == served.pages["/ok"]
        for path in ("/long", "/missing", "/away"):
            with pytest.raises(errors.Busy):
                await fetching.fetch(served.url(path))
        assert served.paths == ["/ok", "/long", "/missing", "/away"]
        gone = served.url("/ok")
    with pytest.raises(errors.Busy):
        await fetching.fetch(gone)
