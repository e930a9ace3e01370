"""Signs what comes on standard input and writes it to standard output, in the same order.

A program of its own that knows nothing of Handbill: `signing_process.py` runs it and says in what
form. It ends with its input, and hears no signal that ends whoever asks.
"""

import os
import signal
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils

_LENGTH = struct.Struct(">H")
_ASKED = struct.Struct(">B32s")
_AT_ONCE = 8
_NICER = 5
"""What waits for a signature goes before it; so do pages."""

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def signed(key: PrivateKey, digest: bytes) -> bytes:
    """The signature by which DKIM signs a SHA-256 digest (RFC 6376 §3.3.1, RFC 8463 §3)."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
    return key.sign(digest)


def _run() -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    os.nice(_NICER)
    keys = [_key() for _ in range(_read(1)[0])]
    _write(_LENGTH.pack(0))
    asked = b""
    while come := os.read(0, _ASKED.size * _AT_ONCE):
        asked += come
        whole = len(asked) // _ASKED.size * _ASKED.size
        made = [signed(keys[which], digest) for which, digest in _ASKED.iter_unpack(asked[:whole])]
        asked = asked[whole:]
        _write(b"".join([_LENGTH.pack(len(each)) + each for each in made]))


def _key() -> PrivateKey:
    """One of the keys that come first."""
    octets = _read(_LENGTH.unpack(_read(_LENGTH.size))[0])
    found = serialization.load_der_private_key(octets, password=None)
    if not isinstance(found, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise TypeError("a key is neither RSA nor Ed25519")
    return found


def _read(size: int) -> bytes:
    found = b""
    while len(found) < size:
        come = os.read(0, size - len(found))
        if not come:
            raise EOFError
        found += come
    return found


def _write(octets: bytes) -> None:
    while octets:
        octets = octets[os.write(1, octets) :]


if __name__ == "__main__":
    _run()
