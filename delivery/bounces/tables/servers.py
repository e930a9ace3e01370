"""What servers say about themselves, and about the way to them."""

from delivery.bounces.reasons import BounceReason as Why
from delivery.bounces.tables.row import row

ROWS = (
    row(
        "greylist",
        Why.GREYLISTED,
        "Postgrey, milter-greylist, Exim, Rspamd",
        """
        greylist | greylisted | greylisting | grey list | grey listed | grey listing
        | grey-listed | grey-listing | graylist | graylisted | graylisting | gray listed
        | postgrey
        """,
    ),
    row(
        "loop",
        Why.RELAY_LOOP,
        "Postfix, Sendmail, Exim, qmail, Exchange, Domino",
        """
        mail loop | mail loops | mailloop | loops back to | forwarding loop | routing loop
        | message is looping | message looping | looping | loop detected | loop found
        | too many hops | too many received | too many 'received' | hops exceeded | hop count
        | maximum hop | infinite loop | local configuration error … loops | best-preference mx
        | lowest numbered mx
        """,
    ),
    row(
        "no-mail-wanted",
        Why.NOT_ACCEPTING,
        "Postfix, Exim, Gmail (null MX, RFC 7505; 521 and 556, RFC 7504)",
        """
        does not accept mail (nullmx) | nullmx | null mx | null-mx | does not accept mail
        | does not accept email | doesn't accept mail | does not receive mail
        | host accepts no mail | accepts no mail | not accept any mail | domain … no mail
        | no longer accepts mail | not accepting mail | no longer accepting mail
        | does not receive email | has no mail service
        """,
    ),
    row(
        "no-connection",
        Why.NETWORK,
        "Postfix, Exim, Sendmail, qmail, Exchange, Gmail",
        """
        connection timed out | connection timeout | connection refused | connection reset
        | connection closed | connection was closed | connection dropped | connection died
        | connection lost | connection failed | connection to … failed
        | connection attempt failed | connection could not be | connection … timed out
        | lost connection | timed out | timeout while | timeout after | timeout waiting
        | no route to host | network is unreachable | network unreachable | host is unreachable
        | host unreachable | host is down | network error | host down | no answer from host
        | not answering | did not respond | didn't respond | unresponsive | not responding
        | unable to connect | unable to contact | cannot connect | can't connect
        | could not connect | couldn't connect | could not contact
        | wasn't able to establish an smtp connection | failed to connect | bad connection
        | all hosts … failing | no hosts could be | host lookup did not complete | dns failure
        | dns error | dns lookup failure | dns server failure | name server … timeout
        | lookup failed | lookup failure | unable to resolve | broken pipe
        | remote server … not available | conversation with … timed out | during … conversation
        | read error from | greeting failed | smtp error: timeout | no mail hosts
        """,
    ),
    row(
        "trouble",
        Why.SYSTEM_TROUBLE,
        "Postfix, Exim, Sendmail, qmail, Exchange, Domino",
        """
        system trouble | internal error | internal server error | internal software error
        | insufficient system | insufficient disk | insufficient resources | insufficient space
        | out of memory | out of disk | disk full | no space left | no disk space
        | system resources | system error | system failure | system problem
        | server configuration | server error | configuration error | configuration problem
        | misconfigured | local error | local problem | local delivery failed
        | local delivery error | delivery agent | error in processing | error processing | lmtp
        | pipe | permission denied | read-only | input/output error | i/o error | can't create
        | cannot create | can't open | cannot open | cannot write | can't write | can not write
        | unable to open | unable to create | unable to write | unable to lock | could not open
        | cannot append | unable to chdir | has no home | uh-oh | child crashed | wrong owner
        | exec format | can't exec | transport … error | mailer error | mailer … died
        | deferred by | aborted | maintenance | resources temporarily unavailable
        | resources unavailable | temporarily not available | temporary local problem
        | temporary system problem | temporary failure | temporary error | temporary problem
        | temporarily unable | temporarily rejected | temporarily deferred | try later
        | try again later | come back later | service not available | service is not available
        | service currently unavailable | service temporarily unavailable
        | unavailable at this time | cannot process | can't process | unable to process
        | unexpected error | unexpected response | database error | ldap | mysql | backend
        | misrouted | bad configuration | unable to accept | invalid configuration
        | transport rules | overloaded | too busy
        """,
    ),
    row(
        "protocol",
        Why.PROTOCOL_ERROR,
        "Postfix, Exim, Sendmail, Exchange",
        """
        syntax error | bad sequence of commands | command out of sequence | out of order
        | protocol error | command unrecognized | command not recognized | unrecognized command
        | command not implemented | not implemented | command rejected | improper command
        | invalid command | unsupported | unexpected command | need rcpt | need mail
        | valid rcpt command must precede | synchronization error | pipelining | auth required
        | authentication required | authentication failed | must authenticate
        | authentication credentials | must be authenticated | requires authentication
        | smtp auth | parameter
        """,
    ),
    row(
        "expired",
        Why.EXPIRED,
        "Sendmail, Postfix, Exim, Amazon SES, Exchange",
        """
        delivery time expired | delivery expired | retry timeout exceeded
        | retry time not reached | retry time exceeded | timeout exceeded
        | could not be delivered for | not be delivered within | has not been collected
        | been in the queue too long | in queue too long | queue too long | queue lifetime
        | not delivered … days | undeliverable for | unable to deliver … after … days
        | unable to deliver in | giving up after | failed … attempts | exceeded … retry
        | delivery attempts | tried to deliver … for | too old | message has been queued
        | mail has been queued | could not send message for past | expiration time
        | time limit for delivery
        """,
    ),
)
