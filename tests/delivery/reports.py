"""Mail that comes back, as servers and providers write it, addressed to the envelope sender."""

from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText


def status_report(
    *,
    to: str,
    status: str = "5.1.1",
    action: str = "failed",
    diagnostic: str = "smtp; 550 5.1.1 no such user",
    recipient: str = "ana@example.org",
) -> bytes:
    """A delivery status notification (RFC 3464)."""
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"] = "Mail Delivery System <mailer-daemon@mx.example>"
    report["To"] = to
    report["Subject"] = "Undelivered mail returned to sender"
    report["Auto-Submitted"] = "auto-replied"
    report.attach(MIMEText("Your mail could not be delivered."))
    about_us, about_them = Message(), Message()
    about_us["Reporting-MTA"] = "dns; mx.example"
    about_them["Final-Recipient"] = f"rfc822; {recipient}"
    about_them["Action"] = action
    about_them["Status"] = status
    about_them["Diagnostic-Code"] = diagnostic
    groups = Message()
    groups["Content-Type"] = "message/delivery-status"
    groups.set_payload([about_us, about_them])
    report.attach(groups)
    return report.as_bytes()


def complaint(*, returned: bytes) -> bytes:
    """A reader pressed “spam” (RFC 5965); the provider encloses the mail, without saying whose."""
    report = MIMEMultipart("report", report_type="feedback-report")
    report["From"] = "feedback@provider.example"
    report["To"] = "abuse@coalition.example"
    report["Subject"] = "FW: a mail"
    report.attach(MIMEText("This is a spam report."))
    fields = Message()
    fields["Content-Type"] = "message/feedback-report"
    said = Message()
    said["Feedback-Type"] = "abuse"
    said["User-Agent"] = "Provider/1.0"
    said["Version"] = "1"
    fields.set_payload([said])
    report.attach(fields)
    enclosed = Message()
    enclosed["Content-Type"] = "message/rfc822"
    enclosed.set_payload(returned.decode())
    report.attach(enclosed)
    return report.as_bytes()


def letter(*, to: str, subject: str, **headers: str) -> bytes:
    """A mail that somebody, or their mail program, wrote."""
    made = EmailMessage()
    made["From"] = "ana@example.org"
    made["To"] = to
    made["Subject"] = subject
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content("I am away until Monday.")
    return made.as_bytes()
