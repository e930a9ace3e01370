"""`python -m bench fuzz-bounces` damages messages at random and has each read, for a minute.

It is no measurement: it ends with an error at the first message that raises, takes long, or is read
as something that makes no sense, and leaves that message in a file. Every run is another one; the
seed that it prints makes it the same again: `HANDBILL_FUZZ_SEED=…`, and `HANDBILL_FUZZ_S` says how
many seconds.
"""

import os
import random
import secrets
import tempfile
import time
from pathlib import Path

from bench.measure import Figure
from delivery.bounces import classifier
from delivery.models import BounceKind

CORPUS = Path(__file__).parents[1] / "tests/delivery/bounces/corpus"
_TOO_LONG_S = 5.0


async def run() -> list[Figure]:
    """Read damaged messages, and say how long the slowest took."""
    seed = int(os.environ.get("HANDBILL_FUZZ_SEED", secrets.randbelow(1_000_000)))
    seconds = float(os.environ.get("HANDBILL_FUZZ_S", "60"))
    chance = random.Random(seed)  # noqa: S311 - to be the same again
    corpus = [path.read_bytes() for path in sorted(CORPUS.glob("*/*.eml"))]
    print(f"fuzz-bounces: seed {seed}, {len(corpus)} messages, {seconds:.0f} s")
    count, slowest, end = 0, 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        octets = damaged(chance, corpus)
        began = time.process_time()
        try:
            check(octets)
        except Exception as problem:
            raise RuntimeError(f"{_kept(octets)}: message {count} of seed {seed}") from problem
        slowest = max(slowest, time.process_time() - began)
        if slowest > _TOO_LONG_S:
            raise RuntimeError(f"{_kept(octets)} took {slowest:.1f} s")
        count += 1
    print(f"fuzz-bounces: {count} messages were read")
    limit = _TOO_LONG_S * 1000
    return [
        Figure(name="fuzz-bounces, slowest of all", value=slowest * 1000, unit="ms", limit=limit)
    ]


def damaged(chance: random.Random, corpus: list[bytes]) -> bytes:
    """A message with octets changed, cut out, doubled, or taken from another."""
    octets = bytearray(chance.choice(corpus))
    for _ in range(chance.choice((1, 2, 5, 30))):
        at, size = chance.randrange(len(octets) + 1), chance.choice((1, 2, 8, 60, 800))
        match chance.randrange(5):
            case 0:
                octets[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del octets[at : at + size]
            case 2:
                octets[at:at] = octets[at : at + size] * chance.choice((1, 2, 50))
            case 3:
                other = chance.choice(corpus)
                begin = chance.randrange(len(other) + 1)
                octets[at:at] = other[begin : begin + size]
            case _:
                octets[at : at + size] = chance.randbytes(chance.choice((1, 4, 40)))
    return bytes(octets)


def check(octets: bytes) -> None:
    """Read a message; raises if what is said of it makes no sense."""
    found = classifier.classify(octets)
    passes = (BounceKind.NONE, BounceKind.DELAYED)
    for each in found.recipients:
        fails = each.kind not in (*passes, BounceKind.COMPLAINT)
        if "@" not in each.address or bool(each.reason) != fails:
            raise ValueError(f"{each} makes no sense")


def _kept(octets: bytes) -> Path:
    with tempfile.NamedTemporaryFile(prefix="fuzz-", suffix=".eml", delete=False) as file:
        file.write(octets)
    return Path(file.name)
