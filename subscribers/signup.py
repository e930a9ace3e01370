"""A person signs up: sent in by a form or program, to be confirmed behind a mailed link.

Sending in never changes what a known person has: names, language and tags wait in the sign-up until
it is confirmed, and nobody is un-confirmed. Whoever sends a form learns nothing about the address:
known, unknown, over a limit and suppressed addresses take the same way and get the same answer.
What happens behind the link is in `confirming.py`.
"""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, i18n
from foundation.addresses import Address
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import (
    challenge,
    disposable,
    intake,
    keeping,
    languages,
    limits,
    suppression,
    taking,
    typos,
)
from subscribers.confirming import Answer, Confirmed, confirm, look
from subscribers.intake import HONEYPOT, SignUpRequest
from subscribers.models import SignUp, SignUpState, Subscriber, Topic
from subscribers.taking import Sent, SignUpOutcome

__all__ = [
    "HONEYPOT",
    "Answer",
    "Confirmed",
    "SignUpOutcome",
    "SignUpRequest",
    "ask",
    "confirm",
    "look",
    "send_link",
    "submit",
]


async def submit(ground: Ground, *, request: SignUpRequest) -> SignUpOutcome:
    """Take a sign-up and queue the mail that asks the person to confirm it.

    Raises `errors.Invalid` with the wrong fields, `errors.NotFound` when the form is gone, and
    `errors.ProofNeeded` under attack. Over a limit the sign-up is held, not lost:
    `retention.release_held` sends its mail when there is room. What looks like a program's waits
    for staff (`doubts.py`). Those that come at the same time are committed together (`taking.py`).
    """
    address = _checked(ground, request)
    language = i18n.match(request.language, ground.catalog.languages)
    if request.further_languages:
        codes = languages.further(ground, [request.further_languages], main=language)
        request = request._replace(further_languages=codes)
    sent = Sent(
        request=request,
        address=address,
        language=language,
        is_judged=not request.is_from_public,
    )
    outcome = await ground.together.ask(taking.take, ground, sent)
    if outcome is None:
        doubt = await challenge.judge(ground, request=request)
        judged = sent._replace(doubt=doubt, is_judged=True)
        outcome = await ground.together.ask(taking.take, ground, judged)
    assert outcome is not None  # noqa: S101 - nobody's proof is looked at twice
    return outcome


async def ask(
    ground: Ground,
    session: AsyncSession,
    *,
    person: Subscriber,
    wanted: Sequence[Topic],
    source: str,
    via: str = "import",
    network: str = "",
) -> SignUpState:
    """Ask somebody whom we have already to confirm further topics, within the limits.

    For uploads, and for people who come back through their preferences.
    """
    address = Address(email=person.email, key=person.email_key)
    lasting = await suppression.reasons(ground, session, email_key=address.key)
    may = await limits.may_confirm(ground, session, address=address)
    is_sent = may and not lasting & suppression.LASTING
    state = SignUpState.SUBMITTED if is_sent else SignUpState.HELD
    entry = keeping.Entry(
        person_id=person.id,
        email=person.email,
        request=SignUpRequest(email=person.email, source=source, via=via, network=network),
        language=i18n.match(person.language, ground.catalog.languages),
        topics=wanted,
        state=state,
    )
    await keeping.keep(ground, session, [entry])
    return state


async def send_link(
    ground: Ground,
    session: AsyncSession,
    *,
    row: SignUp,
    person: Subscriber,
    wanted: Sequence[Topic],
) -> None:
    """Queue the mail that asks to confirm a sign-up."""
    await ground.notices.queue(
        session,
        keeping.link(
            ground,
            signup_id=row.id,
            person_id=person.id,
            email=person.email,
            language=row.language,
            wanted=wanted,
        ),
    )


def _checked(ground: Ground, request: SignUpRequest) -> Address:
    """The address. Raises `errors.Invalid` for what is wrong or looks like a slip."""
    address = intake.check(request)
    if not request.is_from_public:
        return address
    typos.point_out(address, sure=request.sure)
    settings = ground.settings.signup
    if settings.disposable == "refuse" and disposable.is_disposable(address, settings=settings):
        said = N_("Mail to throw-away addresses does not last. Give one that you keep.")
        raise intake.to_mend({"email": errors.Invalid(said)})
    return address
