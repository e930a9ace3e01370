"""The audit log: every change by staff, with who, what, when, before and after."""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import tables
from foundation.frozen import frozen


class ActorKind(enum.StrEnum):
    """Who did something."""

    STAFF = "staff"
    """A signed-in person."""
    TOKEN = "token"  # noqa: S105 - a kind of actor, not a secret
    """A program with an API token."""
    COMMAND = "command"
    """Somebody at the command line."""
    SYSTEM = "system"
    """Handbill itself, such as the scheduler."""


@frozen
class Actor:
    """Somebody who changes things; `label` is what the log shows."""

    kind: ActorKind
    label: str
    staff_id: int | None = None


SYSTEM = Actor(kind=ActorKind.SYSTEM, label="handbill")
COMMAND = Actor(kind=ActorKind.COMMAND, label="command line")


class AuditEntry(tables.Table, table=True):
    """One change. Never updated."""

    __tablename__ = "audit_entries"
    # One for each way in which the log is looked through, newest first.
    __table_args__ = (
        *(
            sa.Index(f"ix_audit_entries_{name}_id", name, "id")
            for name in ("staff_id", "actor_kind", "action", "object_kind")
        ),
        {"sqlite_autoincrement": True},
    )

    id: int = tables.identity()
    at: datetime = tables.moment(index=True)
    actor_kind: str = Field(nullable=False)
    actor_label: str = Field(nullable=False)
    staff_id: int | None = tables.loose_reference(index=False)
    action: str = Field(nullable=False)
    object_kind: str = Field(nullable=False)
    object_id: str = Field(nullable=False, index=True)
    before: dict[str, Any] = tables.json_dict()
    after: dict[str, Any] = tables.json_dict()


def record(
    session: AsyncSession,
    *,
    actor: Actor,
    at: datetime,
    action: str,
    object_kind: str,
    object_id: int | str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry to the caller's transaction; `action` is `noun.verb`: `campaign.paused`."""
    session.add(
        AuditEntry(
            at=at,
            actor_kind=actor.kind.value,
            actor_label=actor.label,
            staff_id=actor.staff_id,
            action=action,
            object_kind=object_kind,
            object_id=str(object_id),
            before=dict(before or {}),
            after=dict(after or {}),
        )
    )
