"""What servers say about who we are: a name, a record or a list did not speak for us.

They come before what is said of mailboxes: that a record does not exist is no word about a reader.
"""

from delivery.bounces.reasons import BounceReason as Why
from delivery.bounces.tables.row import row

ROWS = (
    row(
        "dmarc-and-friends",
        Why.AUTHENTICATION_FAILED,
        "Gmail, Outlook, Yahoo, GMX, Mimecast, Postfix with SPF",
        """
        dmarc | unauthenticated email | unauthenticated senders | sender is unauthenticated
        | sender unauthenticated | does not have authentication information
        | fails to pass authentication checks | doesn't meet the required authentication level
        | did not pass authentication | authentication checks | spf check | no spf
        | spf mail from | spf fail | spf record | spf validation | spf-check | spf:
        | spf unauthorized | spf sender invalid | failed spf | fails spf | (spf | by spf
        | spf=fail | openspf | sender policy framework | not allowed to send mail from
        | is not allowed to send mail for | not permitted to send mail
        | not designated as permitted | not authorized to send mail from
        | not authorized to use … domain | not allowed to send email | dkim | domainkeys
        | anti-spoofing | sender id (pra) | sender id check | spoofed | spoofing | 5.7.26
        """,
    ),
    row(
        "host-without-name",
        Why.AUTHENTICATION_FAILED,
        "Postfix, AT&T, GMX, Gmail, Yahoo, Comcast",
        """
        cannot find your hostname | cannot find your reverse hostname | ip name lookup failed
        | cannot resolve your address | reverse dns | reverse lookup | reverse hostname | rdns
        | ptr record | dns ptr | no ptr | missing ptr | without a ptr | bad dns | forged hostname
        | valid fqdn | doesn't have a valid dns | servers without a valid sender domain
        | need fully-qualified hostname | helo command rejected | ehlo command rejected
        | invalid helo | helo/ehlo | helo … invalid | helo … rejected
        """,
    ),
    row(
        "known-lists",
        Why.REPUTATION,
        "Spamhaus, Barracuda, SpamCop, Proofpoint, UCEPROTECT, Cloudmark and who asks them",
        """
        spamhaus | spamcop | sorbs | uceprotect | barracudacentral | barracuda reputation
        | barracudanetworks.com/reputation | dnsbl | rbl | surriel | njabl | csi.cloudmark.com
        | dnsbl-lookup | senderbase | senderscore | mail-abuse | blacklist | blacklists
        | blacklisted | black list | black-listed | blocklist | blocklists | blocklisted
        | block list | block listed | block-list | blocked list | denylist | blocked using
        | listed at | listed by | is listed | currently listed | _is_blocked | localblocked
        """,
    ),
)
