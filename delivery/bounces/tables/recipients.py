"""What most servers say about a mailbox or its domain."""

from delivery.bounces.reasons import BounceReason as Why
from delivery.bounces.tables.row import row

ROWS = (
    row(
        "full",
        Why.MAILBOX_FULL,
        "Postfix, Exim, qmail, Courier, Domino, IMail, iPlanet, Cyrus, Dovecot, Zimbra, Sendmail",
        """
        mailbox full | mailbox is full | mail box is full | mail box full | mailbox … is full
        | mailbox was full | mailbox quota | mailbox size | mailbox has exceeded
        | mailbox exceeds | mailbox … exceeds | mailbox over | mailbox limit | mailbox storage
        | mailbox would exceed | mailfolder is full | mailfolder is over | folder is full
        | mail file … full | inbox is full | inbox full | account is full | account full
        | account … full | user is full | overquota | over quota | over_quota | over-quota
        | over the quota | over disk quota | over the maximum allowed | out of quota
        | quota exceeded | quota exceed | quota full | quota is full | quota … exceeded
        | quota violation | quota limit | exceeded quota | exceeded … quota | exceeds quota
        | exceeding … quota | exceeds … quota | exceed … quota | exceeds allowed size
        | exceeded storage allocation | exceeded its storage | exceeded … storage limit
        | exceeded … disk space | exceeded the … space | exceeded the space | exceeded allocated
        | not enough storage | not enough space | not enough room | not enough disk
        | no space … mailbox | storage quota | disk quota | disk space limit
        | disk full … mailbox | maildir over | message storage … exceeded
        | user has too many messages | user has too much mail | too many messages in … mailbox
        | mailbox contains too many messages | is over his quota | database … quota
        | insufficient … quota | no space left … mailbox | would exceed … quota
        | not enough … quota | mailbox … full | storage space | exceeded its … limit | quota
        """,
    ),
    row(
        "too-large",
        Why.MESSAGE_TOO_LARGE,
        "Postfix, Exim, Sendmail, Domino, qmail, Exchange",
        """
        message too large | message is too large | message too big | message is too big
        | mail too large | mail is too large | message size exceeds | message size … exceeds
        | message size limit | message file too big | message length exceeds
        | message exceeds … size | message exceeded … size | message exceeds maximum
        | message exceeds fixed | exceeds the maximum message size | exceeds maximum message size
        | exceeds size limit | exceeds the size limit | exceeded message size
        | exceeded the maximum size | exceeds … message size | size of the message
        | too large message | maximum message size | max message size | max allowed message size
        | data size exceeded | line limit exceeded | attachment … too large | too big for
        | data too long
        """,
    ),
    row(
        "moved",
        Why.ADDRESS_MOVED,
        "Sendmail (REDIRECT), Exim, Apple",
        """
        user has moved | user has changed address | has moved to | has moved; please try
        | recipient has moved | address has changed | changed … email address | new address is
        | mailbox has moved | user not local; please try | user no longer on server
        | recipient no longer on server | has been replaced by
        """,
    ),
    row(
        "locked-for-now",
        Why.SUSPENDED,
        "Exim with cPanel, AT&T, OVH, Zimbra, Postfix",
        """
        suspend | suspended | temporarily disabled | temporarily locked | temporarily inactive
        | temporarily blocked … user | account is locked | account locked | mailbox is locked
        | mailbox locked | mailbox is frozen | mailbox frozen | mailbox temporarily disabled
        | mailbox temporarily unavailable | user is locked | user locked | account … frozen
        | is currently suspended | mailbox currently unavailable | recipient is blocked
        | account … locked | user account is locked | access disabled
        """,
    ),
    row(
        "closed",
        Why.MAILBOX_DISABLED,
        "Exim, Postfix, iPlanet, Verizon, Zimbra, hMailServer, Mail.ru",
        """
        account is disabled | account disabled | account has been disabled
        | account … has been disabled | account is not active | account not active
        | account is inactive | account inactive | account has been deactivated
        | account deactivated | account is deactivated | account has been closed | account closed
        | account has been cancelled | account has been terminated | account terminated
        | account expired | account has expired | account has been blocked | account blocked
        | account is blocked | account discontinued | mailbox disabled | mailbox … disabled
        | mailbox is inactive | mailbox inactive | mailbox not active | mailbox has been blocked
        | mailbox is blocked | mailbox closed | mailbox … closed | mailbox has been closed
        | mailbox expired | deactivated mailbox | disabled mailbox | disabled account
        | disabled recipient | inactive user | inactive account | inactive mailbox
        | inactive recipient | address disabled | address is disabled | address no longer in use
        | address is no longer in use | address … no longer in use | address is no longer active
        | address is inactive | address … discontinued | address is administratively disabled
        | user disabled | user is disabled | user is inactive | user inactive
        | user is deactivated | user deactivated | user not active | user is not active
        | user … terminated | user is terminated | user has been disabled | recipient … disabled
        | recipient disabled | recipient is inactive | recipient is not active | login disabled
        | no longer with | no longer employed | no longer works | no longer active
        | account … disabled | address … disabled | user … disabled | user … inactive
        | mailbox … inactive | cannot receive new mail | unused mailbox | inactive for
        | this address no longer accepts mail | no longer in use | no longer in service
        | has left our company
        """,
    ),
    row(
        "dns-for-now",
        Why.NETWORK,
        "Postfix, qmail, Sendmail: the domain may be there",
        """
        host not found, try again | name service error … try again | temporary lookup failure
        | temporary dns | temporarily unable to resolve | cname lookup failed temporarily
        | host name lookup failure | servfail | dns soft | name server timeout
        | name server: … timeout
        """,
    ),
    row(
        "no-such-domain",
        Why.DOMAIN_UNKNOWN,
        "Postfix, Exim, Sendmail, qmail, Domino, IMail, iPlanet",
        """
        host or domain name not found. name service error for name=… host not found
        | host not found | host unknown | unknown host | mail host unknown | unknown mail host
        | unknown domain | domain unknown | domain not found | domain … not found
        | domain does not exist | domain doesnt exist | could not find a gateway
        | domain doesn't exist | domain … does not exist | domain … doesn't exist
        | domain name … not exist | host … does not exist | non-existent hosts
        | non-existent domain | nonexistent host | nonexistent mx | no such domain | no such host
        | name or service not known | no mx record | no mx or a record | no mx found
        | no valid mx | no valid hosts found | domain has no | no host name found
        | can't find host | couldn't find any host | couldn't find a mail exchanger
        | unable to look up mx | bad destination host | bad destination system
        | bad destination mailbox domain | bad domain | bad host | illegal host | illegal domain
        | invalid domain | invalid host | invalid mail domain | unrouteable mail domain
        | unroutable mail domain | unrouteable domain | unresolvable
        | domain … could not be found | domain … couldn't be found | domain could not be found
        | domain couldn't be found | host … could not be found | server … could not be found
        | no dns | nxdomain | no route found to domain | domain invalid | domain … invalid
        | domain … not registered | unrecognized domain | domain name not known
        | recipient domain … not | recipient domain must exist | no data known
        | not a valid domain
        """,
    ),
    row(
        "no-such-user",
        Why.USER_UNKNOWN,
        "Sendmail, Postfix, Exim, qmail, Courier, OpenSMTPD, iPlanet and everybody else",
        """
        user unknown | unknown user | unknown local user | unknown local part
        | unknown local-part | unknown recipient | unknown account | unknown mailbox
        | unknown virtual | unknown or illegal | unknown to address | recipient unknown
        | recipient is unknown | account unknown | address unknown | address … unknown
        | mailbox unknown | user is unknown | user … unknown | local user … unknown
        | no such user | no such mailbox | no mail box | bad_recipient | bad recipient
        | no such recipient | no such address | no such account | no such person
        | no such local user | no such virtual user | no such email | no such e-mail
        | no such alias | no such name | no such <@> | no mailbox here | no mailbox by that name
        | no mailbox found | no mailbox for | no mailbox | no valid recipient
        | no valid recipients | no valid mailbox | no email account | no local mailbox
        | not our customer | not a valid mailbox | not a valid user | not a valid recipient
        | not a valid address | not a valid email | not a known user | not a known address
        | not a user | not a local user | not known at this | not known here
        | not found in … directory | not an active address | not have an account
        | not have an email account | doesn't have an account | never existed | nonexistent user
        | nonexistent recipient | nonexistent mailbox | non-existent user
        | non-existent recipient | non-existent mailbox | non-existent account | user not found
        | user cannot be found | user could not be found | user was not found | user … not found
        | user not known | user not here | user is not known | user … invalid | mailbox not found
        | mailbox … not found | mailbox doesn't | mailbox is invalid | recipient not found
        | recipient … not found | recipient not known | recipient invalid
        | recipient address unknown | account not found | account … not found
        | account is invalid | address not found | address not known | address not present in
        | address not valid | address is not valid | address is invalid | address invalid
        | address … invalid | address is unknown | invalid recipient | invalid user
        | invalid mailbox | invalid address | invalid account | invalid final delivery userid
        | invalid email | invalid e-mail | invalid local | invalid destination | bad destination
        | bad address syntax | bad email address | bogus address | illegal alias | illegal user
        | undeliverable address | unrouteable address | unroutable address | unrouteable local
        | can't find user | cannot find user | couldn't find user | could not find user
        | could not find a user | unable to find user | unable to find recipient
        | unable to find … mailbox | unable to validate recipient | unable to verify … recipient
        | name not found | no longer available | no longer exists | no longer valid
        | no longer at | no longer here | has left | alias not found | user … deleted
        | mailbox … deleted | account … deleted | address … deleted | account has been removed
        | user has been removed | has left the company | has left the organization
        | unknown address | unknown email | no matches to name | name is unknown
        | could not be found | couldn't be found | cannot be found | doesn't exist
        | does not exist | don't exist | do not exist | doesnt exist | didn't exist | not exist
        | not listed in | not listed | non existent | no user | no account | address … not found
        | recipient … unknown | address … not … valid | this is not a valid | user isn't
        | user not exist | account that you tried to reach does not | has no mailbox
        | there is no one | nobody here | no one here by that name | by that name
        """,
    ),
)
