"""TLS to other servers: one context for all connections, and who may vouch for a server."""

import contextlib
import functools
import ssl
from pathlib import Path

_Authorities = tuple[tuple[str, int], ...]
"""Files and folders that say who vouches for servers; when each changed, in ns of POSIX time."""


def context(*, verifies: bool) -> ssl.SSLContext:
    """For connections as a client; `verifies` says whether a server has to prove who it is.

    All share it, so nobody may change it.
    """
    return _context(_authorities() if verifies else None)


def _authorities() -> _Authorities:
    paths = ssl.get_default_verify_paths()
    found = []
    for each in filter(None, (paths.cafile, paths.capath)):
        # It may be being replaced just now.
        with contextlib.suppress(OSError):
            found.append((each, Path(each).stat().st_mtime_ns))
    return tuple(found)


@functools.lru_cache(maxsize=2)
def _context(authorities: _Authorities | None) -> ssl.SSLContext:
    """To read who vouches holds everything up for 24 ms.

    It is read again when somebody else does; None stands for a server that need prove nothing.
    """
    if authorities is not None:
        return ssl.create_default_context()
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found.check_hostname = False
    found.verify_mode = ssl.CERT_NONE
    return found
