"""Sends a bulletin to one address at once, marked as a test; it is kept and counted nowhere."""

from collections.abc import Mapping, Sequence

from delivery import message
from delivery.journal import Reply
from delivery.message import Envelope
from delivery.relay import RelayPool
from foundation import addresses, errors
from foundation.ground import Ground
from foundation.i18n import N_
from templates.plan import Plan

PREFIX = "[Test] "


async def send(
    ground: Ground,
    *,
    plans: Sequence[Plan],
    to: str,
    subscriber_values: Mapping[str, str] | None = None,
    subject_prefix: str = PREFIX,
) -> None:
    """One mail for each plan, straight to the relay.

    Raises `errors.Invalid` for what is no address, and `errors.Refused` with the relay's words when
    it does not take a mail or can't be reached.
    """
    address = addresses.parse(to)
    pool = RelayPool(
        ground.settings.relay, ground.clock, rest_s=ground.settings.delivery.relay_rest_s
    )
    try:
        for plan in plans:
            data = message.preview(
                ground,
                plan=plan,
                to=address.email,
                subscriber_values=dict(subscriber_values or {}),
                subject_prefix=subject_prefix,
            )
            envelope = Envelope(
                mail_from=f"test@{ground.settings.return_path_domain}",
                rcpt_to=address.email,
                data=data,
            )
            _check(await pool.send(envelope, _always), said=[each.said for each in pool.states()])
    finally:
        await pool.close()


async def _always() -> bool:
    return True


def _check(answer: object, *, said: Sequence[str]) -> None:
    if not isinstance(answer, Reply):
        raise errors.Refused(
            N_("The relay can't be reached: %(said)s."), said="; ".join(filter(None, said))
        )
    if not 200 <= answer.code < 300:
        raise errors.Refused(
            N_("The relay refused the test: %(code)s %(text)s"), code=answer.code, text=answer.text
        )
