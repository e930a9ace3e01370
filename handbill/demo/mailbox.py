"""Mail that the demo's catcher keeps: in memory, newest first, up to a limit."""

import email
import email.policy
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import cached_property

LIMIT = 5000
"""Some 15 KB each, so that the demo stays within 100 MB; older mail makes room."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One message as it came in, for one recipient."""

    number: int
    received_at: datetime
    mail_from: str
    recipient: str
    data: bytes

    @cached_property
    def parsed(self) -> EmailMessage:
        """The message as Python's email package reads it."""
        return email.message_from_bytes(self.data, policy=email.policy.default)

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.parsed["Subject"] or "")

    @property
    def sender(self) -> str:
        """The From header, decoded."""
        return str(self.parsed["From"] or "")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Every header of the message, decoded, in order."""
        return [(name, str(value)) for name, value in self.parsed.items()]

    @property
    def text(self) -> str:
        """The text part; blank when there is none."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML part; blank when there is none."""
        return self._part("html")

    @property
    def is_bulletin(self) -> bool:
        """Whether it belongs to a campaign, rather than being about one person's own doing."""
        return "X-Handbill-Campaign" in self.parsed

    @property
    def one_click_url(self) -> str:
        """Where a mail program's own unsubscribe button posts to (RFC 8058); blank without one."""
        if "List-Unsubscribe-Post" not in self.parsed:
            return ""
        found = re.search(r"<(https?://[^>]+)>", str(self.parsed["List-Unsubscribe"] or ""))
        return found[1] if found else ""

    def _part(self, kind: str) -> str:
        part = self.parsed.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


class Mailbox:
    """Everything that was caught."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=LIMIT)
        self._last = 0

    def keep(self, *, received_at: datetime, mail_from: str, recipient: str, data: bytes) -> Mail:
        """Put a message in."""
        self._last += 1
        mail = Mail(
            number=self._last,
            received_at=received_at,
            mail_from=mail_from,
            recipient=recipient,
            data=data,
        )
        self._mails.append(mail)
        return mail

    def newest(self, *, to: str = "") -> Iterator[Mail]:
        """Newest first; `to` is an address or a part of one."""
        wanted = to.strip().lower()
        return (mail for mail in reversed(self._mails) if wanted in mail.recipient.lower())

    def get(self, number: int) -> Mail | None:
        """One message; None when there is none of this number any more."""
        return next((mail for mail in reversed(self._mails) if mail.number == number), None)

    def latest(self, to: str, *, having: str = "") -> Mail | None:
        """The newest message for exactly this address whose text holds `having`."""
        return next(
            (
                mail
                for mail in reversed(self._mails)
                if mail.recipient.lower() == to.lower() and having in mail.text
            ),
            None,
        )

    def __len__(self) -> int:
        return len(self._mails)
