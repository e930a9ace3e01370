"""Gets what Amazon SNS points to: certificates, and the address that confirms a subscription."""

import aiohttp

from foundation import errors
from foundation.i18n import N_

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_MAX_OCTETS = 100_000


async def fetch(url: str) -> bytes:
    """What an address answers; redirects are not followed. Raises `errors.Busy`."""
    found = bytearray()
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as client:
            async with client.get(
                url, allow_redirects=False, headers={"User-Agent": "Handbill"}
            ) as answer:
                if answer.status != 200:
                    raise _failed(f"HTTP {answer.status}")
                async for chunk in answer.content.iter_chunked(16_384):
                    found += chunk
                    if len(found) > _MAX_OCTETS:
                        raise _failed("too long")
    except (aiohttp.ClientError, OSError, TimeoutError) as problem:
        raise _failed(str(problem) or type(problem).__name__) from problem
    return bytes(found)


def _failed(said: str) -> errors.Busy:
    return errors.Busy(
        N_("What Amazon SNS points to can't be fetched just now: %(said)s"), said=said[:200]
    )
