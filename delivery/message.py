"""The octets of a message: headers set by hand around a plan's body (RFC 5322, RFC 2047).

Python's email package turns long header values such as List-Unsubscribe into encoded-words, which
ends one-click unsubscription; so headers are folded here, and only where their grammar allows.
"""

import base64
import email.utils
import functools
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from delivery import dkim, naming
from delivery import values as delivery_values
from delivery.hooks import marks
from delivery.letter import Envelope
from delivery.models import Dispatch
from foundation import addresses, errors
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose, number_octets
from templates.conditions import Answers
from templates.plan import Plan

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_NO_PLAIN_ADDRESS = re.compile(r'[ <>,;"()\[\]\\]')
_SIMPLE = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_FOLD = 76
_WORD_OCTETS = 39
"""Octets in an encoded-word: 4/3 of it, its frame and `Subject: ` before it stay within the 76
characters of a line that holds one (RFC 2047 §2)."""
_PHRASE_SAFE = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$%&'*+-/=?^_`{|}~"
)


_IS_8BIT = "Content-Transfer-Encoding: 8bit\r\n"
"""A multipart says so where one of its parts does (RFC 2045 §6.4)."""
_EITHER = (False, True)
_FOR_DELIVERY = number_octets(int(False))
"""Says in a return path's token that the number is no notice's."""
_SUBJECT = b"\r\nSubject: "
_OWN = dkim.Own(1, 3, 5, 9, 11, count=13)
"""Which pieces of a bulletin's header are the reader's own: address, subject, number, way out."""
_TOKEN = "{token}"  # noqa: S105 - where one goes


class Letterhead:
    """The headers of one dispatch's bulletins; what is the same for all is written once."""

    def __init__(self, ground: Ground, dispatch: Dispatch, plan: Plan) -> None:
        self._message_id = MessageIds(ground)
        self._return_path = ReturnPaths(ground)
        self._signer = dkim.for_author(ground.settings, dispatch.from_address)
        self.is_signing = any(key.is_slow for key in self._signer.keys)
        """Whether each message takes a signature that is most of the work."""
        mark = naming.mark(dispatch.campaign_id)
        self._thing = f"c:{mark}:"
        sender = mailbox(dispatch.from_name, dispatch.from_address)
        self._sender = f"From: {sender}\r\nTo: ".encode()
        self._middle = _lines([("MIME-Version", "1.0"), *_reply_to(dispatch.reply_to)]).encode()
        # The ways out: a page and a mailbox, the same token behind each.
        page, _, mailto = _ways_out(
            self._return_path.domain, ground.url("/unsubscribe/"), _TOKEN
        ).partition(">")
        self._page = f"List-Unsubscribe: {page}".encode()
        self._mailto = f">{mailto.partition(_TOKEN)[0]}".encode()
        end = _lines(
            [
                *_list_headers(ground),
                ("Feedback-ID", f"{mark}:bulletin:{_domain(dispatch.from_address)}"),
                ("X-Handbill-Campaign", mark),
                *marks.headers(ground.settings, campaign_id=dispatch.campaign_id),
                ("Content-Type", plan.content_type_header),
            ]
        )
        self._ends = {is_8bit: f">\r\n{end}{_IS_8BIT * is_8bit}".encode() for is_8bit in _EITHER}

    def dated(self, second: int, sent_on: str) -> "Dated":
        """What all mails of one second have in common: POSIX time, and the same as `date` says."""
        return Dated(second, f"\r\nDate: {sent_on}\r\nMessage-ID: ".encode())

    def envelope(
        self,
        *,
        to: str,
        subject: str,
        body: Sequence[bytes],
        dated: "Dated",
        delivery: bytes,
        subscriber_id: int,
        unsubscribe_token: bytes,
        is_8bit: bool,
    ) -> Envelope:
        """A bulletin for one recipient, not signed yet; `is_8bit` if its body is not ASCII.

        `delivery` is its number in octets as they stand in tokens. Raises `errors.Invalid` as
        `address` and `unstructured`.
        """
        head = (
            self._sender,
            address(to).encode(),
            _SUBJECT,
            _subject(subject),
            dated.octets,
            self._message_id(f"{self._thing}{subscriber_id}").encode(),
            b"\r\n",
            self._middle,
            self._page,
            unsubscribe_token,
            self._mailto,
            unsubscribe_token,
            self._ends[is_8bit],
        )
        drafts, pieces = self._signer.drafted(head, body, second=dated.second, own=_OWN)
        return Envelope(
            self._return_path.of_delivery(delivery),
            to,
            pieces,
            sum(map(len, pieces)),
            not to.isascii(),
            is_8bit,
            drafts,
        )


