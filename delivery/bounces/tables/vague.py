"""Words that mean little: an enhanced code that says more is believed instead."""

from delivery.bounces.reasons import BounceReason as Why
from delivery.bounces.tables.row import row

ROWS = (
    row(
        "mailbox-unavailable",
        Why.USER_UNKNOWN,
        "Outlook.com, GMX, Exchange, IIS: RFC 5321's own words for 550",
        """
        mailbox unavailable | mailbox not available | mailbox is unavailable
        | mailbox … unavailable | user unavailable | recipient unavailable
        | mailbox name not allowed | mailbox syntax | action not taken: mailbox
        """,
    ),
    row(
        "address-refused",
        Why.USER_UNKNOWN,
        "Postfix, Comcast, Cox, Charter, Cloudmark",
        """
        address rejected | address refused | address not accepted | recipient rejected
        | recipient refused | recipient not accepted | recipients rejected | user rejected
        | rcpt rejected | rcpt refused | user doesn't … here | not recognized
        | unrecognized address | unrecognized recipient | recipient … rejected | user not
        """,
        is_vague=True,
    ),
    row(
        "denied",
        Why.POLICY_REFUSED,
        "Exchange, Postfix and others",
        """
        access denied | access is denied | permission … denied | denied | prohibited | forbidden
        | not allowed | not acceptable | unacceptable | blocked | refused by | was refused
        | rejected | reject | refused | not accepted | disallowed
        """,
        is_vague=True,
    ),
)
