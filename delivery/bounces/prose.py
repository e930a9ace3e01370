"""Reads bounces in free text: whether it is one, which addresses failed, and the words for each.

Every mail system has sentences of its own, and most have changed them. What they share is the
order: words to a person, the address that failed, the reason behind it or below it, and the mail
that came back. So the address is looked for by where it stands, not by who wrote the message.
"""

import re

from delivery.bounces import automatic, judging, mailboxes, statuses
from delivery.bounces.layout import Layout
from delivery.bounces.reasons import BounceReason
from delivery.bounces.returned import Recipient
from delivery.bounces.status_reports import MAX_DIAGNOSTIC
from delivery.bounces.tables import forms
from delivery.models import BounceKind

_MAX_WORDS = 20_000
_MAX_RECIPIENTS = 200
_MAX_LINE = 1_000
_ALONE = re.compile(r"^[\W_]*(?:\d{1,3}[.)]\s*)?<@>[\W_]*$")
_LEADS = re.compile(
    r"^[\s>*\-\u2022]*(?:\d{1,3}[.)]\s*)?[<\[(\"']*<@>[>\])\"']*"
    r"\s*(?:[:;,.(\[]|$|on \w|--?\s)"
)
_COMMAND = re.compile(r"(?:rcpt to|;dda:smtp)\W{0,3}$", re.IGNORECASE)
_TO = re.compile(r"^\W*(?:to|an|à|para|a|til|aan|宛先|收件人)\s*:\W*$", re.IGNORECASE)
"""The line of a summary of our mail; it names the failed address too, but not which of several."""
_PLACE = re.compile(
    r"(?:rcpt to|recipients?|user|addresse?e?s?|mailbox(?:es)?|failed|undeliverable to|delivered to"
    r"|delivery to|deliver to|sent to|message to|mail to|envelope to|unknown|for|\bto|an|à|para|"
    r"empfänger|destinataire|destinatario|destinatário|odbiorc[ay]|получател[ьяю]"
    r"|宛先|受信者|送信先|あて先|メールアドレス|收件人|地址)\W{0,12}$",
    re.IGNORECASE,
)
_NOT_WHOM = re.compile(
    r"^\W*(?:from|sender|reply-to|cc|bcc|return-path|errors-to|message-id|in-reply-to|references"
    r"|mail from|von|absender|expéditeur|remitente|mittente|送信者|差出人|发件人)\b\s*:?"
    r"|message-id|contact |please (?:e-?mail|mail|send|write|forward|notify)|questions|assistance"
    r"|further help|for help|support|administrator|forward (?:this|your)|mail from:|sent by"
    r"|message from|mail from|report (?:this|to)|visit |https?://\S*$|sender:",
    re.IGNORECASE,
)
_SERVER_SAID = re.compile(
    r"^\s*\(reason: (.{1,400}?)\)?\s*$|^\s*<<<\s*((?!503)[45]\d\d[ -].{1,400})$", re.MULTILINE
)
"""The other server's answer as Sendmail writes it, who adds words of its own that guess."""
_CLEAR = frozenset(
    {BounceReason.USER_UNKNOWN, BounceReason.MAILBOX_FULL, BounceReason.MAILBOX_DISABLED}
)
_BETWEEN = 12
"""Lines after an address that still tell its reason."""


def is_bounce(layout: Layout) -> bool:
    """Whether a message without a status report says that mail did not arrive."""
    headers = layout.message.headers
    if "X-Failed-Recipients" in headers:
        return True
    if layout.message.parameters.get("report-type", "").lower() == "delivery-status":
        return True
    subject = _calm(headers.get("Subject"))
    by_daemon = automatic.is_daemon(headers) or automatic.has_null_sender(headers)
    has_subject = any(phrase in subject for phrase in forms.SUBJECTS)
    words = _calm(layout.words)
    has_sentence = any(phrase in words for phrase in forms.SENTENCES)
    if by_daemon:
        return has_subject or has_sentence or is_delay(layout) or _says_why(layout)
    if not has_subject or not has_sentence:
        return False
    return bool(layout.sent.pairs) or automatic.is_automatic(headers) or _names_somebody(layout)


def _says_why(layout: Layout) -> bool:
    """Whether a short text names an address and a reason that the table knows."""
    return "@" in layout.words and judging.judge(layout.words).reason in _CLEAR


def _names_somebody(layout: Layout) -> bool:
    """Whether an address stands alone on a line of what is no answer to another mail."""
    headers = layout.message.headers
    return not ("In-Reply-To" in headers or "References" in headers) and any(
        score > 2 for line in _lines(layout) for _, score in _scores(line)
    )


def is_delay(layout: Layout) -> bool:
    """Whether it says that the server goes on trying."""
    text = f"{_calm(layout.message.headers.get('Subject'))} {_calm(layout.words)}"
    if not any(phrase in text for phrase in forms.DELAYS):
        return False
    return not any(phrase in text for phrase in forms.ENDS) or "warning message" in text


