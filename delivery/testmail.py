"""Sends a bulletin to one address at once, marked as a test; it is kept and counted nowhere."""

from collections.abc import Mapping

from delivery import allowances, limits, message, routing
from delivery.allowances import Ask
from delivery.connection import Connection, ConnectionStale
from delivery.letter import Envelope, Kind, Lease, Letter, Outcome, Verdict
from delivery.opening import RelayTrouble
from delivery.routing import Route
from foundation import addresses, errors
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.relaying import Relay
from templates.plan import Plan

PREFIX = "[Test] "


async def send(
    ground: Ground,
    *,
    plans: Mapping[str, Plan],
    to: str,
    subscriber_values: Mapping[str, str] | None = None,
    from_name: str = "",
    from_address: str = "",
    subject_prefix: str = PREFIX,
    relay: str = "",
) -> None:
    """One mail for each language, straight to the first relay for it that can be reached.

    Raises `errors.Invalid` for what is no address, and `errors.Refused` with the relay's words when
    it does not take a mail or can't be reached, or when it is at its limit.
    """
    address = addresses.parse(to)
    author = from_address or ground.settings.mail.from_address
    route = routing.route(ground.settings.relay, from_address=author, named=relay)
    by, connection = await _connect(ground, route)
    try:
        for plan in plans.values():
            await _use_permit(ground, by)
            data = message.preview(
                ground,
                plan=plan,
                to=address.email,
                subscriber_values=dict(subscriber_values or {}),
                from_name=from_name,
                from_address=from_address,
                subject_prefix=subject_prefix,
            )
            envelope = Envelope(
                mail_from=message.ReturnPaths(ground)(0, is_notice=False),
                rcpt_to=address.email,
                pieces=(data,),
                size=len(data),
                needs_smtputf8=not address.email.isascii(),
            )
            hand = _Hand()
            await connection.send(_letter(ground, envelope), hand)
            _check(hand.outcome)
    except (RelayTrouble, ConnectionStale) as trouble:
        raise _unreachable(str(trouble)) from trouble
    finally:
        await connection.quit()


async def _connect(ground: Ground, route: Route) -> tuple[Relay, Connection]:
    said: list[str] = []
    for relay in ground.settings.relay:
        if relay.name in route:
            try:
                return relay, await Connection.open(relay)
            except RelayTrouble as trouble:
                said.append(f"{relay.name}: {trouble.said}")
    raise _unreachable("; ".join(said))


async def _use_permit(ground: Ground, relay: Relay) -> None:
    """It counts in the relay's rates, as every mail does."""
    terms = limits.terms_of_relay(relay)
    if not (terms.rates or terms.warmup):
        return
    grants = await allowances.reserve(ground, [Ask(terms=terms, notices=1)])
    if not grants[terms.name].notices:
        raise errors.Refused(
            N_("“%(name)s” has had all that it may get for now. Try again later."), name=relay.name
        )


def _letter(ground: Ground, envelope: Envelope) -> Letter:
    return Letter(
        kind=Kind.NOTICE,
        id=0,
        attempt=1,
        lease=Lease.starting(ground.clock.now(), seconds=0),
        compose=lambda _is_8bit: envelope,
        envelope=envelope,
    )


class _Hand:
    """Gives leave for what somebody asked for a moment ago, and remembers what came of it."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None

    def clear_now(self, _letter: Letter) -> bool:
        return True

    async def clear(self, _letter: Letter) -> bool:
        return True

    def follow(self) -> None:
        return None

    def settle(self, _letter: Letter, outcome: Outcome) -> None:
        self.outcome = outcome

    def put_back(self, _letter: Letter) -> None:
        self.outcome = None


def _check(outcome: Outcome | None) -> None:
    if outcome is None or outcome.verdict is Verdict.SENT:
        return
    if not outcome.reply.code:
        raise _unreachable(outcome.reply.text)
    raise errors.Refused(
        N_("The relay refused the test: %(code)s %(text)s"),
        code=outcome.reply.code,
        text=outcome.reply.text,
    )


def _unreachable(said: str) -> errors.Refused:
    return errors.Refused(N_("The relay can't be reached: %(said)s."), said=said)
