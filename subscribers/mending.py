"""Staff mend what is held about a person, take them off the lists, or see that no mail goes out.

Called by `people_pages.py` and the API. What a person decided themselves (their address, their
topics) is not changed here, except to take it back for them when they asked an office to.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import catchwords, languages, people, suppression, topics, unsubscribe
from subscribers.models import Subscriber, SubscriberTag, SuppressionReason


@frozen
class Changes:
    """What staff may mend about a person."""

    first_name: str = ""
    last_name: str = ""
    postal_code: str = ""
    town: str = ""
    language: str
    further_languages: str = ""
    reads_both: bool = False
    tags: Sequence[str] = ()


async def update(
    ground: Ground, *, actor: Actor, subscriber_id: int, seen: datetime, changes: Changes
) -> None:
    """Mend a person's details; `seen` is `updated_at` as it stood on the page.

    Raises `errors.Invalid`, `errors.NotFound`, and `errors.Conflict` when the person was changed
    meanwhile.
    """
    if changes.language not in ground.catalog.languages:
        raise errors.Invalid(
            N_("Choose one of the site's languages."),
            fields={"language": errors.Invalid(N_("Choose one of the site's languages."))},
        )
    now = ground.clock.now()
    columns = {
        "first_name": changes.first_name,
        "last_name": changes.last_name,
        "postal_code": changes.postal_code,
        "town": changes.town,
        "language": changes.language,
        "further_languages": languages.further(
            ground, [changes.further_languages], main=changes.language
        ),
        "reads_both": changes.reads_both,
    }
    async with ground.db.transaction() as session:
        person = await people.get(session, subscriber_id)
        before = {name: getattr(person, name) for name in columns}
        won = await session.exec(
            sa.update(Subscriber)
            .where(col(Subscriber.id) == subscriber_id, col(Subscriber.updated_at) == seen)
            .values(**columns, updated_at=now)
            .returning(col(Subscriber.id))
        )
        if won.first() is None:
            raise errors.Conflict(
                N_("This person was changed meanwhile. Reload the page, then change it again.")
            )
        await catchwords.keep(session, [subscriber_id])
        old_tags = await people.tags_of(session, subscriber_id)
        await _put_tags(session, subscriber_id, old_tags, changes.tags)
        audit.record(
            session,
            actor=actor,
            at=now,
            action="subscriber.updated",
            object_kind="subscriber",
            object_id=subscriber_id,
            before={name: old for name, old in before.items() if old != columns[name]}
            | {"tags": old_tags},
            after={name: new for name, new in columns.items() if before[name] != new}
            | {"tags": sorted(set(changes.tags))},
        )


async def take_off(
    ground: Ground, *, actor: Actor, subscriber_id: int, reason: str, topic_slug: str = ""
) -> bool:
    """Unsubscribe a person from everything, or one topic, because they asked an office to.

    Returns whether there was anything to take back. Raises `errors.NotFound`, and
    `errors.Invalid` for an unknown topic.
    """
    async with ground.db.transaction() as session:
        person = await people.get(session, subscriber_id)
        topic = (await topics.by_slugs(session, [topic_slug]))[0] if topic_slug else None
        if not await unsubscribe.end(
            ground, session, person=person, topic=topic, via="staff", reason=reason
        ):
            return False
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="subscriber.unsubscribed",
            object_kind="subscriber",
            object_id=subscriber_id,
            after={"reason": reason} | ({"topic": topic_slug} if topic_slug else {}),
        )
    return True


async def suppress(ground: Ground, *, actor: Actor, subscriber_id: int, note: str) -> None:
    """Never mail a person again, whatever they are subscribed to, until it is lifted.

    Raises `errors.Invalid` without a note, `errors.NotFound`.
    """
    if not note.strip():
        raise _reason_needed("note")
    async with ground.db.transaction() as session:
        await people.get(session, subscriber_id)
        await suppression.add(
            ground,
            session,
            subscriber_id=subscriber_id,
            reason=SuppressionReason.BY_HAND,
            note=note,
            via="staff",
        )
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="subscriber.suppressed",
            object_kind="subscriber",
            object_id=subscriber_id,
            after={"note": note},
        )


async def lift(ground: Ground, *, actor: Actor, subscriber_id: int, because: str) -> None:
    """Let a person be mailed again, for a reason that is kept.

    Raises `errors.Invalid` without a reason, `errors.NotFound`.
    """
    if not because.strip():
        raise _reason_needed("because")
    async with ground.db.transaction() as session:
        person = await people.get(session, subscriber_id)
        await suppression.lift(
            ground, session, email_key=person.email_key, because=because, by=actor.label
        )
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="subscriber.lifted",
            object_kind="subscriber",
            object_id=subscriber_id,
            after={"because": because},
        )


async def _put_tags(
    session: AsyncSession, subscriber_id: int, old: Sequence[str], new: Sequence[str]
) -> None:
    gone = set(old) - set(new)
    if gone:
        await session.exec(
            sa.delete(SubscriberTag).where(
                col(SubscriberTag.subscriber_id) == subscriber_id,
                col(SubscriberTag.tag).in_(gone),
            )
        )
    session.add_all(
        SubscriberTag(subscriber_id=subscriber_id, tag=tag) for tag in sorted(set(new) - set(old))
    )


def _reason_needed(name: str) -> errors.Invalid:
    problem = errors.Invalid(N_("Say why in a few words; it is kept with the person."))
    return errors.Invalid(problem.msgid, fields={name: problem})
