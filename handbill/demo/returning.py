"""Writes what a mail server sends back when it could not deliver after all (RFC 3464)."""

from datetime import datetime
from email.utils import format_datetime

from handbill.demo.mailbox import Mail

_SERVER = "mx.example.net"
_BOUNDARY = "=_handbill_demo_report"


def report(mail: Mail, *, at: datetime) -> bytes:
    """A delivery status notification for `mail`, addressed to its envelope sender."""
    headers, _, _ = mail.data.partition(b"\r\n\r\n")
    top = [
        f"From: Mail Delivery System <MAILER-DAEMON@{_SERVER}>",
        f"To: {mail.mail_from}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Date: {format_datetime(at)}",
        f"Message-ID: <{mail.number}.{int(at.timestamp())}@{_SERVER}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{_BOUNDARY}"',
        "",
        f"--{_BOUNDARY}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"I'm sorry to have to inform you that your message to {mail.recipient}",
        "could not be delivered: there is no such mailbox any more.",
        "",
        f"--{_BOUNDARY}",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {_SERVER}",
        f"Arrival-Date: {format_datetime(mail.received_at)}",
        "",
        f"Final-Recipient: rfc822; {mail.recipient}",
        "Action: failed",
        "Status: 5.1.1",
        f"Diagnostic-Code: smtp; 550 5.1.1 <{mail.recipient}>: user unknown",
        "",
        f"--{_BOUNDARY}",
        "Content-Type: text/rfc822-headers",
        "",
    ]
    end = ["", f"--{_BOUNDARY}--", ""]
    return "\r\n".join(top).encode() + b"\r\n" + headers + "\r\n".join(["", *end]).encode()
