"""Signed messages a second: beside the bare RSA operation, and beside our own unsigned ones."""

import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench import house, sending
from bench import sink as sinks
from bench.measure import Result, compare
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

        async def alone() -> float:
            began = time.perf_counter()
            for number in range(people):
                private.sign(b"%d" % number, padding.PKCS1v15(), hashes.SHA256())
            return people / (time.perf_counter() - began)

        folders = [Path(name) / each for each in ("plain", "rsa", "ed25519")]
        for folder in folders:
            folder.mkdir()
        with_rsa, with_other = (
            {"mail": {"dkim_keys": [f"{key.selector}={path}"]}}
            for key, path in ((rsa_key, rsa_path), (other, other_path))
        )
        async with (
            sinks.running() as port,
            house.opened(folders[0], port=port) as plain,
            house.opened(folders[1], port=port, changes=with_rsa) as by_rsa,
            house.opened(folders[2], port=port, changes=with_other) as by_other,
        ):
            return [
                await compare(
                    "sending, signed with RSA-2048",
                    unit="messages",
                    yardstick="RSA by cryptography alone, one core",
                    ours=await sending.dispatches(by_rsa, people=people),
                    theirs=alone,
                    times=times,
                    goal=GOAL_RSA,
                ),
                await compare(
                    "sending, signed with Ed25519",
                    unit="messages",
                    yardstick="ours without a signature",
                    ours=await sending.dispatches(by_other, people=people),
                    theirs=await sending.dispatches(plain, people=people),
                    times=times,
                    goal=GOAL_ED25519,
                ),
            ]
