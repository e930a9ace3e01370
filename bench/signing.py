"""Signed messages a second, beside the bare RSA operation on as many cores: one."""

import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench import house, sending
from bench import sink as sinks
from bench.measure import Result, compare
from delivery import dkim

GOAL = 0.8


async def run(*, people: int, times: int) -> Result:
    """Every message with one signature by an RSA key of 2048 bits."""
    with tempfile.TemporaryDirectory() as folder:
        (key, path), _ = dkim.create(Path(folder) / "keys", "bench")
        mail = {"dkim_keys": [f"{key.selector}={path}"]}
        private = key.private
        if not isinstance(private, rsa.RSAPrivateKey):
            raise TypeError("the first of the new keys is not RSA")
        async with (
            sinks.running() as port,
            house.opened(Path(folder), port=port, mail=mail) as ground,
        ):
            ours = await sending.dispatches(ground, people=people)

            async def theirs() -> float:
                began = time.perf_counter()
                for number in range(people):
                    private.sign(b"%d" % number, padding.PKCS1v15(), hashes.SHA256())
                return people / (time.perf_counter() - began)

            return await compare(
                "sending, signed with RSA-2048",
                unit="messages",
                yardstick="RSA by cryptography alone, one core",
                ours=ours,
                theirs=theirs,
                times=times,
                goal=GOAL,
            )