def recipients(layout: Layout) -> list[Recipient]:
    """Whom it names, with what it says of each; none if it names nobody."""
    lines = _lines(layout)
    found = _named(layout, lines)[:_MAX_RECIPIENTS]
    if is_delay(layout):
        return [Recipient(address=address, kind=BounceKind.DELAYED) for address in found]
    words = _words_about(lines, found)
    return [_judged(address, words[address], layout) for address in found]


def judged(address: str, layout: Layout) -> Recipient:
    """What the whole text says, for an address that was found by other means."""
    return _judged(address, layout.words, layout)


def _judged(address: str, words: str, layout: Layout) -> Recipient:
    answers = " ".join(one or other for one, other in _SERVER_SAID.findall(words))
    said = judging.judge(answers or words)
    if answers and judging.says_nothing(answers, said):
        said = judging.judge(words)
    if judging.says_nothing(words, said):
        said = judging.judge(f"{layout.words} {layout.message.headers.get('Subject')}")
    return Recipient(
        address=address,
        kind=said.kind,
        status=said.status,
        reason=said.reason,
        diagnostic=" ".join(words.split())[:MAX_DIAGNOSTIC],
    )


def reply_code(layout: Layout) -> int | None:
    """The first reply code that the words hold."""
    return statuses.reply_code(" ".join(layout.words.split()))


def _lines(layout: Layout) -> list[str]:
    return [line[:_MAX_LINE] for line in layout.words[:_MAX_WORDS].splitlines()]


def _named(layout: Layout, lines: list[str]) -> list[str]:
    """The addresses that stand where a failed one does; the likeliest places first."""
    listed = [
        address
        for value in layout.message.headers.all("X-Failed-Recipients")
        for address in mailboxes.find(value)
    ]
    if listed:
        return list(dict.fromkeys(listed))
    ours = _ours(layout)
    sent_to = {mailboxes.normal(each) for each in mailboxes.find(layout.sent.get("To"))}
    scored: dict[str, tuple[int, str]] = {}
    subject = f"for {layout.message.headers.get('Subject')}"
    for line in (*lines, subject):
        for address, score in _scores(line):
            key = mailboxes.normal(address)
            if key in ours or (mailboxes.is_servant(address) and key not in sent_to):
                continue
            likely = score + 2 if key in sent_to and score > 1 else score
            if likely > scored.get(key, (-9, ""))[0]:
                scored[key] = (likely, scored.get(key, (0, address))[1])
    best = max((score for score, _ in scored.values()), default=0)
    floor = 3 if best >= 3 else max(best, 1)
    return [address for score, address in scored.values() if score >= floor]


def _scores(line: str) -> list[tuple[str, int]]:
    """Each address of a line, and how much it stands where a failed one does."""
    found: list[tuple[str, int]] = []
    for at, address in mailboxes.places(line):
        bare = line[:at] + "<@>" + line[at + len(address) :]
        before = line[:at]
        if _NOT_WHOM.search(before):
            score = -3
        elif _ALONE.match(bare):
            score = 4
        elif _TO.match(before):
            score = 1
        elif _LEADS.match(bare) or _COMMAND.search(before):
            score = 3
        else:
            score = 2 if _PLACE.search(before) else 1
        found.append((address, score))
    return found


def _ours(layout: Layout) -> set[str]:
    """Addresses that wrote or got these messages: the reporter's, and those of our own side."""
    message, sent = layout.message.headers, layout.sent
    values = [message.get(name) for name in ("From", "Reply-To", "Delivered-To", "X-Original-To")]
    values += [sent.get(name) for name in ("From", "Sender", "Reply-To", "Errors-To")]
    values += [message.get("Return-Path"), sent.get("Return-Path"), message.get("To")]
    sent_to = {mailboxes.normal(each) for each in mailboxes.find(sent.get("To"))}
    return {mailboxes.normal(each) for value in values for each in mailboxes.find(value)} - sent_to


def _words_about(lines: list[str], found: list[str]) -> dict[str, str]:
    """For each address the lines that name it, and those below until another is named."""
    kept: dict[str, list[str]] = {address: [] for address in found}
    keys = {mailboxes.normal(address): address for address in found}
    current: list[str] = []
    left = 0
    for line in lines:
        named = (
            [mailboxes.normal(each) for _, each in mailboxes.places(line)] if "@" in line else []
        )
        here = [keys[each] for each in named if each in keys]
        if here:
            current, left = here, _BETWEEN
        elif left > 0 and line.strip():
            left -= 1
        if current and left > 0:
            for address in current:
                kept[address].append(line)
    return {address: "\n".join(words) for address, words in kept.items()}


def _calm(text: str) -> str:
    return " ".join(text[:_MAX_WORDS].lower().replace("’", "'").split())
