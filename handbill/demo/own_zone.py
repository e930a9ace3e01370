"""The sample coalition's made-up DNS, so that the page on deliverability has something to find.

Its keys are made at the start and sign the demo's mail; its addresses are those that the world
keeps for examples (RFC 5737). One thing is left out for people to find: reports of DMARC.
"""

from pathlib import Path
from typing import Any

from delivery import dkim, signing_keys
from foundation.config import Settings
from handbill.demo.zone import Records

SENDING = "192.0.2.25"
"""Where the demo's mail would leave from."""
_SITE = "192.0.2.80"
_STRING = 200


def mail_settings(folder: Path) -> dict[str, Any]:
    """What `[mail]` needs to sign with new keys."""
    made = signing_keys.create(folder / "dkim", "demo")
    return {"dkim_keys": [f"{key.selector}={path}" for key, path in made]}


def looked_up_at(settings: Settings, port: int) -> Settings:
    """The same settings, with the demo's name server to ask."""
    asked = {"name_servers": [f"127.0.0.1:{port}"], "sending_addresses": [SENDING]}
    return settings.model_copy(update={"arriving": settings.arriving.model_copy(update=asked)})


def records(settings: Settings) -> Records:
    """All that stands in it."""
    domain = settings.return_path_domain
    host = f"mail.{domain}"
    return {
        (domain, "A"): [_SITE],
        (domain, "MX"): [f"10 {host}."],
        (domain, "TXT"): ['"v=spf1 mx ~all"'],
        (host, "A"): [SENDING],
        ("25.2.0.192.in-addr.arpa", "PTR"): [f"{host}."],
        (f"_dmarc.{domain}", "TXT"): ['"v=DMARC1; p=none"'],
        (f"_smtp._tls.{domain}", "TXT"): [f'"v=TLSRPTv1; rua=mailto:tls@{domain}"'],
        **{(name, "TXT"): [_strings(record)] for name, record in dkim.records(settings)},
    }


def _strings(record: str) -> str:
    """A long record is several strings (RFC 1035 §3.3)."""
    parts = (record[at : at + _STRING] for at in range(0, len(record), _STRING))
    return " ".join(f'"{part}"' for part in parts)
