"""Settings that owners change in the browser: kept in the database, taken by every process.

File and environment come first: what they decide is not changed here. Of the rest, what was
changed is laid over the sections of `ground.settings` (`Settings.put`), at once in the process that
was asked, and within `EVERY_S` in all others, as each looks at the few rows so often.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pydantic
import sqlalchemy as sa
from sqlmodel import Field, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, changeable, errors, logs, tables
from foundation.audit import Actor
from foundation.changeable import Group, Offer
from foundation.config import Settings
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.relaying import Section

EVERY_S = 2.0
_log = logs.get("settings")


class SettingValue(tables.Table, table=True):
    """What an owner set in the browser."""

    __tablename__ = "setting_values"
    __table_args__ = (
        sa.UniqueConstraint("section", "key"),
        {"sqlite_autoincrement": True},
    )

    id: int = tables.identity()
    section: str = Field(nullable=False)
    key: str = Field(nullable=False)
    value: dict[str, Any] = tables.json_dict()
    """`{"value": …}`; empty where file or default count again."""
    version: int = Field(nullable=False)
    """Grows with each change of any setting."""
    changed_at: datetime = tables.moment()
    changed_by: str = Field(default="", nullable=False)


async def version(ground: Ground) -> int:
    """Of all settings together: whoever changes one says which version they saw."""
    async with ground.db.reading() as session:
        return await _version(session)


async def refresh(ground: Ground) -> bool:
    """Take what was changed, here or elsewhere; returns whether anything was. Raises `Busy`."""
    async with ground.db.reading() as session:
        found = (await session.exec(select(SettingValue).order_by(col(SettingValue.id)))).all()
    wished: dict[str, dict[str, Any]] = {}
    for row in found:
        if row.value and _may_change(ground.settings, row.section, row.key):
            wished.setdefault(row.section, {})[row.key] = row.value["value"]
    is_changed = False
    for section in {offer.section for offer in _offers(ground.settings)}:
        made = _laid_over(ground.settings.given(section), wished.get(section, {}))
        if made != ground.settings.section(section):
            ground.settings.put(section, made)
            is_changed = True
    return is_changed


async def watch(ground: Ground, stop: asyncio.Event) -> None:
    """Take what other processes change, until `stop` is set."""
    while not stop.is_set():
        # Looking goes on when the database answers again.
        with contextlib.suppress(errors.Busy):
            if await refresh(ground):
                _log.info("settings were changed in the browser")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_S)


async def change(
    ground: Ground, *, actor: Actor, group: Group, typed: Mapping[str, Any], seen: int
) -> Sequence[Offer]:
    """Set what was typed for a group, by the names of its offers; returns what differs now.

    What is as file or default have it is not kept here any more. Raises `errors.Invalid` with the
    fields that can't be so, and `errors.Conflict` when somebody changed settings since `seen`.
    """
    settings = ground.settings
    offers = [each for each in group.offers if settings.fixed_by(each.section, each.key) is None]
    wished = _checked(settings, offers, typed)
    differing = [each for each in offers if wished[each.name] != _present(settings, each)]
    if not differing:
        return ()
    before = {each.name: _present(settings, each) for each in differing}
    async with ground.db.transaction() as session:
        present = await _version(session)
        if present != seen:
            raise errors.Conflict(
                N_("Somebody else changed settings meanwhile. Look at them, then change yours.")
            )
        for each in differing:
            await _keep(ground, session, actor, each, wished[each.name], version=present + 1)
        audit.record(
            session,
            actor=actor,
            at=ground.clock.now(),
            action="settings.changed",
            object_kind="settings",
            object_id=group.key,
            before=before,
            after={each.name: wished[each.name] for each in differing},
        )
    await refresh(ground)
    return differing


def _offers(settings: Settings) -> list[Offer]:
    return [offer for group in changeable.groups(settings) for offer in group.offers]


def _may_change(settings: Settings, section: str, key: str) -> bool:
    is_offered = any((offer.section, offer.key) == (section, key) for offer in _offers(settings))
    return is_offered and settings.fixed_by(section, key) is None


def _laid_over(given: Section, wished: Mapping[str, Any]) -> Section:
    """A section with what was wished; what this program does not take any more is left out."""
    kept = dict(wished)
    while kept:
        try:
            made = type(given).model_validate({**given.model_dump(), **kept})
        except pydantic.ValidationError as problem:
            wrong = {str(each["loc"][0]) for each in problem.errors() if each["loc"]}
            _log.warning("a setting from the browser can't be used", keys=sorted(wrong))
            kept = {key: value for key, value in kept.items() if wrong and key not in wrong}
            continue
        return given.model_copy(update={key: getattr(made, key) for key in kept})
    return given


def _checked(
    settings: Settings, offers: Sequence[Offer], typed: Mapping[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    problems: dict[str, errors.HandbillError] = {}
    for section in dict.fromkeys(offer.section for offer in offers):
        ours = {offer.key: offer for offer in offers if offer.section == section}
        given = settings.given(section)
        wished = {key: typed[offer.name] for key, offer in ours.items()}
        try:
            made = type(given).model_validate({**given.model_dump(), **wished})
        except pydantic.ValidationError as problem:
            for each in problem.errors():
                key = str(each["loc"][0]) if each["loc"] else next(iter(ours))
                offer = ours.get(key) or next(iter(ours.values()))
                problems[offer.name] = offer.refusal(type(given))
            continue
        for key, offer in ours.items():
            value = getattr(made, key)
            found[offer.name] = value
            if offer.is_address and value and value.count("@") != 1:
                problems[offer.name] = errors.Invalid(
                    N_("This is no e-mail address. It looks like office@example.org.")
                )
    if problems:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."), fields=problems
        )
    return found


def _present(settings: Settings, offer: Offer) -> Any:
    return getattr(settings.section(offer.section), offer.key)


async def _keep(
    ground: Ground,
    session: AsyncSession,
    actor: Actor,
    offer: Offer,
    value: Any,
    *,
    version: int,
) -> None:
    is_given = value == getattr(ground.settings.given(offer.section), offer.key)
    columns = {
        "value": {} if is_given else {"value": value},
        "version": version,
        "changed_at": ground.clock.now(),
        "changed_by": actor.label,
    }
    statement = tables.insert_for(session, SettingValue).values(
        section=offer.section, key=offer.key, **columns
    )
    await session.execute(
        statement.on_conflict_do_update(index_elements=["section", "key"], set_=columns)
    )


async def _version(session: AsyncSession) -> int:
    newest = sa.select(sa.func.coalesce(sa.func.max(col(SettingValue.version)), 0))
    return int((await session.execute(newest)).scalar_one())
