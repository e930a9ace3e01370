"""Notices when a partner's form goes quiet, turns up elsewhere, or is not confirmed any more.

The scheduler calls `watch`. Each is told once, to the partner's contact and to staff, and stands on
the partner's page and the overview until it is over; when it comes again, it is told again.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.accounts.models import Role, Staff
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from foundation.notices import Notice
from subscribers import small_groups
from subscribers.models import Form, Partner, SignUp, SignUpState
from subscribers.partner_models import AlarmKind, PartnerAlarm, StepCount

_BEFORE = timedelta(days=28)
"""Against which silence is held."""
_PAST = timedelta(days=56)
"""Against which confirmations are held."""
_RECENT = timedelta(days=7)
_TIME_TO_CONFIRM = timedelta(days=3)
"""Younger sign-ups may still be confirmed, and say nothing yet."""

Found = Mapping[tuple[int, AlarmKind, str], Mapping[str, int]]
"""Partner, kind and what it is about → the numbers that say so."""


@frozen
class _Told:
    """An alarm that nobody was told of yet, with whose it is."""

    alarm: PartnerAlarm
    partner: Partner
    form: str


async def watch(ground: Ground) -> None:
    """Begin and end alarms, and queue a mail for those that are new."""
    async with ground.db.transaction() as session:
        found: dict[tuple[int, AlarmKind, str], Mapping[str, int]] = {
            **await _silent(ground, session),
            **await _collapsed(ground, session),
        }
        await _keep(ground, session, found)
        await _end_strays(ground, session)
        await _tell(ground, session)


async def note_strays(
    ground: Ground, session: AsyncSession, strays: Mapping[tuple[int, str], int]
) -> None:
    """Keep on which unlisted origins a partner's form was used, in the caller's transaction."""
    now = ground.clock.now()
    for (partner_id, origin), times in strays.items():
        found = await _standing(session, partner_id=partner_id, kind=AlarmKind.STRAY)
        same = next((each for each in found if each.about == origin), None)
        if same is None and len(found) < ground.settings.partners.stray_origins_at_most:
            same = PartnerAlarm(
                partner_id=partner_id,
                kind=AlarmKind.STRAY.value,
                about=origin,
                began_at=now,
                last_at=now,
            )
        if same is not None:
            same.numbers = {"times": same.numbers.get("times", 0) + times}
            same.last_at = now
            session.add(same)


async def standing(ground: Ground, *, partner_id: int) -> Sequence[tuple[PartnerAlarm, str]]:
    """What is wrong with a partner's pages at present, each with the name of its form."""
    async with ground.db.reading() as session:
        found = await _standing(session, partner_id=partner_id)
        names = await _names(session)
    return [(each, names.get(each.about, "")) for each in found]


async def troubled(session: AsyncSession) -> Sequence[Partner]:
    """The partners whose pages need a look."""
    open_ones = sa.select(col(PartnerAlarm.partner_id)).where(col(PartnerAlarm.ended_at).is_(None))
    statement = (
        select(Partner)
        .where(col(Partner.id).in_(open_ones), col(Partner.is_active).is_(True))
        .order_by(col(Partner.name))
    )
    return (await session.exec(statement)).all()


def say(
    ground: Ground, alarm: PartnerAlarm, form: str, speaks: Translator, *, is_partner: bool
) -> str:
    """An alarm in a sentence, with its numbers; small ones are not told to a partner."""
    step = ground.settings.partners.fewer_than if is_partner else 1

    def number(name: str) -> str:
        return small_groups.say(alarm.numbers.get(name, 0), step, speaks)

    name = form or speaks.gettext(N_("Our own form"))
    if alarm.kind == AlarmKind.STRAY:
        words = N_(
            "The form is also used on %(origin)s, which is not among the listed sites, so nothing "
            "is taken from there. If it is yours, have it listed."
        )
        return speaks.gettext(words) % {"origin": alarm.about}
    if alarm.kind == AlarmKind.SILENT:
        words = N_(
            "“%(form)s” has gone quiet: it was seen %(seen)s times and sent in %(submitted)s times "
            "in the four weeks before, and not once in the last %(days)s days. Look whether it is "
            "still on the page."
        )
        return speaks.gettext(words) % {
            "form": name,
            "seen": number("seen"),
            "submitted": number("submitted"),
            "days": alarm.numbers.get("days", 0),
        }
    words = N_(
        "Few who sign up with “%(form)s” confirm: %(confirmed)s of %(submitted)s in the last week "
        "that had its time, and %(confirmed_before)s of %(submitted_before)s in the eight weeks "
        "before. A program may be filling it in, or our mails may not arrive."
    )
    return speaks.gettext(words) % {
        "form": name,
        **{
            key: number(key)
            for key in ("confirmed", "submitted", "confirmed_before", "submitted_before")
        },
    }


