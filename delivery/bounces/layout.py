"""What is where in a message that came back: the reporter's words, its fields, the mail we sent.

Servers that follow RFC 3464 put each in a part of its own. Others write one text, and copy the mail
below a line that says so, or below none; then the headers themselves tell where it begins.
"""

import re

from delivery.bounces import reading
from delivery.bounces.reading import Headers, Part
from foundation.frozen import frozen

_STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_MAX_LINES = 5_000
_ENOUGH = 40
"""Characters by which a plain text says something itself, and its HTML twin need not be read."""

_COPY_BELOW = (
    "below this line is a copy of the message",
    "below is a copy of the original message",
    "this is a copy of the message",
    "this is a copy of your message",
    "this is a copy of the headers",
    "following is a copy of the message",
    "copy of the message, including all the headers",
    "copy of your message follows",
    "unsent message follows",
    "message header follows",
    "message headers follow",
    "message text follows",
    "original message follows",
    "original message headers",
    "original message header",
    "headers of the original message",
    "headers from the original message",
    "header of the original message",
    "headers of the message",
    "returned message follows",
    "here is your returned mail",
    "start of returned message",
    "the message that you sent was",
    "the first lines of the original message",
    "beginning of the original message",
    "--- original message",
    "---original message",
    "--- returned message",
    "--- returned mail",
    "--- message original",
    "--- message d'origine",
    "--- mensaje original",
    "--- mensagem original",
    "--- messaggio originale",
    "--- originalnachricht",
    "--- ursprüngliche nachricht",
    "kopie der nachricht",
    "kopie ihrer nachricht",
    "copie de votre message",
    "copia del mensaje",
    "copia del messaggio",
    "kopia wiadomości",
    "копия вашего сообщения",
    "копия исходного сообщения",
    "заголовки исходного сообщения",
    "以下はメッセージの",
    "元のメッセージ",
    "送信されたメール",
    "原始邮件",
)
"""Words, in a line of their own or in a frame of dashes, below which the mail is copied."""

_BARE_MARKER = "original message:"
"""The same on a line of its own; within one it may be said of anything."""

_HEADER = re.compile(r"[ \t>]{0,8}([A-Za-z][A-Za-z0-9-]{1,40}):[ \t]?\S?")
_OF_A_MAIL = frozenset(
    {
        "received",
        "return-path",
        "mime-version",
        "dkim-signature",
        "x-mailer",
        "content-type",
        "x-received",
        "list-unsubscribe",
    }
)
"""Headers that no report's own summary of our mail has, unlike Message-ID, From, To and Subject."""
_FIELDS = re.compile(
    r"^[ \t>]{0,8}(?:Final|Original)-Recipient[ \t]*:", re.IGNORECASE | re.MULTILINE
)
_FIELDS_BEGIN = re.compile(
    r"^[ \t>]{0,8}(?:Reporting-MTA|Final-Recipient|Original-Recipient)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)


@frozen
class Layout:
    """A message that came back, taken apart."""

    message: Part
    words: str
    """What the reporter itself wrote."""
    groups: list[Headers]
    """Fields of a delivery status, the server's own first; none if there is no such report."""
    feedback: Headers | None
    """Fields of a complaint."""
    sent: Headers
    """Headers of the mail that came back; none if it is not there."""


def laid_out(message: Part) -> Layout:
    """Take a message apart."""
    words, copied = _apart(_own_text(message))
    feedback = _first(message, {"message/feedback-report"})
    return Layout(
        message=message,
        words=words,
        groups=_groups(message, words),
        feedback=_fields(feedback) if feedback else None,
        sent=_sent(message) or copied,
    )


def _groups(message: Part, words: str) -> list[Headers]:
    for is_deep in (False, True):
        found = [
            group
            for part in message.walk(into_messages=is_deep)
            if part.content_type in _STATUS_PARTS
            for group in reading.groups(_octets(part))
        ]
        if found:
            return found
    if not _FIELDS.search(words):
        return []
    begin = _FIELDS_BEGIN.search(words)
    lines = words[begin.start() if begin else 0 :].splitlines()[:_MAX_LINES]
    return reading.groups(
        "\n".join(line.lstrip("> ") if _HEADER.match(line) else line for line in lines).encode()
    )


def _octets(part: Part) -> bytes:
    """The part's lines; where a server nested groups as parts, those of all of them."""
    return b"\n\n".join([part.body, *(_octets(inner) for inner in part.parts)])


def _fields(part: Part) -> Headers:
    found = reading.groups(_octets(part))
    return Headers(tuple(pair for group in found for pair in group.pairs))


def _first(message: Part, kinds: set[str]) -> Part | None:
    return next((part for part in message.walk() if part.content_type in kinds), None)


def _own_text(message: Part) -> str:
    return "\n".join(_texts(message))


def _texts(part: Part) -> list[str]:
    if part.content_type == "multipart/alternative":
        plain = [text for each in part.parts for text in _texts(each) if not _is_page(each)]
        if sum(len(text.strip()) for text in plain) >= _ENOUGH:
            return plain
    if part.is_message or part.content_type in _STATUS_PARTS:
        return []
    if part.parts:
        return [text for each in part.parts for text in _texts(each)]
    return [part.text()] if part.content_type.startswith("text/") else []


def _is_page(part: Part) -> bool:
    return part.content_type == "text/html"


def _sent(message: Part) -> Headers | None:
    for part in message.walk():
        if part.is_message and part.parts and part.parts[0].headers.pairs:
            return part.parts[0].headers
    return None


def _apart(text: str) -> tuple[str, Headers]:
    """The reporter's words, and the headers of the mail that it copied below them."""
    lines = text.splitlines()[:_MAX_LINES]
    end = _copy_begins(lines)
    if end is None:
        return "\n".join(lines), Headers()
    return "\n".join(lines[:end]), _copied_headers(lines[end:])


def _copy_begins(lines: list[str]) -> int | None:
    seen_words = False
    for number, line in enumerate(lines):
        lowered = line.strip().lower()
        if not lowered:
            continue
        if seen_words and (
            lowered == _BARE_MARKER or any(marker in lowered for marker in _COPY_BELOW)
        ):
            return number
        if seen_words and _is_head_of_mail(lines, number):
            return number
        seen_words = seen_words or bool(lowered.strip("-=_* "))
    return None


def _is_head_of_mail(lines: list[str], number: int) -> bool:
    """Whether a run of headers begins here that only a mail has."""
    if not _HEADER.match(lines[number]):
        return False
    names: set[str] = set()
    for line in lines[number : number + 40]:
        found = _HEADER.match(line)
        if found:
            names.add(found[1].lower())
        elif not line.strip() or line[:1] not in " \t>":
            break
    return len(names) >= 3 and bool(names & _OF_A_MAIL) and "final-recipient" not in names


def _copied_headers(lines: list[str]) -> Headers:
    begin = next((n for n in range(min(len(lines), 60)) if _is_head_of_mail(lines, n)), None)
    if begin is None:
        begin = next((n for n, line in enumerate(lines[:20]) if n and _HEADER.match(line)), None)
    if begin is None:
        return Headers()
    frame = re.match(r"[ \t>]*", lines[begin])
    width = len(frame[0]) if frame else 0
    kept = [line[width:] if not line[:width].strip(" \t>") else line for line in lines[begin:]]
    found, _ = reading.headers("\n".join(kept).encode("utf-8", "replace"))
    return found
