"""`python -m bench` measures everything, prints the table and writes `bench/results.json`."""

import argparse
import asyncio
import json
import platform
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench import (
    clicks,
    counts,
    far,
    fuzz_bounces,
    kept,
    pages,
    postgres,
    preview,
    rooms,
    secured,
    sending,
    service,
    signing,
    signups,
    snapshot,
    splicing,
    widget,
)
from bench.measure import Figure, Result, table
from foundation import logs
from handbill import serving

RESULTS = Path(__file__).parent / "results.json"
Part = Callable[[int], Awaitable[Result | Sequence[Result | Figure]]]
PARTS: dict[str, Part] = {
    "sending": lambda times: sending.run(people=100_000, times=times),
    "demo": lambda times: sending.run_demo(people=30_000, times=times),
    "conditions": lambda times: sending.run_conditional(people=30_000, times=times),
    "signing": lambda times: signing.run(people=20_000, times=times),
    "secured": lambda times: secured.run(people=20_000, times=times),
    "far": lambda times: far.run(people=1_000, times=times),
    "postgres": lambda times: postgres.run(people=30_000, times=times),
    "answers": lambda _: service.answers(people=100_000),
    "memory": lambda _: service.memory(few=100_000, many=1_000_000),
    "snapshot": lambda times: snapshot.run(people=100_000, times=times),
    "splicing": lambda times: splicing.run(messages=5_000, times=times),
    "signups": lambda times: signups.run(signups=10_000, times=times),
    "clicks": lambda times: clicks.run(clicks=20_000, times=times),
    "pages": lambda times: pages.run(requests=2_000, times=times),
    "widget": lambda times: widget.run(requests=3_000, times=times),
    "preview": lambda _: preview.run(words=20),
}
OF_A_MILLION = {"rooms": rooms.run, "counts": counts.run}
"""The staff room of a million people: its pages, and audiences that are counted beside them."""
_ENGINES = {engine.lower(): engine for engine in kept.ENGINES}
ON_REQUEST: dict[str, Part] = {
    "fuzz-bounces": lambda _: fuzz_bounces.run(),
    "snapshot-million": lambda times: snapshot.run(people=1_000_000, times=times),
}
"""Only when asked for by name."""


def main() -> None:
    """Measure the parts asked for, in their order."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    on_one = [f"{name}-{engine}" for name in OF_A_MILLION for engine in _ENGINES]
    known = [*PARTS, *OF_A_MILLION, *on_one, *ON_REQUEST]
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(known))
    parser.add_argument(
        "--sites",
        type=Path,
        metavar="FOLDER",
        help="keep the sites of `rooms` and `counts` there, or use those that are kept there",
    )
    parser.add_argument("--times", type=int, default=3, help="how often each is repeated")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(known):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose of {', '.join(known)}")
    if chosen.times < 3:
        parser.error("a median needs three times at least")
    logs.configure(level="error")
    serving.spare_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = [
            each
            for name in chosen.parts or (*PARTS, *OF_A_MILLION)
            for each in runner.run(_measured(name, chosen))
        ]
    print(table(results))
    written = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "results": [each.as_dict() for each in results],
    }
    RESULTS.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


async def _measured(name: str, chosen: argparse.Namespace) -> Sequence[Result | Figure]:
    part, _, engine = name.partition("-")
    if part in OF_A_MILLION:
        engines = [_ENGINES[engine]] if engine else kept.ENGINES
        sizes = {"people": 1_000_000, "campaigns": 500}
        return await OF_A_MILLION[part](engines, **sizes, folder=chosen.sites)
    found = await {**PARTS, **ON_REQUEST}[name](chosen.times)
    return [found] if isinstance(found, Result) else found


if __name__ == "__main__":
    main()
