"""Which settings owners may change in the browser, in which words, and how each is typed.

None of them is secret, and each is read from `ground.settings` when it is needed, or compared with
what a sender goes by every two seconds: what a process holds on to from its start (hosts and ports,
folders, keys) is for file and environment alone.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import field
from urllib.parse import quote

import annotated_types

from foundation import errors
from foundation.config import Settings
from foundation.frozen import frozen
from foundation.i18n import N_
from foundation.relaying import HOST, RELAY, DomainLimit, Relay, Section


class Kind(enum.Enum):
    """How a setting is typed."""

    LINE = enum.auto()
    NUMBER = enum.auto()
    FLAG = enum.auto()
    ROLES = enum.auto()
    """Any of the roles."""
    LINES = enum.auto()
    """One a line."""


@frozen
class Offer:
    """One setting."""

    section: str
    """`relay:NAME` for a relay, `host:NAME` for the limit of a host."""
    key: str
    label: str
    values: Mapping[str, str] = field(default_factory=dict)
    """What the label needs."""
    hint: str = ""
    nothing: str = N_("nobody")
    """What a list without anything means."""
    kind: Kind = Kind.NUMBER
    is_address: bool = False

    @property
    def name(self) -> str:
        """Its name in forms and the log."""
        return f"{quote(self.section, safe=':')}.{self.key}"

    def refusal(self, section: type[Section]) -> errors.Invalid:
        """What is said to a value that can't be."""
        bounds = section.model_fields[self.key].metadata
        least = next(
            (
                each.ge if isinstance(each, annotated_types.Ge) else each.gt
                for each in bounds
                if isinstance(each, annotated_types.Ge | annotated_types.Gt)
            ),
            None,
        )
        most = next((each.le for each in bounds if isinstance(each, annotated_types.Le)), None)
        if self.kind is Kind.NUMBER and least is not None and most is not None:
            return errors.Invalid(
                N_("Type a number from %(least)s to %(most)s."), least=least, most=most
            )
        if self.kind is Kind.NUMBER and least is not None:
            return errors.Invalid(N_("Type a number, %(least)s or more."), least=least)
        return errors.Invalid(N_("This can't be used here. Look at the example."))


@frozen
class Group:
    """What stands together on the page, and is changed together."""

    key: str
    title: str
    offers: Sequence[Offer]


def _line(section: str, key: str, label: str, hint: str = "", *, is_address: bool = False) -> Offer:
    return Offer(
        section=section, key=key, label=label, hint=hint, kind=Kind.LINE, is_address=is_address
    )


def _number(section: str, key: str, label: str, hint: str = "") -> Offer:
    return Offer(section=section, key=key, label=label, hint=hint)


GROUPS = (
    Group(
        key="site",
        title=N_("The site"),
        offers=(
            _line("site", "name", N_("Name of the site"), N_("On every page and mail.")),
            _line("site", "postal_address", N_("Postal address"), N_("Below every mail.")),
            _line("site", "contact_email", N_("Address for questions"), is_address=True),
            _line(
                "mail", "from_name", N_("Sender’s name"), N_("Blank takes the name of the site.")
            ),
            _line(
                "mail",
                "reply_to",
                N_("Where answers go"),
                N_("An address; blank: to the sender."),
                is_address=True,
            ),
            _line(
                "mail",
                "staff_address",
                N_("Where the office is told of trouble"),
                N_("An address; blank: owners are told."),
                is_address=True,
            ),
        ),
    ),
    Group(
        key="signing-in",
        title=N_("Signing in"),
        offers=(
            Offer(
                section="security",
                key="second_step_roles",
                label=N_("Who needs a second step"),
                hint=N_("Until they have set one up, they see only their own account."),
                kind=Kind.ROLES,
            ),
            _number("security", "session_days", N_("Days that staff stay signed in")),
            _number("security", "invitation_days", N_("Days that an invitation works")),
            _number("security", "signin_link_minutes", N_("Minutes that a mailed link works")),
            _number(
                "security",
                "signin_attempts_per_hour",
                N_("Tries to sign in, in an hour"),
                N_("For one address; a network has five times as many."),
            ),
            _number("security", "password_min_length", N_("Shortest password, in characters")),
        ),
    ),
    Group(
        key="sending",
        title=N_("Sending"),
        offers=(
            _number("release", "approvers", N_("People who have to approve a campaign")),
            _number(
                "release",
                "undo_s",
                N_("Seconds in which a start can be undone"),
                N_("0: the first mail leaves at once."),
            ),
            _number(
                "release", "alert_minutes", N_("Minutes in which a second person releases an alert")
            ),
            Offer(
                section="release",
                key="tell",
                label=N_("Who is told when something is sent"),
                hint=N_("Addresses, one a line."),
                kind=Kind.LINES,
            ),
            _number(
                "delivery",
                "late_start_hours",
                N_("Hours after which a missed start waits for a person"),
            ),
        ),
    ),
    Group(
        key="alarms",
        title=N_("Alarms"),
        offers=(
            _number(
                "bounces",
                "complaint_alarm_percent",
                N_("Complaints that raise an alarm, in percent"),
            ),
            _number("bounces", "complaint_pause_percent", N_("Complaints that pause, in percent")),
            _number("bounces", "hard_pause_percent", N_("Dead addresses that pause, in percent")),
            _number("bounces", "least_sent", N_("Mails sent before anything is judged")),
            _number(
                "trials",
                "unsubscribe_stop_percent",
                N_("Unsubscriptions that stop trying two forms, in percent"),
            ),
        ),
    ),
    Group(
        key="keeping",
        title=N_("What is counted and kept"),
        offers=(
            Offer(
                section="tracking",
                key="enabled",
                label=N_("Count opens and clicks"),
                hint=N_("By name only of those who agreed."),
                kind=Kind.FLAG,
            ),
            _number("retention", "network_days", N_("Days that networks are kept")),
            _number(
                "retention", "unconfirmed_days", N_("Days that sign-ups without an answer are kept")
            ),
            _number("retention", "bounce_evidence_days", N_("Days that returned mail is kept")),
            _number("retention", "sessions_days", N_("Days that ended sign-ins are kept")),
        ),
    ),
    Group(
        key="coalition",
        title=N_("The coalition"),
        offers=(
            _number("coalition", "renew_after_days", N_("Days until a member is asked anew")),
            _number("coalition", "renewal_reminder_days", N_("Days until it is reminded of that")),
            _number(
                "partners", "fewer_than", N_("Smaller numbers than this are hidden from partners")
            ),
            _number("kiosk", "idle_s", N_("Seconds until a tablet forgets what was typed")),
        ),
    ),
)


