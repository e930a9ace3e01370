"""Hosts that are known by name: services that relay mail, and those who give mailboxes away.

What stands here is each service's own documented setting. A service that is not listed is treated
as any server of one's own, so add what you use.
"""

from collections.abc import Sequence

from foundation.frozen import frozen


@frozen
class Provider:
    """A service that takes mail from many and sends it from addresses of its own."""

    name: str
    hosts: Sequence[str]
    """How the names of its servers end."""
    include: str
    """What SPF has to include for it."""
    rewrites: bool = False
    """Whether it puts in an envelope sender of its own unless told otherwise, so that returns go to
    it, and come to us by its webhook."""


PROVIDERS = (
    Provider(
        name="Amazon SES",
        hosts=(".amazonaws.com", ".amazonses.com"),
        include="amazonses.com",
        rewrites=True,
    ),
    Provider(name="Brevo", hosts=(".brevo.com", ".sendinblue.com"), include="spf.brevo.com",
             rewrites=True),
    Provider(name="Fastmail", hosts=(".fastmail.com", ".messagingengine.com"),
             include="spf.messagingengine.com"),
    Provider(name="Google Workspace", hosts=(".gmail.com", ".google.com"),
             include="_spf.google.com"),
    Provider(name="Mailgun", hosts=(".mailgun.org", ".mailgun.net"), include="mailgun.org",
             rewrites=True),
    Provider(name="Mailjet", hosts=(".mailjet.com",), include="spf.mailjet.com", rewrites=True),
    Provider(name="Microsoft 365", hosts=(".office365.com", ".outlook.com"),
             include="spf.protection.outlook.com"),
    Provider(name="Postmark", hosts=(".postmarkapp.com",), include="spf.mtasv.net",
             rewrites=True),
    Provider(name="Resend", hosts=(".resend.com",), include="amazonses.com", rewrites=True),
    Provider(name="SendGrid", hosts=(".sendgrid.net",), include="sendgrid.net", rewrites=True),
    Provider(name="SparkPost", hosts=(".sparkpostmail.com",), include="sparkpostmail.com",
             rewrites=True),
)  # fmt: skip

FREE_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com"),
        *("outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.es", "hotmail.es"),
        *("yahoo.com", "ymail.com", "rocketmail.com", "yahoo.es", "yahoo.com.mx", "yahoo.co.uk"),
        *("aol.com", "aim.com", "icloud.com", "me.com", "mac.com"),
        *("proton.me", "protonmail.com", "pm.me", "tutanota.com", "tuta.com", "hey.com"),
        *("gmx.com", "gmx.net", "gmx.de", "web.de", "mail.com", "zohomail.com", "fastmail.com"),
        *("comcast.net", "verizon.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net"),
        *("mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com", "126.com", "naver.com"),
    }
)
"""Domains where anybody gets a mailbox. No relay but their own may send for them."""


def of(host: str) -> Provider | None:
    """The service that a relay's host belongs to."""
    name = f".{host.lower().rstrip('.')}"
    return next((each for each in PROVIDERS if name.endswith(tuple(each.hosts))), None)
