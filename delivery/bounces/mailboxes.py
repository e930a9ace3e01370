"""Finds addresses in text, and says which of them can't be whom a message failed to reach."""

import re

MAX_FOUND = 1_000
_MAX_LOCAL = 64
_MAX_DOMAIN = 253
_NO_ATOM = frozenset('()<>[]:;,"\\ \t\r\n@\u00a0\u3000「」『』（）＜＞、。：；')
"""What ends a bare local part (RFC 5322 §3.2.3), and the brackets of other scripts."""
_DOMAINS = (
    # ASCII first: in Japanese and Chinese no space stands between an address and the next word.
    re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?"),
    re.compile(r"[^\W_](?:[\w.-]*[^\W_])?"),
)
_WRITTEN_ON = re.compile(r".*[\u3041-\u30fe\u3400-\u9fff\uac00-\ud7a3\uff01-\uff60]", re.DOTALL)
"""Words that run into an address without a space."""
_TOP = re.compile(r"[^\W\d_]{2,63}|xn--[a-z0-9-]{2,59}", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"\r\n]{1,62}"\Z')
_PREFIX = re.compile(
    r"\A(?:mailto:|smtp[:=]|rfc822:|'|=|\*|/|\+|-|\.|`|\{|\||~|!|#|\?|&)+", re.IGNORECASE
)
_VERP = re.compile(
    r"[+=-]([^@\s<>+=]{1,64})=([a-z0-9][a-z0-9.-]{1,200}\.[a-z]{2,63})@", re.IGNORECASE
)
"""The reader's address within an envelope sender, as qmail and Mailman write it."""

_SERVANTS = frozenset(
    {
        "postmaster",
        "mailer-daemon",
        "mailerdaemon",
        "mail-daemon",
        "maildaemon",
        "mdaemon",
        "mailmaster",
        "hostmaster",
        "abuse",
        "nobody",
        "noreply",
        "no-reply",
        "do-not-reply",
        "donotreply",
        "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e",
    }
)
"""Local parts that serve mail itself."""


def find(text: str) -> list[str]:
    """The addresses in a text, each once, in their order."""
    return list(dict.fromkeys(address for _, address in places(text)))


def places(text: str) -> list[tuple[int, str]]:
    """The addresses in a text and where each begins; looks outward from every at sign."""
    found: list[tuple[int, str]] = []
    at = text.find("@")
    while at >= 0 and len(found) < MAX_FOUND:
        local = _local(text, at)
        domain = _domain(text, at + 1)
        if local and domain:
            found.append((at - len(local), f"{local}@{domain}"))
        at = text.find("@", at + 1)
    return found


def one(value: str) -> str:
    """The address of a report's field, such as `rfc822; ana@example.org`; blank if none."""
    for part in (value.partition(";")[2], value):
        found = find(_decoded(part))
        if found:
            return found[0]
    bare = value.rpartition(";")[2].strip(" <>\t")
    return bare if re.fullmatch(r"[^\s<>@,;]{1,64}@[^\s<>@,;]{1,253}", bare) else ""


def normal(address: str) -> str:
    """The form in which two addresses are compared."""
    return address.strip("<> ").lower()


def is_servant(address: str) -> bool:
    """Whether it serves mail itself: a postmaster, a daemon."""
    local, _, domain = address.lower().rpartition("@")
    return local in _SERVANTS or (local.startswith("bounce") and "bounce" in domain)


def from_verp(text: str) -> str:
    """The address within an envelope sender such as `news-ana=example.org@lists.example`."""
    found = _VERP.search(text)
    return f"{found[1]}@{found[2]}" if found else ""


def _decoded(value: str) -> str:
    r"""`\x{c3}` of RFC 6533 §3 (`utf-8-addr-unitext`), and `+20` of RFC 3461 §4 are undone."""
    if "\\x{" in value:
        value = re.sub(r"\\x\{([0-9a-fA-F]{2,6})\}", lambda hit: _character(hit[1]), value)
    return value


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if 0x20 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "?"


def _local(text: str, at: int) -> str:
    if text[at - 1 : at] == '"':
        quoted = _QUOTED.search(text[max(0, at - _MAX_LOCAL) : at])
        return quoted[0] if quoted else ""
    begin = at
    while begin > 0 and at - begin < _MAX_LOCAL and text[begin - 1] not in _NO_ATOM:
        begin -= 1
    local = _PREFIX.sub("", text[begin:at])
    return _WRITTEN_ON.sub("", local) or local


def _domain(text: str, begin: int) -> str:
    for form in _DOMAINS:
        found = form.match(text[begin : begin + _MAX_DOMAIN])
        domain = found[0].replace("..", ".") if found else ""
        if "." in domain and _TOP.fullmatch(domain.rpartition(".")[2]):
            return domain
    return ""