def groups(settings: Settings) -> Sequence[Group]:
    """All of them: what holds for every site, and how fast it sends, by which way and to whom."""
    pace = Group(
        key="relays",
        title=N_("How fast mail goes out"),
        offers=[offer for relay in settings.relay for offer in _of_relay(relay)],
    )
    hosts = Group(
        key="hosts",
        title=N_("How fast mail goes to the large providers"),
        offers=[offer for limit in settings.domain_limit for offer in _of_host(limit)],
    )
    return (*GROUPS, pace, hosts)


def group(key: str, settings: Settings) -> Group:
    """A group by its key. Raises `errors.NotFound`."""
    found = next((each for each in groups(settings) if each.key == key), None)
    if found is None:
        raise errors.NotFound(N_("There is no such page."))
    return found


def _pace(section: str, label: str, values: Mapping[str, str]) -> Offer:
    return Offer(
        section=section,
        key="rates",
        label=label,
        values=values,
        hint=N_(
            "One a line, such as 20/s, 500/min, 10000/h or 100000/day; all of them hold. "
            "Blank: no limit."
        ),
        nothing=N_("no limit"),
        kind=Kind.LINES,
    )


def _of_relay(relay: Relay) -> Sequence[Offer]:
    section, values = f"{RELAY}{relay.name}", {"relay": relay.name}
    return (
        _pace(section, N_("Most that the relay “%(relay)s” gets"), values),
        Offer(
            section=section,
            key="warmup",
            label=N_("Most that “%(relay)s” gets on its first days"),
            values=values,
            hint=N_(
                "One number a line, for one day after another: 50, 100, 500. Then only what is "
                "said above holds. Blank: no such days."
            ),
            nothing=N_("no such days"),
            kind=Kind.LINES,
        ),
        Offer(
            section=section,
            key="connections",
            label=N_("Connections to “%(relay)s” at once"),
            values=values,
            hint=N_("More of them send faster, as long as it takes them."),
        ),
        Offer(
            section=section,
            key="messages_per_connection",
            label=N_("Mails after which a connection to “%(relay)s” is opened anew"),
            values=values,
        ),
    )


def _of_host(limit: DomainLimit) -> Sequence[Offer]:
    section = f"{HOST}{limit.name}"
    values = {"host": limit.name, "domains": ", ".join(limit.domains)}
    return (
        _pace(section, N_("Most that goes to “%(host)s” (%(domains)s)"), values),
        Offer(
            section=section,
            key="connections",
            label=N_("Mails that are under way to “%(host)s” at once"),
            values=values,
            hint=N_("In each sending process. 0: as many as there are connections."),
        ),
        Offer(
            section=section,
            key="back_off",
            label=N_("Slow down when “%(host)s” says that we are too fast"),
            values=values,
            hint=N_("And speed up again, step by step."),
            kind=Kind.FLAG,
        ),
    )
