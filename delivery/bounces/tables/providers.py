"""What providers and programs say in words of their own, unlike anything else.

They come first, because some hold words (rate, disabled, domain, denied) that elsewhere mean
something else.
"""

from delivery.bounces.reasons import BounceReason as Why
from delivery.bounces.tables.row import row

ROWS = (
    row(
        "our-sender-checked",
        Why.POLICY_REFUSED,
        "Postfix (reject_unknown_sender_domain, verify), Exim (verify = sender), qmail",
        """
        sender address rejected | sender verify failed | sender verification failed
        | could not complete sender verify | verification failed for <@>
        | sender address verification | sender domain … not found | sender domain does not exist
        | sender domain must exist | domain of sender address … does not
        | domain of sender address | sender rejected | sender was rejected | sender denied
        | sender refused | sender not accepted | invalid sender | unknown sender
        | envelope sender … rejected | sender … does not exist | sender … doesn't exist
        | sender's domain | mail from domain | from domain … not exist
        | sending domain … not exist | return address … not exist | return path … invalid
        | unroutable sender | unrouteable sender
        """,
    ),
    row(
        "mailbox-gets-too-much",
        Why.RATE_LIMITED,
        "Gmail, with 5.2.1: not a dead mailbox",
        """
        receiving mail at a rate | receiving mail too quickly | receiving too much mail
        | receiving email at a rate
        """,
    ),
    row(
        "gmail-ip-rate",
        Why.REPUTATION,
        "Gmail, Outlook.com, Yahoo: a limit for those whom they trust little",
        """
        unusual rate of unsolicited | unsolicited mail originating from your ip
        | rate limited due to ip reputation | unexpected volume or user complaints
        """,
    ),
    row(
        "sender-sends-too-much",
        Why.RATE_LIMITED,
        "Gmail, Outlook, Exim with cPanel, Postfix with a policy server",
        """
        sending limit exceeded | exceeded the rate and connection limit
        | has exceeded the max emails per hour
        | has exceeded the max defers and failures per hour | max defers and failures per hour
        | reached a limit for sending mail | limits for how many messages can be sent
        | reached your daily limit | exceeded the maximum allowed messages | message rate limit
        | quota of messages | sending quota | daily message quota exceeded | hourly quota
        | outgoing message quota
        """,
    ),
    row(
        "yahoo-no-account",
        Why.USER_UNKNOWN,
        "Yahoo, AOL",
        """
        this user doesn't have a … account | this user does not have a … account
        | delivery error: dd this user | delivery error: dd requested mail action aborted
        | unable to deliver message … user doesn't have
        """,
    ),
    row(
        "yahoo-closed",
        Why.MAILBOX_DISABLED,
        "Yahoo, AOL",
        """
        this account has been disabled or discontinued | this mailbox is disabled
        | user account has expired | account has been temporarily suspended due to inactivity
        """,
    ),
    row(
        "gmail-no-account",
        Why.USER_UNKNOWN,
        "Gmail",
        """
        email account that you tried to reach does not exist
        | wasn't delivered to … because the address couldn't be found
        | address couldn't be found, or is unable to receive mail | the address couldn't be found
        | the group you tried to contact … may not exist
        | group you tried to contact (…) may not exist
        """,
    ),
    row(
        "gmail-closed",
        Why.MAILBOX_DISABLED,
        "Gmail",
        """
        email account that you tried to reach is disabled
        | email account that you tried to reach is inactive
        | account that you tried to contact is disabled
        """,
    ),
    row(
        "gmail-full",
        Why.MAILBOX_FULL,
        "Gmail",
        """
        email account that you tried to reach is over quota
        | recipient's inbox is out of storage space
        | inbox is full, or it's getting too much mail
        | email account that you tried to reach … out of storage
        """,
    ),
    row(
        "gmail-no-domain",
        Why.DOMAIN_UNKNOWN,
        "Gmail",
        """
        because the domain … couldn't be found | the recipient domain could not be found
        """,
    ),
    row(
        "facebook-no-recipient",
        Why.USER_UNKNOWN,
        "Facebook",
        """
        rcp-p1 | rcp-p3
        """,
    ),
    row(
        "exchange-not-found",
        Why.USER_UNKNOWN,
        "Exchange, Outlook.com",
        """
        resolver.adr.recipientnotfound | resolver.adr.recipnotfound
        | resolver.adr.exrecipnotfound | adr.recipnotfound | adr.exrecipnotfound
        | resolver.adr.badprimary | 5.4.1…recipient address rejected: access denied
        | 5.1.351…remote server returned unknown recipient
        | unknown recipient or mailbox unavailable | mapi 1.0 … unknown recipient
        | unknown recipient status | msexch:imsexch… no such recipient | recipientnotfound
        | the e-mail account does not exist at the organization this message was sent to
        | e-mail address you entered couldn't be found | e-mail address could not be found
        | email address you entered couldn't be found | email address wasn't found at
        | wasn't found at the recipient | wasn't found at <
        | wasn't found, or the mailbox is unavailable | recipient name is not recognized
        | recipient was unavailable to take delivery | destination mailbox is not found
        """,
    ),
    row(
        "exchange-full",
        Why.MAILBOX_FULL,
        "Exchange",
        """
        storedrv.deliver; mailbox full | storedrv.deliver … mailbox full
        | mailbox is full and can't accept messages | recipient's mailbox is full
        | exchangequotaexceeded
        """,
    ),
    row(
        "exchange-closed",
        Why.MAILBOX_DISABLED,
        "Exchange",
        """
        storedrv.deliver; disabled mailbox | storedrv.deliver … disabled mailbox
        | mailbox is disabled
        """,
    ),
    row(
        "exchange-no-domain",
        Why.DOMAIN_UNKNOWN,
        "Exchange, Outlook.com",
        """
        smtpsend.dns.nonexistentdomain | dns.nonexistentdomain | nonexistent domain
        | dns domain … does not exist | domain … is not registered
        | domain name … does not appear to be registered | infodomainnonexistent
        """,
    ),
    row(
        "exchange-permission",
        Why.POLICY_REFUSED,
        "Exchange, Google Groups",
        """
        resolver.rst.notauthorized | resolver.rst.authrequired
        | resolver.rst.sendernotauthenticated | sendernotauthenticatedforgroup
        | resolver.grp.transport | recipnotallowed
        | permission to send messages to this recipient | does not have permission to send
        | do not have permission to send | don't have permission to send
        | don't have permission to post | do not have permission to post
        | not have permission to submit | sender not in allowed-senders list
        | not in allowed senders list | only accepts … from people in its organization
        | only accepts mail from people | only accept mail from
        | not authorized to send to this recipient | isn't authorized to send
        | sender not authenticated for | message bounced due to organizational settings
        | organization does not allow external forwarding
        """,
    ),
    row(
        "exchange-too-large",
        Why.MESSAGE_TOO_LARGE,
        "Exchange",
        """
        resolver.rst.recipsizelimit | resolver.rst.recipientsizelimit
        | resolver.rst.sendsizelimit | smtpsend.oversize
        | message is larger than the current system limit | message exceeds the maximum size
        | the recipient's mailbox won't accept messages … large
        """,
    ),
    row(
        "exchange-loop",
        Why.RELAY_LOOP,
        "Exchange",
        """
        routing.loopdetected | resolver.fwd.loop | storedrv.deliver; … loop | hop count exceeded
        | possible mail loop
        """,
    ),
    row(
        "exchange-route",
        Why.SYSTEM_TROUBLE,
        "Exchange",
        """
        routing.nonexistentdomain | routing.noconnectorforaddresstype
        | storedrv.deliver.exception | attr3; unable to relay through
        """,
    ),
    row(
        "exchange-expired",
        Why.EXPIRED,
        "Exchange",
        """
        queue.expired | message expired | queue expired
        """,
    ),
    row(
        "relay-keeps-list",
        Why.USER_UNKNOWN,
        "Amazon SES, Mailgun, Postmark, SendGrid: the relay knows that the address bounced before",
        """
        address is on … suppression list | suppressed sending to this address
        | not delivering to previously bounced address | previously bounced address
        | on the suppression list | marked as inactive | has been marked inactive
        | recent history of bouncing
        """,
    ),
)
