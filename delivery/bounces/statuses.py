"""What enhanced codes mean (RFC 3463 and IANA's registry), where words say less."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from delivery.bounces.reasons import BounceReason as Why

_CODE = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_DONE = re.compile(r"2\.\d{1,3}\.\d{1,3}")
_REPLY = re.compile(r"(?<![\d.:/-])([45][0-5]\d)(?=[ -]|$)")

MEANINGS: Mapping[str, Why] = MappingProxyType(
    {
        "1.1": Why.USER_UNKNOWN,
        "1.2": Why.DOMAIN_UNKNOWN,
        "1.3": Why.USER_UNKNOWN,
        "1.4": Why.USER_UNKNOWN,
        "1.6": Why.ADDRESS_MOVED,
        "1.7": Why.POLICY_REFUSED,
        "1.8": Why.POLICY_REFUSED,
        "1.10": Why.NOT_ACCEPTING,
        "2.1": Why.MAILBOX_DISABLED,
        "2.2": Why.MAILBOX_FULL,
        "2.3": Why.MESSAGE_TOO_LARGE,
        "2.4": Why.SYSTEM_TROUBLE,
        "3.0": Why.SYSTEM_TROUBLE,
        "3.1": Why.SYSTEM_TROUBLE,
        "3.2": Why.SYSTEM_TROUBLE,
        "3.3": Why.SYSTEM_TROUBLE,
        "3.4": Why.MESSAGE_TOO_LARGE,
        "3.5": Why.SYSTEM_TROUBLE,
        "4.0": Why.NETWORK,
        "4.1": Why.NETWORK,
        "4.2": Why.NETWORK,
        "4.3": Why.NETWORK,
        "4.4": Why.DOMAIN_UNKNOWN,
        "4.5": Why.SYSTEM_TROUBLE,
        "4.6": Why.RELAY_LOOP,
        "4.7": Why.EXPIRED,
        "5.1": Why.PROTOCOL_ERROR,
        "5.2": Why.PROTOCOL_ERROR,
        "5.3": Why.RATE_LIMITED,
        "5.4": Why.PROTOCOL_ERROR,
        "5.5": Why.PROTOCOL_ERROR,
        "5.6": Why.PROTOCOL_ERROR,
        "6.1": Why.CONTENT_REFUSED,
        "6.2": Why.CONTENT_REFUSED,
        "6.3": Why.CONTENT_REFUSED,
        "6.5": Why.CONTENT_REFUSED,
        "6.6": Why.CONTENT_REFUSED,
        "6.7": Why.CONTENT_REFUSED,
        "7.2": Why.POLICY_REFUSED,
        "7.4": Why.TLS_REQUIRED,
        "7.8": Why.PROTOCOL_ERROR,
        "7.10": Why.TLS_REQUIRED,
        "7.13": Why.SUSPENDED,
        "7.17": Why.USER_UNKNOWN,
        "7.18": Why.DOMAIN_UNKNOWN,
        "7.20": Why.AUTHENTICATION_FAILED,
        "7.21": Why.AUTHENTICATION_FAILED,
        "7.22": Why.AUTHENTICATION_FAILED,
        "7.23": Why.AUTHENTICATION_FAILED,
        "7.24": Why.AUTHENTICATION_FAILED,
        "7.25": Why.AUTHENTICATION_FAILED,
        "7.26": Why.AUTHENTICATION_FAILED,
        "7.27": Why.AUTHENTICATION_FAILED,
        "7.28": Why.RATE_LIMITED,
        "7.29": Why.AUTHENTICATION_FAILED,
        "7.30": Why.TLS_REQUIRED,
    }
)
"""Subject and detail of a code that says what is the matter by itself.

7.17 and 7.18: the mailbox or its domain belongs to somebody else now (RFC 7293).
"""

SUBJECTS: Mapping[str, Why] = MappingProxyType(
    {
        "3": Why.SYSTEM_TROUBLE,
        "4": Why.NETWORK,
        "5": Why.PROTOCOL_ERROR,
        "6": Why.CONTENT_REFUSED,
        "7": Why.POLICY_REFUSED,
    }
)
"""What the subject alone says, when nothing else does; 0, 1 and 2 say nothing so."""


def find(text: str) -> str:
    """The enhanced code in a text that says most: not x.0.0 if there is another; blank if none."""
    found = [hit[0] for hit in _CODE.finditer(text[:4_000])]
    return next((code for code in found if not code.endswith(".0.0")), found[0] if found else "")


def best(said: str, text: str) -> str:
    """The code of a report's field, or the diagnostic's where the field's own is general."""
    done = _DONE.match(said)
    field, other = done[0] if done else find(said), find(text)
    return other if other and (not field or field.endswith(".0.0")) else field


def reply_code(text: str) -> int | None:
    """The SMTP reply code in a text (RFC 5321 §4.2)."""
    found = _REPLY.search(text[:4_000])
    return int(found[1]) if found else None
