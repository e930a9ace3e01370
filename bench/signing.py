"""Signed messages a second: beside the bare RSA operation, and beside our own unsigned ones."""

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench import house, workers
from bench import sink as sinks
from bench.measure import Result, compare
from bench.workers import Bulletins
from delivery import signing_keys

GOAL_RSA = 0.8
GOAL_ED25519 = 0.7


async def run(*, people: int, times: int) -> list[Result]:
    """Every message with one signature, by a key of either kind."""
    with tempfile.TemporaryDirectory() as name:
        made = signing_keys.create(Path(name) / "keys", "bench")
        (rsa_key, rsa_path), (other, other_path) = made
        private = rsa_key.private
        if not isinstance(private, rsa.RSAPrivateKey):
            raise TypeError("the first of the new keys is not RSA")

        def sign(share: range) -> None:
            for number in share:
                private.sign(b"%d" % number, padding.PKCS1v15(), hashes.SHA256())

        async def alone() -> float:
            # A share for each core: one task a signature takes 50 microseconds more of each.
            cores = os.cpu_count() or 1
            with ThreadPoolExecutor(cores) as threads:
                began = time.perf_counter()
                for _ in threads.map(sign, [range(place, people, cores) for place in range(cores)]):
                    pass
                return people / (time.perf_counter() - began)

        folders = [Path(name) / each for each in ("plain", "rsa", "ed25519")]
        for folder in folders:
            folder.mkdir()
        with_rsa, with_other = (
            {"mail": {"dkim_keys": [f"{key.selector}={path}"]}}
            for key, path in ((rsa_key, rsa_path), (other, other_path))
        )
        async with (
            sinks.watched() as sink,
            house.opened(folders[0], port=sink.port) as plain,
            house.opened(folders[1], port=sink.port, changes=with_rsa) as by_rsa,
            house.opened(folders[2], port=sink.port, changes=with_other) as by_other,
            workers.running(plain.settings, folders[0]),
            workers.running(by_rsa.settings, folders[1]),
            workers.running(by_other.settings, folders[2]),
        ):
            slow, quick, bare = [
                await Bulletins.prepared(ground, people=people, sink=sink.process)
                for ground in (by_rsa, by_other, plain)
            ]
            rsa_found = await compare(
                "sending, signed with RSA-2048",
                unit="messages",
                yardstick="RSA by cryptography alone, on every core",
                ours=slow.rate,
                theirs=alone,
                times=times,
                goal=GOAL_RSA,
            )
            rsa_found.notes.append(slow.told())
            other_found = await compare(
                "sending, signed with Ed25519",
                unit="messages",
                yardstick="ours without a signature",
                ours=quick.rate,
                theirs=bare.rate,
                times=times,
                goal=GOAL_ED25519,
            )
            other_found.notes.extend([f"signed {quick.told()}", f"without {bare.told()}"])
            return [rsa_found, other_found]
