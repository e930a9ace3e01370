"""Stories that come by mail: “forward a story to the desk”, from those alone whom we know.

Two things prove who sends. The **secret address** of somebody of the office (`desk+…`), which
nobody else knows and nobody can make up; it ends with their account. Or, at the desk's **common
address**, what our own mail server found: a `From` of somebody known, and its
`Authentication-Results` (RFC 8601) say that DMARC passed for that domain, or a DKIM signature of
it. Those count only where a server of ours stands before us, which takes away what strangers write
in its name; a listener that is open to the world proves nobody.

Who is known but not proven stands apart (`ItemState.APART`), as anybody can write a `From`. Who is
not known is refused.
"""

import asyncio
import email
import email.policy
import email.utils
import hashlib
import html
import re
from email.message import EmailMessage

from sqlmodel import col, select

from campaigns import feed_reading, feeds, inbox_lists, incoming, issues
from campaigns.inbox_models import Origin
from campaigns.incoming import Offer
from delivery import message
from delivery.inbound.recipients import Recipients
from foundation import addresses, errors, logs
from foundation.accounts.models import OFFICE, Staff
from foundation.audit import Actor, ActorKind
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.tokens import Purpose

_log = logs.get("desk")

UNPROVEN = N_("Anybody can write “From: %(sender)s”, and nothing proves it.")
_SUBJECT_MARK = re.compile(
    r"^\s*(?:fwd?|fw|rv|rm|tr|wg|enc|re|aw)\s*:\s*|\s*\((?:fwd|fw)\)\s*$", re.IGNORECASE
)
_FORWARDED = re.compile(
    r"-{2,}\s*(?:forwarded message|original message|mensaje (?:reenviado|original)"
    r"|mensagem encaminhada)\s*-{2,}|begin forwarded message:|inicio del mensaje reenviado:",
    re.IGNORECASE,
)
_INNER_HEADER = re.compile(
    r"\*?(?:from|to|cc|date|sent|subject|de|para|fecha|enviado|asunto|data|assunto)\*?\s*:",
    re.IGNORECASE,
)
_LONGEST_MARK = 200
"""Of a line that says where the forwarded story begins."""
_LONGEST_HEADER = 4000
"""No mail program writes longer ones of those that are read; to take them apart takes very long."""
_READ = ("from", "subject", "message-id", "authentication-results")
_MOST_RESULTS = 20
_LINK = re.compile(r"https?://[^\s<>\"')\]]+")
_RESULT = re.compile(r"\b(dmarc|dkim)\s*=\s*pass\b([^;]*)", re.IGNORECASE)
_DOMAIN = re.compile(r"\bheader\.(?:from|d|i)\s*=\s*\"?(?:[^@\s;\"]*@)?([\w.-]+)", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)")


@frozen
class _Sender:
    """Who brings a story."""

    address: str
    is_proven: bool


class Desk:
    """Takes what the ways in bring; implements `delivery.inbound.stories.StoryDesk`."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._recipients = Recipients(ground)

    async def take(self, octets: bytes, *, to_address: str, is_checked: bool) -> bool:
        """Put a forwarded story into the inbox, if its sender is known; the same one once."""
        found = await asyncio.to_thread(
            email.message_from_bytes, octets, policy=email.policy.default
        )
        if not _is_readable(found):
            return False
        sender = await self._sender(found, to_address=to_address, is_checked=is_checked)
        if sender is None:
            _log.info("a story of somebody unknown was refused")
            return False
        offer = await asyncio.to_thread(_offer, self._ground, found, octets, sender)
        if offer is None:
            return False
        async with self._ground.db.reading() as session:
            every = await issues.everything(session)
        if not every:
            return False
        first = next((each for each in every if each.is_published), every[0])
        await incoming.take_in(
            self._ground,
            actor=Actor(kind=ActorKind.SYSTEM, label=sender.address),
            issue_id=first.id,
            origin=Origin.MAIL,
            offers=[offer],
        )
        return True

    async def _sender(
        self, found: EmailMessage, *, to_address: str, is_checked: bool
    ) -> _Sender | None:
        number = self._recipients.staff_number(to_address)
        if number is not None:
            async with self._ground.db.reading() as session:
                staff = await session.get(Staff, number)
            if staff is None or not staff.is_active or staff.role not in OFFICE:
                return None
            return _Sender(address=staff.email, is_proven=True)
        author = _author(found)
        if not author or not await self._is_known(author):
            return None
        server = self._ground.settings.desk.checking_server
        is_proven = is_checked and bool(server) and _is_authentic(found, server, author)
        return _Sender(address=author, is_proven=is_proven)

    async def _is_known(self, address: str) -> bool:
        senders = self._ground.settings.desk.senders
        if address in senders or f"@{address.rpartition('@')[2]}" in senders:
            return True
        try:
            key = addresses.parse(address).key
        except errors.Invalid:
            return False
        statement = select(Staff.id).where(
            Staff.email_key == key, col(Staff.is_active).is_(True), col(Staff.role).in_(OFFICE)
        )
        async with self._ground.db.reading() as session:
            return (await session.exec(statement)).first() is not None


def secret_address(ground: Ground, staff_id: int) -> str:
    """Where somebody of the office forwards stories to, and nobody else."""
    token = ground.tokens.seal_for_address(Purpose.DESK, staff_id)
    return f"desk+{token}@{message.ReturnPaths(ground).domain}"


def _is_readable(found: EmailMessage) -> bool:
    """Whether none of the headers that are read is one that would keep us busy for minutes."""
    return all(
        len(value) <= _LONGEST_HEADER
        for part in found.walk()
        for name, value in part.raw_items()
        if name.lower() in _READ or name.lower().startswith("content-")
    )


def _author(found: EmailMessage) -> str:
    """The one address of the one `From`; blank if there are none or several (RFC 5322 §3.6)."""
    lines = [str(each) for each in found.get_all("From", [])]
    named = [each for _, each in email.utils.getaddresses(lines) if each]
    is_one = len(lines) == 1 and len(named) == 1 and named[0].count("@") == 1
    return named[0].lower() if is_one else ""


def _is_authentic(found: EmailMessage, server: str, author: str) -> bool:
    """Whether our server says that the author's domain sent it; only its topmost word counts."""
    domain = author.rpartition("@")[2]
    for each in found.get_all("Authentication-Results", [])[:_MOST_RESULTS]:
        said = _COMMENT.sub("", " ".join(str(each).split()))
        name, _, results = said.partition(";")
        if name.strip().split(" ")[0].lower() != server.lower():
            continue
        return any(
            _is_aligned(domain, named.lower(), is_exact=method.lower() == "dmarc")
            for method, rest in _RESULT.findall(results)
            for named in _DOMAIN.findall(rest)
        )
    return False


