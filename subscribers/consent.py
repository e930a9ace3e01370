"""The append-only record of what people were asked, in which words, and what they answered.

Every verb that touches consent records its step here, in its own transaction. Wordings are kept in
full: a change of the words makes a new version, and old steps still point at what was shown then.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import tables
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from subscribers.models import Consent, ConsentStep, Wording

SIGNUP = "signup"
CONFIRM = "confirm"
PREFERENCES = "preferences"
TRACKING = "tracking"
SHEET = "sheet"

WORDS = {
    SIGNUP: N_(
        "Send me bulletins from %(site)s by e-mail on what I chose. I can stop them at any time "
        "with the link in every mail."
    ),
    CONFIRM: N_(
        "By pressing the button you agree to get bulletins from %(site)s by e-mail. You can stop "
        "them at any time with the link in every mail."
    ),
    PREFERENCES: N_(
        "%(site)s sends you bulletins on what is ticked here, and stops when you take the tick "
        "away."
    ),
    SHEET: N_(
        "By writing my address here I ask %(site)s for bulletins by e-mail. First I get one mail, "
        "and nothing else unless I confirm it; I can stop them at any time."
    ),
    TRACKING: N_(
        "%(site)s may note which bulletins I open and which links I follow, to learn what is "
        "useful. Without this, only totals are counted, without my name."
    ),
}
"""What people are asked, by the wording's key."""


def words(ground: Ground, key: str, *, language: str) -> str:
    """The words by which consent is asked, as a page shows them."""
    return ground.translator(language).gettext(WORDS[key]) % {"site": ground.settings.site.name}


@frozen
class Shown:
    """Words as somebody reads them now."""

    text: str
    version: int
    """That they are kept under, or will be when the first person agrees to them."""


async def shown(ground: Ground, session: AsyncSession, key: str, *, language: str) -> Shown:
    """The words by which consent is asked, for a page that is only looked at."""
    text = words(ground, key, language=language)
    ours = sa.select(col(Wording.version)).where(
        col(Wording.key) == key, col(Wording.language) == language
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    version = await session.scalar(ours.where(col(Wording.text_hash) == digest))
    if version is None:
        newest = await session.scalar(ours.order_by(col(Wording.version).desc()).limit(1))
        version = (newest or 0) + 1
    return Shown(text=text, version=version)


async def asked(ground: Ground, session: AsyncSession, key: str, *, language: str) -> Wording:
    """The wording of ours that a page shows just now, kept with its version."""
    return await wording(
        session,
        key=key,
        language=language,
        text=words(ground, key, language=language),
        now=ground.clock.now(),
    )


async def wording(
    session: AsyncSession, *, key: str, language: str, text: str, now: datetime
) -> Wording:
    """The version of a wording that has exactly these words; made when they are new."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    same = select(Wording).where(
        Wording.key == key, Wording.language == language, Wording.text_hash == digest
    )
    while (found := (await session.exec(same)).first()) is None:
        newest = await session.scalar(
            sa.select(sa.func.max(col(Wording.version))).where(
                col(Wording.key) == key, col(Wording.language) == language
            )
        )
        # Another process may have written the same words just now: then the next look finds them.
        await session.execute(
            tables.insert_for(session, Wording)
            .values(
                key=key,
                language=language,
                version=(newest or 0) + 1,
                text=text,
                text_hash=digest,
                created_at=now,
            )
            .on_conflict_do_nothing()
        )
    return found


def record(
    session: AsyncSession,
    *,
    subscriber_id: int,
    at: datetime,
    step: ConsentStep,
    language: str,
    via: str,
    topics: Sequence[str] = (),
    wording_id: int | None = None,
    signup_id: int | None = None,
    form_id: int | None = None,
    network: str | None = None,
    dispatch_id: int | None = None,
    partner_id: int | None = None,
    reason: str = "",
) -> None:
    """Add a step to the caller's transaction; no `topics` means all of them."""
    session.add(
        Consent(
            subscriber_id=subscriber_id,
            at=at,
            step=step.value,
            topics=list(topics),
            wording_id=wording_id,
            language=language,
            signup_id=signup_id,
            form_id=form_id,
            partner_id=partner_id,
            network=network or None,
            dispatch_id=dispatch_id,
            via=via,
            reason=reason,
        )
    )


def entry(
    *,
    subscriber_id: int,
    at: datetime,
    step: ConsentStep,
    language: str,
    via: str,
    reason: str,
    dispatch_id: int | None,
) -> Consent:
    """A step about all topics, for whoever writes many at once."""
    return Consent(
        subscriber_id=subscriber_id,
        at=at,
        step=step.value,
        topics=[],
        language=language,
        via=via,
        reason=reason,
        dispatch_id=dispatch_id,
    )


async def history(session: AsyncSession, *, subscriber_id: int) -> list[Consent]:
    """Every step of a person, newest first."""
    statement = (
        select(Consent)
        .where(Consent.subscriber_id == subscriber_id)
        .order_by(col(Consent.at).desc(), col(Consent.id).desc())
    )
    return list((await session.exec(statement)).all())


_PLAIN = {
    ConsentStep.ASKED: N_(
        "Your address was entered to sign up, and we ask by mail whether it was you."
    ),
    ConsentStep.CONFIRMED: N_("You confirmed with the link in our mail."),
    ConsentStep.IMPORTED: N_("We brought your address along from a list that you had agreed to."),
    ConsentStep.TOPICS_CHANGED: N_("You chose your topics."),
    ConsentStep.UNSUBSCRIBED: N_("You unsubscribed."),
    ConsentStep.TRACKING_ALLOWED: N_("You allowed us to note what you open and follow."),
    ConsentStep.TRACKING_REFUSED: N_("You asked us not to note what you open and follow."),
    ConsentStep.SHARE_ASKED: N_(
        "The form asked us to give your address to an organization, too, once you confirm."
    ),
    ConsentStep.SHARED: N_("You let an organization have your address, too."),
    ConsentStep.SHARE_WITHDRAWN: N_(
        "You took that back, and we tell the organization to forget your address."
    ),
    ConsentStep.SUPPRESSED: N_("We stopped all mail to your address."),
    ConsentStep.LIFTED: N_("Mail to your address is allowed again."),
    ConsentStep.MERGED: N_("We had you twice, with two addresses, and joined the two."),
}


def in_plain_words(step: str, speaks: Translator) -> str:
    """A step as the person reads it."""
    return speaks.gettext(_PLAIN[ConsentStep(step)])
