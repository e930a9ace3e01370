"""A proof of work that browsers bring along while the forms are under attack (ALTCHA).

Nobody sees it in quiet times. When more is sent in than people send, whoever asks for a form gets a
challenge that takes a browser a second and a flooder with thousands of addresses a day. Each proof
is good for one sign-up. Whoever can't run scripts may send the form all the same: a person of the
office looks at it then, and nothing is lost.
"""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import errors, throttle
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import limits
from subscribers.intake import SignUpRequest
from subscribers.models import Doubt

FIELD = "altcha"
"""The field with the proof, as ALTCHA's element names it."""
_ALGORITHM = "PBKDF2/SHA-256"
_ROUNDS_A_TRY = 1_000
"""Half a millisecond, which is what a challenge costs us; a browser makes hundreds of tries."""
_GOOD_FOR = timedelta(hours=1)
"""How long somebody may look at a form before sending it."""
_MAX_PROOF = 4_000


async def is_asked_for(ground: Ground, session: AsyncSession) -> bool:
    """Whether a sign-up has to bring a proof along now."""
    wanted = ground.settings.signup.challenge
    return wanted == "always" or (wanted == "auto" and await limits.is_attacked(ground, session))


async def issue(ground: Ground) -> Mapping[str, object]:
    """A new challenge, as ALTCHA's element takes it (its protocol, version 2)."""
    import altcha  # with its other algorithms a megabyte and a half, which quiet times save

    tries = ground.settings.signup.challenge_rounds // _ROUNDS_A_TRY
    # A known answer between half and all of the tries: nobody is lucky, nobody waits for ever.
    counter = tries // 2 + secrets.randbelow(tries // 2 + 1)
    made = await asyncio.to_thread(
        altcha.create_challenge,
        _ALGORITHM,
        _ROUNDS_A_TRY,
        counter=counter,
        data={"issued": int(ground.clock.now().timestamp())},
        hmac_secret=ground.tokens.derive("challenge"),
        hmac_key_secret=ground.tokens.derive("challenge-key"),
    )
    found: Mapping[str, object] = made.to_dict()
    return found


async def judge(ground: Ground, *, request: SignUpRequest) -> Doubt:
    """Look at the proof of a sign-up where one is asked for; a good one is used up by that.

    Raises `errors.ProofNeeded` with a new challenge when it brought none that is good; a form that
    was shown with a challenge and comes back without proof is doubtful instead.
    """
    if not request.is_from_public:
        return Doubt.NONE
    async with ground.db.reading() as session:
        if not await is_asked_for(ground, session):
            return Doubt.NONE
    if request.proof and await _is_good(ground, request.proof):
        return Doubt.NONE
    if request.has_seen_challenge and not request.proof:
        return Doubt.NO_PROOF
    async with ground.db.transaction() as session:
        # What is turned away belongs to the attack, which is over only when that stops too.
        await limits.note_submissions(ground, session)
    raise errors.ProofNeeded(
        N_(
            "Many programs are using this form at the moment. Your browser has to do a little "
            "work first; please send the form once more."
        ),
        challenge=await issue(ground),
    )


async def _is_good(ground: Ground, proof: str) -> bool:
    """Whether a proof is right, fresh, and used for the first time."""
    found = await asyncio.to_thread(_solved, ground, proof[: _MAX_PROOF + 1])
    if found is None:
        return False
    nonce, issued = found
    age = ground.clock.now().timestamp() - issued
    if not 0 <= age <= _GOOD_FOR.total_seconds():
        return False
    async with ground.db.transaction() as session:
        used = await throttle.count(
            session,
            subject=throttle.subject_key("proof", nonce, secret=ground.tokens.derive("throttle")),
            # The window of its making, so that all uses are counted in one.
            window=_GOOD_FOR,
            now=ground.clock.now() - timedelta(seconds=age),
        )
    return used == 1


def _solved(ground: Ground, proof: str) -> tuple[str, int] | None:
    """The challenge's nonce and second of issue; None when the proof is not right."""
    if len(proof) > _MAX_PROOF:
        return None
    import altcha

    result = altcha.verify_solution(
        proof,
        ground.tokens.derive("challenge"),
        hmac_key_secret=ground.tokens.derive("challenge-key"),
    )
    if not result.verified:
        return None
    parameters = altcha.Payload.from_base64(proof).challenge.parameters
    return parameters.nonce, int((parameters.data or {}).get("issued", 0))