def _is_aligned(domain: str, named: str, *, is_exact: bool) -> bool:
    """DMARC names the very domain of `From`; a signature may be its organisation's."""
    if domain == named:
        return True
    return not is_exact and "." in named and domain.endswith(f".{named}")


def _offer(ground: Ground, found: EmailMessage, octets: bytes, sender: _Sender) -> Offer | None:
    """The story in a mail; None if it has no headline."""
    headline = feed_reading.line(_bare_subject(str(found.get("Subject", ""))))
    text = feed_reading.plain(html.escape(_story(_body(found))))
    link = next((feed_reading.web_link(each.rstrip(".,;")) for each in _LINK.findall(text)), "")
    headline = headline or feed_reading.shortened(" ".join(_LINK.sub("", text).split()), 100)
    if not headline:
        return None
    words = "\n\n".join(part for part in _LINK.sub("", text).split("\n\n") if part.strip())
    identity = str(found.get("Message-ID", "")).strip() or hashlib.sha256(octets).hexdigest()
    because = ""
    if not sender.is_proven:
        said = ground.translator(None).gettext(UNPROVEN)
        because = said % {"sender": sender.address}
    return Offer(
        identity=f"{sender.address}\n{identity}",
        headline=headline,
        summary=feed_reading.paragraphs(feed_reading.shortened(words)),
        source_url=link,
        language=feeds.language_of(ground, str(found.get("Content-Language", ""))),
        happened_on=inbox_lists.today(ground),
        sender=sender.address,
        apart_because=because,
    )


def _bare_subject(subject: str) -> str:
    """Without what mail programs put before it: `Fwd:`, `RV:`, `TR:`…"""
    while True:
        bare = _SUBJECT_MARK.sub("", subject)
        if bare == subject:
            return bare
        subject = bare


def _body(found: EmailMessage) -> str:
    """Its text, line by line."""
    part = found.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, ValueError, TypeError):  # an unknown charset or encoding
        octets = part.get_payload(decode=True)
        content = octets.decode("utf-8", "replace") if isinstance(octets, bytes) else ""
    if part.get_content_type() == "text/html":
        return feed_reading.plain(content)
    return content


def _story(body: str) -> str:
    """What was forwarded, without who sent it to whom; else what was written, without signature."""
    lines = body.replace("\r", "").split("\n")
    marks = (number for number, each in enumerate(lines) if _is_mark(each.strip()))
    first = next(marks, -1) + 1
    is_before = True
    while is_before and first < len(lines):
        said = lines[first].strip("> \t")
        is_before = not said or _INNER_HEADER.match(said) is not None
        first += is_before
    lines = lines[first:]
    end = next((n for n, each in enumerate(lines) if each.rstrip() == "--"), len(lines))
    return "\n".join(each.lstrip("> ") for each in lines[:end]).strip()


def _is_mark(line: str) -> bool:
    return len(line) <= _LONGEST_MARK and _FORWARDED.fullmatch(line) is not None
