"""Letters are made several in a row; what is wrong with one is no matter of the others."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

from delivery import making, signing_keys
from delivery.dkim import Draft
from delivery.letter import Envelope, Kind, Lease, Letter
from tests.world.clock import FakeClock

BODY = b"Hello\r\n"


def test_one_that_can_be_neither_made_nor_signed_is_left_and_all_others_are_made(
    tmp_path: Path, clock: FakeClock
) -> None:
    _, (key, _) = signing_keys.create(tmp_path, "autumn")

    def letter(number: int, compose: Callable[[bool], Envelope]) -> Letter:
        lease = Lease.starting(clock.now(), seconds=60)
        return Letter(kind=Kind.DELIVERY, id=number, attempt=1, lease=lease, compose=compose)

    def signed_over(content: object) -> Callable[[bool], Envelope]:
        draft = Draft(key, "v=1; b=", cast(bytes, content))
        return lambda is_8bit: Envelope(
            "us@example.org", "ana@example.org", (BODY,), len(BODY), False, is_8bit, (draft,)
        )

    def broken(_is_8bit: bool) -> Envelope:
        raise ValueError

    ways = [signed_over(b"one"), broken, signed_over("no octets"), signed_over(b"four")]
    letters = [letter(number, compose) for number, compose in enumerate(ways, start=1)]
    making.make_in_a_row(letters, is_8bit=True)
    assert [each.id for each in letters if each.is_made] == [1, 4]
    for made, content in ((letters[0].envelope, b"one"), (letters[3].envelope, b"four")):
        header = Draft(key, "v=1; b=", content).header(key.sign(content))
        assert made.pieces == (header, BODY)
        assert (made.size, made.is_8bit) == (len(header) + len(BODY), True)
        assert not made.drafts
