"""`python -m bench` measures everything, prints the table and writes `bench/results.json`."""

import argparse
import asyncio
import json
import platform
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench import far, pages, sending, signing, snapshot, splicing
from bench.measure import Result, table
from foundation import logs
from handbill import serving

RESULTS = Path(__file__).parent / "results.json"
PARTS: dict[str, Callable[[int], Awaitable[Result]]] = {
    "sending": lambda times: sending.run(people=20_000, times=times),
    "signing": lambda times: signing.run(people=5_000, times=times),
    "far": lambda times: far.run(people=1_000, times=times),
    "snapshot": lambda times: snapshot.run(people=100_000, times=times),
    "splicing": lambda times: splicing.run(messages=5_000, times=times),
    "pages": lambda times: pages.run(requests=2_000, times=times),
}


def main() -> None:
    """Measure the parts asked for, in their order."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--times", type=int, default=5, help="how often each is repeated")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose of {', '.join(PARTS)}")
    if chosen.times < 3:
        parser.error("a median needs three times at least")
    logs.configure(level="error")
    serving.spare_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = [runner.run(_measured(name, chosen.times)) for name in chosen.parts or PARTS]
    print(table(results))
    written = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "results": [each.as_dict() for each in results],
    }
    RESULTS.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


async def _measured(name: str, times: int) -> Result:
    return await PARTS[name](times)


if __name__ == "__main__":
    main()
