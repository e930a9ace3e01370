"""A passkey in software: makes and signs as a telephone would, and wrongly where a test asks."""

import base64
import hashlib
import json
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _HAS_KEY = 0x01, 0x04, 0x40


def text(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Authenticator:
    """One device with one key for one site."""

    def __init__(self, *, site: str, origin: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._site = hashlib.sha256(site.encode()).digest()
        self.origin = origin
        self.id = hashlib.sha256(self._numbers()[0]).digest()[:16]
        self.count = 0

    def make(self, options: str) -> str:
        """The answer to being asked for a new key (WebAuthn Level 3 §6.3.2)."""
        x, y = self._numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        head = self._head(_PRESENT | _VERIFIED | _HAS_KEY)
        data = head + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options)
        return self._answer({"attestationObject": text(attestation), "clientDataJSON": client})

    def sign(self, options: str, *, is_verified: bool = True) -> str:
        """The answer to being asked who it is (§6.3.3)."""
        self.count += 1
        data = self._head(_PRESENT | (_VERIFIED if is_verified else 0))
        client = self._client("webauthn.get", options)
        raw = base64.urlsafe_b64decode(client + "=" * (-len(client) % 4))
        signed = self._key.sign(data + hashlib.sha256(raw).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {"authenticatorData": text(data), "clientDataJSON": client, "signature": text(signed)}
        )

    def _head(self, flags: int) -> bytes:
        return self._site + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: str) -> str:
        asked = json.loads(options)["challenge"]
        said = {"type": kind, "challenge": asked, "origin": self.origin, "crossOrigin": False}
        return text(json.dumps(said).encode())

    def _answer(self, response: dict[str, Any]) -> str:
        name = text(self.id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def _numbers(self) -> tuple[bytes, bytes]:
        public = self._key.public_key().public_numbers()
        return public.x.to_bytes(32, "big"), public.y.to_bytes(32, "big")