async def _silent(ground: Ground, session: AsyncSession) -> Found:
    """Forms of partners that were in use, and then were neither seen nor sent in for days."""
    settings = ground.settings.partners
    today = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    quiet_since = today - timedelta(days=settings.silent_days)
    is_quiet = col(StepCount.day) > quiet_since
    number = sa.func.sum(col(StepCount.seen) + col(StepCount.started))
    steps = await session.execute(
        sa.select(
            col(StepCount.partner_id),
            col(StepCount.form_id),
            sa.func.coalesce(number.filter(sa.not_(is_quiet)), 0),
            sa.func.coalesce(number.filter(is_quiet), 0),
        )
        .join(Partner, col(Partner.id) == col(StepCount.partner_id))
        .where(col(StepCount.day) > quiet_since - _BEFORE, col(Partner.is_active).is_(True))
        .group_by(col(StepCount.partner_id), col(StepCount.form_id))
    )
    seen = {(partner_id, form_id): (int(a), int(b)) for partner_id, form_id, a, b in steps}
    begins = ground.clock.now() - timedelta(days=settings.silent_days)
    sent = await _submitted(session, begins - _BEFORE, begins, ground.clock.now())
    found = {}
    for partner_id, form_id in {*seen, *sent}:
        was_seen, is_seen = seen.get((partner_id, form_id), (0, 0))
        before, lately = sent.get((partner_id, form_id), (0, 0))
        was_used = was_seen >= settings.silent_least_seen or before >= settings.silent_least_sent
        if was_used and not is_seen and not lately:
            found[partner_id, AlarmKind.SILENT, str(form_id)] = {
                "seen": was_seen,
                "submitted": before,
                "days": settings.silent_days,
            }
    return found


async def _submitted(
    session: AsyncSession, since: datetime, middle: datetime, until: datetime
) -> dict[tuple[int, int], tuple[int, int]]:
    """Sign-ups of each partner's form, before and after a moment (`ix_signups_created_at`)."""
    form = sa.func.coalesce(col(SignUp.form_id), 0).label("form")
    number = sa.func.count(col(SignUp.id))
    rows = await session.execute(
        sa.select(
            col(SignUp.partner_id),
            form,
            number.filter(col(SignUp.created_at) < middle),
            number.filter(col(SignUp.created_at) >= middle),
        )
        .join(Partner, col(Partner.id) == col(SignUp.partner_id))
        .where(
            col(SignUp.created_at) >= since,
            col(SignUp.created_at) < until,
            col(Partner.is_active).is_(True),
        )
        .group_by(col(SignUp.partner_id), sa.text("form"))
    )
    return {(partner_id, form_id): (a, b) for partner_id, form_id, a, b in rows}


async def _collapsed(ground: Ground, session: AsyncSession) -> Found:
    """Forms of partners of whose sign-ups far fewer are confirmed than before."""
    settings = ground.settings.partners
    until = ground.clock.now() - _TIME_TO_CONFIRM
    recent = until - _RECENT
    form = sa.func.coalesce(col(SignUp.form_id), 0).label("form")
    number = sa.func.count(col(SignUp.id))
    is_recent = col(SignUp.created_at) >= recent
    is_confirmed = col(SignUp.state) == SignUpState.CONFIRMED.value
    rows = await session.execute(
        sa.select(
            col(SignUp.partner_id),
            form,
            number.filter(is_recent),
            number.filter(is_recent, is_confirmed),
            number.filter(sa.not_(is_recent)),
            number.filter(sa.not_(is_recent), is_confirmed),
        )
        .join(Partner, col(Partner.id) == col(SignUp.partner_id))
        .where(
            col(SignUp.created_at) >= recent - _PAST,
            col(SignUp.created_at) < until,
            col(Partner.is_active).is_(True),
        )
        .group_by(col(SignUp.partner_id), sa.text("form"))
    )
    found = {}
    least = settings.collapse_least_sent
    for partner_id, form_id, submitted, confirmed, submitted_before, confirmed_before in rows:
        if submitted < least or submitted_before < least or not confirmed_before:
            continue
        # Cross-multiplied, so that whole numbers decide.
        usual = confirmed_before * submitted
        if confirmed * submitted_before * 100 < usual * settings.collapse_percent:
            found[partner_id, AlarmKind.COLLAPSE, str(form_id)] = {
                "submitted": submitted,
                "confirmed": confirmed,
                "submitted_before": submitted_before,
                "confirmed_before": confirmed_before,
            }
    return found


