"""What servers say about us and our mail: it was refused, and no reader is to blame."""

from delivery.bounces.reasons import BounceReason as Why
from delivery.bounces.tables.row import row

ROWS = (
    row(
        "too-many-at-once",
        Why.RATE_LIMITED,
        "Postfix, Sendmail, Comcast, Cox, Outlook",
        """
        too many connections | too many concurrent | too many simultaneous | too many messages
        | too many mails | too many emails | too many recipients | too many sessions
        | too many invalid recipients | too many errors | too many bad | too many unknown
        | too much mail | too fast | too frequent | too quickly | maximum number of recipients
        | maximum recipients | connection rate limit | connection frequency limited
        | connections exceeded | exceeds the maximum number of | number of messages exceeds
        | limit on the number of | recipient limit exceeded | frequency limited
        | session exceeded | server busy | throttling | throttled | slow down | hot account
        | exceeded the rate limit | rate limit exceeded | rate limited | ratelimit
        """,
    ),
    row(
        "poor-name",
        Why.REPUTATION,
        "Gmail, Outlook, Yahoo, AOL, Cox, Mimecast, Cisco, Trend Micro",
        """
        reputation | banned sending ip | user complaints | unusual amount of unsolicited
        | originating from your ip | traffic not accepted from this ip | bad outbound sender
        | tenant has exceeded threshold | unusual sending activity | access denied, banned
        | part of their network is on our | messages from … weren't sent
        | messages from … temporarily deferred | temporarily deferred due to | con:b1 | rtr:bl
        | rtr:rd | dyn:t1 | dyn:t2 | rly:b1 | dynamic ip | dynamic/zombied | dynamic address
        | dynamic hosts | dynamic pool | generic hostname | residential | dial-up | dialup
        | compromised | ip address … blocked | ip address … banned | ip address … rejected
        | ip address … refused | ip … is blocked | ip … has been blocked | ip … not allowed
        | ip … blocked | ip blocked | blocked ip | client host … blocked | client host rejected
        | client host … rejected | client … blocked | host … blocked | host … banned
        | host … refused by | host … not allowed | server … has been blocked
        | server … is blocked | connection refused by policy | connection rejected by policy
        | not accept mail from hosts | no smtp service for you | no smtp service | bad guy
        | not accept mail from your | not accepting mail from your | is blocked by | aup#
        | errors.edgecastcdn | access from ip | refused. your | refuse your connection
        | poor sender | not allowed to connect
        """,
    ),
    row(
        "harmful",
        Why.VIRUS,
        "ClamAV, Gmail, MessageLabs, Trend Micro, Sophos",
        """
        virus | viruses | malware | malicious | trojan | infected | potential security issue
        | clamav | worm | exploit
        """,
    ),
    row(
        "likely-spam",
        Why.SPAM_REFUSED,
        "Gmail, Outlook, Yahoo, Mail.ru, Yandex, SpamAssassin, Barracuda, Cloudmark",
        """
        unsolicited | spam | spammy | spamming | spammer | spammers | junk mail | junkmail
        | junk email | junk | bulk mail | bulk email | bulk messages | uce | ube | spamassassin
        | antispam | spamicity | phishing | phish | scam | hvu:b1 | hvu:b2 | surbl | dt:spm
        | uribl | url … listed | message looks like | message … scored | blocked for abuse
        | abusive | high score | bayes | x-spam | hm07 | hm08 | ph01 | cm#
        """,
    ),
    row(
        "not-this-content",
        Why.CONTENT_REFUSED,
        "Postfix (header_checks, body_checks), MailMarshal, Exim, Yahoo, Exchange",
        """
        message content rejected | content rejected | content not accepted | content blocked
        | content filter | content restrictions | content policy | unacceptable content
        | prohibited content | message filtered | rejected due to content
        | rejected because of content | content … refused | content … not allowed | profanity
        | attachment type | attachment types | type of attachment | attachments are not allowed
        | attachment … not allowed | attachment … blocked | disallowed attachment
        | banned attachment | banned file | contains … attachment | executable | file type
        | header rejected | header error | header … missing | missing … header | missing date
        | multiple … header | multiple addresses in from | duplicate header | bare lf
        | bare line feed | bare newline | bare <lf> | bare cr | stray lf | line too long
        | line length | line is too long | non-rfc compliant | not rfc compliant | rfc 5322
        | rfc5322 | rfc 2822 | rfc2822 | message format error | invalid message format
        | malformed header | malformed message | malformed mime | improper use of 8-bit
        | 8-bit data in message header | mime error | charset … not accepted
        | too many mime parts | invalid character | invalid header | message headers … invalid
        | data format error | url … not allowed | url contained in | conversion … required
        | 8bitmime | smtputf8
        """,
    ),
    row(
        "relaying",
        Why.RELAYING_DENIED,
        "Postfix, Sendmail, Exim, qmail, Exchange, MDaemon",
        """
        relaying denied | relay access denied | relay denied | relaying not allowed
        | relay not permitted | relaying not permitted | relay not allowed | relaying prohibited
        | relay prohibited | relaying to … prohibited | relaying is not | unable to relay
        | not permitted to relay | not allowed to relay | cannot relay | can't relay
        | won't relay | don't relay | do not relay | will not relay | relaying mail to
        | relaying temporarily denied | not a relay | as a relay | not an open relay
        | not a gateway | no relaying | this system is not configured to relay
        | list of allowed rcpthosts | rcpthosts | host is not configured to accept mail for
        | we do not relay | mail server doesn't relay | attempt to relay
        | authentication is required to relay | authentication required to relay
        | non-local recipient | not local | domain is not hosted | domain isn't in
        | is not my domain | not one of our domains | not a local domain | insecure mail relay
        | tenantattribution
        """,
    ),
    row(
        "tls",
        Why.TLS_REQUIRED,
        "Postfix, Exim, Exchange, Gmail",
        """
        must issue a starttls | starttls command first | starttls first | starttls required
        | starttls is required | tls is required | tls required | requires tls | require tls
        | requires encryption | encryption required | encryption needed | encrypted connection
        | secure connection | tls … not offered | tls handshake | tls negotiation
        | cannot start tls | certificate verification failed | certificate not verified
        | server certificate | certificate … expired | mta-sts | mtasts | dane | tlsa
        | requiretls | a tls session is required
        """,
    ),
    row(
        "site-policy",
        Why.POLICY_REFUSED,
        "Google Groups, Exchange, Mimecast, Yahoo, McAfee and many others",
        """
        not accepted for policy reasons | due to policy | policy reasons | policy violation
        | policy restrictions | violates … policy | against … policy | local policy | our policy
        | security policy | security policies | policy rejection | policy-based | site policy
        | recipient policy | denied by policy | blocked by policy | rejected by policy
        | by policy | for policy | policy | administrative prohibition | administratively denied
        | administratively prohibited | administratively rejected | prohibited by administrator
        | by the administrator | by administrator | closed mailing list | members only
        | not a member | you are not allowed | not allowed to post | not permitted
        | not authorized | not authorised | unauthorized | not whitelisted | whitelist
        | not on the allowed | not in the list of allowed | not accepting mail from this sender
        | not accept mail from this sender | does not accept mail from | does not want mail
        | does not wish to receive | recipient has blocked | recipient … rejected your
        | recipient does not accept | blocked by the recipient | blocked by recipient
        | you have been blocked | only accepts mail from | challenge | confirm … you are
        | header based | message refused | not interested | legal department
        | not allowed to send | denied by … filter | sender … denied | sender … blocked
        | sender … rejected | sender … refused | sender blocked | blocked sender
        | sender is blocked
        """,
    ),
)
