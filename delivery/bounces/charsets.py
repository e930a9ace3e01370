"""Octets to text, whatever they were said to be: mail that comes back is often labelled wrongly."""

import base64
import binascii
import codecs
import re

_ESCAPES = (b"\x1b$", b"\x1b(")
"""What ISO-2022-JP switches its alphabets with; ASCII mail holds no escape character."""
_ALIASES = {
    "cp-932": "cp932",
    "windows-31j": "cp932",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "x-euc-jp": "euc_jp",
    "cp-850": "cp850",
    "ks_c_5601-1987": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-8-i": "iso-8859-8",
}
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
"""Codecs of Python's that no mail is written in; some take time that grows with the square."""
_KANA = re.compile(r"[\u3041-\u30fe]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bq])\?([^?]{0,4000})\?=", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\n]{1,80}(=\?)")
_QUOTED = re.compile(rb"=([0-9A-Fa-f]{2})")


def text(octets: bytes, charset: str = "") -> str:
    """The octets as text; never raises, what can't be read becomes U+FFFD."""
    if any(escape in octets for escape in _ESCAPES):
        return octets.decode("iso2022_jp_ext", "replace")
    for name in (charset, "utf-8"):
        try:
            return octets.decode(_codec(name))
        except (LookupError, ValueError):
            continue
    return _guessed(octets)


def header(value: str) -> str:
    """A header's value with its encoded-words (RFC 2047) read."""
    if "=?" not in value:
        return value
    return _WORD.sub(_word, _BETWEEN_WORDS.sub(r"\1\2", value))


def unbase64(octets: bytes) -> bytes:
    """Base64 as far as it goes."""
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", octets.partition(b"=")[0])
    try:
        return base64.b64decode(kept[: len(kept) // 4 * 4] + _tail(kept))
    except (binascii.Error, ValueError):
        return octets


def unquoted(octets: bytes) -> bytes:
    """Quoted-printable as far as it goes."""
    return binascii.a2b_qp(octets)


def _tail(kept: bytes) -> bytes:
    rest = kept[len(kept) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _codec(name: str) -> str:
    wanted = name.strip("\"' ").lower()
    found = codecs.lookup(_ALIASES.get(wanted, wanted)).name
    if found in _NO_CHARSETS:
        raise LookupError(name)
    return found


def _guessed(octets: bytes) -> str:
    """Of what is neither as it says nor UTF-8: Japanese has kana, Chinese has none, else Latin."""
    beyond = sum(octet > 127 for octet in octets)
    for name, letters in (("cp932", _KANA), ("euc_jp", _KANA), ("gb18030", _HAN)):
        try:
            found = octets.decode(name)
        except ValueError:
            continue
        # Most letters are of two such octets; in Latin text read wrongly, of one and an ASCII one.
        share = 2 * len(letters.findall(found)) / beyond
        if 0.25 < share < 1.2:
            return found
    return octets.decode("cp1252", "replace")


def _word(found: re.Match[str]) -> str:
    charset, how, coded = found[1].partition("*")[0], found[2].lower(), found[3]
    octets = coded.encode("ascii", "replace")
    if how == "b":
        return text(unbase64(octets), charset)
    octets = octets.replace(b"_", b" ")
    return text(_QUOTED.sub(lambda pair: bytes([int(pair[1], 16)]), octets), charset)