async def _keep(ground: Ground, session: AsyncSession, found: Found) -> None:
    """New ones begin, those that are over end; strays are kept by `note_strays`."""
    now = ground.clock.now()
    statement = select(PartnerAlarm).where(
        col(PartnerAlarm.ended_at).is_(None), PartnerAlarm.kind != AlarmKind.STRAY.value
    )
    stand = {
        (each.partner_id, AlarmKind(each.kind), each.about): each
        for each in (await session.exec(statement)).all()
    }
    for key, alarm in stand.items():
        if key not in found:
            alarm.ended_at = now
            session.add(alarm)
    for (partner_id, kind, about), numbers in found.items():
        if (partner_id, kind, about) not in stand:
            session.add(
                PartnerAlarm(
                    partner_id=partner_id,
                    kind=kind.value,
                    about=about,
                    numbers=dict(numbers),
                    began_at=now,
                    last_at=now,
                )
            )
    await session.flush()


async def _end_strays(ground: Ground, session: AsyncSession) -> None:
    """An origin that was listed, or was not seen again for a while, is settled."""
    now = ground.clock.now()
    quiet = now - timedelta(days=ground.settings.partners.silent_days)
    statement = (
        select(PartnerAlarm, Partner)
        .join(Partner, col(Partner.id) == col(PartnerAlarm.partner_id))
        .where(col(PartnerAlarm.ended_at).is_(None), PartnerAlarm.kind == AlarmKind.STRAY.value)
    )
    for alarm, partner in (await session.exec(statement)).all():
        if alarm.about in partner.origins or alarm.last_at < quiet:
            alarm.ended_at = now
            session.add(alarm)


async def _tell(ground: Ground, session: AsyncSession) -> None:
    """One mail for each partner to its contact, and one to each of staff with all that is new."""
    statement = (
        select(PartnerAlarm, Partner)
        .join(Partner, col(Partner.id) == col(PartnerAlarm.partner_id))
        .where(col(PartnerAlarm.told_at).is_(None), col(PartnerAlarm.ended_at).is_(None))
        .order_by(col(Partner.name), col(PartnerAlarm.id))
    )
    names = await _names(session)
    new = [
        _Told(alarm=alarm, partner=partner, form=names.get(alarm.about, ""))
        for alarm, partner in (await session.exec(statement)).all()
    ]
    if not new:
        return
    for partner in {each.partner.id: each.partner for each in new}.values():
        if partner.contact_email:
            language = next(iter(partner.languages), ground.settings.site.language)
            its = [each for each in new if each.partner.id == partner.id]
            await _queue(ground, session, partner.contact_email, language, its, is_partner=True)
    for to, language in await _staff(ground, session):
        await _queue(ground, session, to, language, new, is_partner=False)
    for each in new:
        each.alarm.told_at = ground.clock.now()
        session.add(each.alarm)


async def _queue(
    ground: Ground,
    session: AsyncSession,
    to: str,
    language: str,
    several: Sequence[_Told],
    *,
    is_partner: bool,
) -> None:
    speaks = ground.translator(language)
    lines = [
        f"{each.partner.name}: " + say(ground, each.alarm, each.form, speaks, is_partner=is_partner)
        for each in several
    ]
    path = f"/staff/partners/{several[0].partner.id}/numbers"
    await ground.notices.queue(
        session,
        Notice(
            kind="partner_pages",
            to=to,
            language=language,
            context={
                "organisation": several[0].partner.name,
                "reason": "\n\n".join(lines),
                "url": ground.url(path),
            },
        ),
    )


async def _staff(ground: Ground, session: AsyncSession) -> list[tuple[str, str]]:
    """`[mail] staff_address`, or every owner."""
    fixed = ground.settings.mail.staff_address
    if fixed:
        return [(fixed, ground.settings.site.language)]
    statement = (
        select(Staff)
        .where(Staff.role == Role.OWNER.value, col(Staff.is_active).is_(True))
        .order_by(col(Staff.id))
    )
    return [(person.email, person.language) for person in (await session.exec(statement)).all()]


async def _standing(
    session: AsyncSession, *, partner_id: int, kind: AlarmKind | None = None
) -> Sequence[PartnerAlarm]:
    statement = select(PartnerAlarm).where(
        PartnerAlarm.partner_id == partner_id, col(PartnerAlarm.ended_at).is_(None)
    )
    if kind is not None:
        statement = statement.where(PartnerAlarm.kind == kind.value)
    return (await session.exec(statement.order_by(col(PartnerAlarm.id)))).all()


async def _names(session: AsyncSession) -> dict[str, str]:
    """Forms by their number as a text; forms are few."""
    rows = await session.execute(sa.select(col(Form.id), col(Form.name)))
    return {str(number): name for number, name in rows}