class Dated(NamedTuple):
    """A second, and what headers say of it."""

    second: int
    octets: bytes


@functools.lru_cache(maxsize=256)
def _subject(text: str) -> bytes:
    """The value of the header."""
    return unstructured(text).encode()


def for_notice(
    ground: Ground,
    *,
    notice_id: int,
    to: str,
    subject: str,
    body: bytes,
    content_type: str,
    unsubscribe_url: str | None = None,
) -> Envelope:
    """A notice: mail to one person about one thing, marked as written by a program (RFC 3834)."""
    settings = ground.settings
    headers = [
        ("From", mailbox(settings.from_name, settings.mail.from_address)),
        ("To", address(to)),
        ("Subject", unstructured(subject)),
        ("Date", date(ground.clock.now())),
        ("Message-ID", MessageIds(ground)(f"n:{notice_id}")),
        ("MIME-Version", "1.0"),
        *_reply_to(settings.mail.reply_to),
        *(list_headers(ground, unsubscribe_url=unsubscribe_url) if unsubscribe_url else ()),
        ("Auto-Submitted", "auto-generated"),
        ("Content-Type", content_type),
    ]
    data = _signed(ground, headers, body, from_address=settings.mail.from_address)
    return Envelope(
        mail_from=ReturnPaths(ground)(notice_id, is_notice=True),
        rcpt_to=to,
        pieces=(data,),
        size=len(data),
        needs_smtputf8=not to.isascii(),
    )


def preview(
    ground: Ground,
    *,
    plan: Plan,
    to: str,
    subscriber_values: dict[str, str],
    answers: Answers | None = None,
    from_name: str = "",
    from_address: str = "",
    subject_prefix: str = "",
) -> bytes:
    """A whole message as it would arrive, with links that lead straight on and count nothing.

    Without a reader's `answers`, blocks that only some see are there, too.
    """
    settings = ground.settings
    values = delivery_values.for_view(ground, plan, dict(subscriber_values))
    body = plan.body(values, answers)
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    headers = [
        (
            "From",
            mailbox(from_name or settings.from_name, from_address or settings.mail.from_address),
        ),
        ("To", address(to)),
        ("Subject", unstructured(subject_prefix + plan.subject(values))),
        ("Date", date(ground.clock.now())),
        ("Message-ID", f"<preview.{digest}@{_list_domain(ground)}>"),
        ("MIME-Version", "1.0"),
        *list_headers(ground, unsubscribe_url=values["unsubscribe_url"]),
        ("Content-Type", plan.content_type_header),
    ]
    return _signed(
        ground,
        headers,
        body,
        from_address=from_address or settings.mail.from_address,
    )


def list_headers(ground: Ground, *, unsubscribe_url: str) -> list[tuple[str, str]]:
    """What a list's mail carries (RFC 2369, RFC 2919, RFC 8058)."""
    token = unsubscribe_url.rpartition("/")[2]
    ways_out = _ways_out(_return_domain(ground), unsubscribe_url, token)
    return [("List-Unsubscribe", ways_out), *_list_headers(ground)]


def _ways_out(domain: str, url: str, token: str) -> str:
    return f"<{url}>,\r\n <mailto:unsubscribe@{domain}?subject={token}>"


def _list_headers(ground: Ground) -> list[tuple[str, str]]:
    """Those that are the same for everybody."""
    site = ground.settings.site
    contact = address(site.contact_email or ground.settings.mail.from_address)
    return [
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Id", _named(site.name, f"bulletin.{_list_domain(ground)}")),
        ("List-Help", f"<mailto:{contact}>"),
        ("List-Archive", f"<{ground.url('/archive')}>"),
    ]


class ReturnPaths:
    """Envelope senders that name their recipients by sealed tokens (VERP)."""

    def __init__(self, ground: Ground) -> None:
        self._tokens = ground.tokens
        self._seal = ground.tokens.sealer_for_address(Purpose.RETURN_PATH)
        self.domain = _return_domain(ground)

    def __call__(self, number: int, *, is_notice: bool) -> str:
        """The envelope sender for a delivery's or a notice's number."""
        token = self._tokens.seal_for_address(Purpose.RETURN_PATH, number, int(is_notice))
        return f"b+{token}@{self.domain}"

    def of_delivery(self, octets: bytes) -> str:
        """The same for a delivery, its number in octets as they stand in tokens."""
        return f"b+{self._seal(octets + _FOR_DELIVERY)}@{self.domain}"


class MessageIds:
    """The same for the same thing, so that a mail sent twice is seen as one (RFC 5322 §3.6.4)."""

    def __init__(self, ground: Ground) -> None:
        self._hash = hashlib.blake2b(key=ground.tokens.derive("message-id"), digest_size=15)
        self._domain = _list_domain(ground)

    def __call__(self, thing: str) -> str:
        """The value of Message-ID for what `thing` names."""
        local = self._hash.copy()
        local.update(thing.encode())
        return f"<{local.hexdigest()}@{self._domain}>"


def mailbox(name: str, email_address: str) -> str:
    """A display name with an address (RFC 5322 §3.4)."""
    return _named(name, address(email_address)) if name else address(email_address)


def phrase(text: str) -> str:
    """A display name: as it is, quoted, or as encoded-words."""
    _refuse_breaks(text)
    if len(text) > _FOLD or not text.isascii() or "=?" in text:
        return _encoded_words(text)
    if _is_evenly_spaced(text) and all(character in _PHRASE_SAFE for character in text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unstructured(text: str) -> str:
    """A subject: as it is when it is ASCII that can be folded at blanks, else as encoded-words."""
    _refuse_breaks(text)
    room = _FOLD - len("Subject: ")
    words = text.split(" ")
    is_plain = text.isascii() and "=?" not in text and _is_evenly_spaced(text)
    if not is_plain or max(map(len, words)) > room:
        return _encoded_words(text)
    lines, current = [], words[0]
    for word in words[1:]:
        if len(current) + len(word) + 1 > room:
            lines.append(current)
            current = word
        else:
            current = f"{current} {word}"
    lines.append(current)
    return "\r\n ".join(lines)


def address(email_address: str) -> str:
    """An address for a header, its domain in A-labels.

    Raises `errors.Invalid` for one that would break the header.
    """
    if _SIMPLE.fullmatch(email_address):
        return email_address
    _refuse_breaks(email_address)
    if _NO_PLAIN_ADDRESS.search(email_address):
        raise errors.Invalid(N_("This address can't stand in a mail's header."))
    local, at, domain = email_address.rpartition("@")
    return f"{local}{at}{addresses.a_labels(domain)}"


def date(moment: datetime) -> str:
    """A date as RFC 5322 §3.3 has it."""
    return email.utils.format_datetime(moment)


def _named(name: str, address_or_id: str) -> str:
    """A name before something in angle brackets; a line with an encoded-word ends with it."""
    said = phrase(name)
    blank = "\r\n " if said.startswith("=?") else " "
    return f"{said}{blank}<{address_or_id}>"


def _is_evenly_spaced(text: str) -> bool:
    """Whether blanks stand alone and between words, where folding and readers leave them be."""
    return "  " not in text and text == text.strip(" ")


def _encoded_words(text: str) -> str:
    if not text:
        return ""
    chunks: list[str] = []
    current = ""
    for character in text:
        if len((current + character).encode()) > _WORD_OCTETS:
            chunks.append(current)
            current = ""
        current += character
    chunks.append(current)
    words = [f"=?utf-8?b?{base64.b64encode(chunk.encode()).decode()}?=" for chunk in chunks]
    return "\r\n ".join(words)


def _refuse_breaks(text: str) -> None:
    if _CONTROLS.search(text):
        raise errors.Invalid(N_("A mail's header can't hold line breaks."))


def _lines(headers: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers)


def _signed(
    ground: Ground, headers: Iterable[tuple[str, str]], body: bytes, *, from_address: str
) -> bytes:
    # Addresses beyond ASCII stand as UTF-8 (RFC 6532); the relay has to offer SMTPUTF8 for them.
    head = _lines(headers).encode()
    signer = dkim.for_author(ground.settings, from_address)
    return b"".join(signer.signed((head,), (body,), second=int(ground.clock.now().timestamp())))


def _reply_to(email_address: str) -> list[tuple[str, str]]:
    return [("Reply-To", address(email_address))] if email_address else []


def _list_domain(ground: Ground) -> str:
    mail = ground.settings.mail
    return addresses.a_labels(mail.list_domain) or _domain(mail.from_address)


def _return_domain(ground: Ground) -> str:
    return addresses.a_labels(ground.settings.return_path_domain)


def _domain(email_address: str) -> str:
    return addresses.a_labels(email_address.rpartition("@")[2])
