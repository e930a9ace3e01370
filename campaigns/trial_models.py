"""The table of trials: a campaign whose bulletin has two forms, and which of them is better."""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Field

from foundation import tables
from foundation.i18n import N_


class TrialState(enum.StrEnum):
    """How a trial stands."""

    PLANNED = "planned"
    """Its campaign has not begun."""
    RUNNING = "running"
    """Some were drawn and get one form or the other; all others wait."""
    WAITING = "waiting"
    """Its time is over, and a person chooses."""
    STOPPED = "stopped"
    """Too many left or complained: the campaign is paused, and a person chooses."""
    DECIDED = "decided"
    """All others get the form that was chosen."""


class TrialVerb(enum.StrEnum):
    """What can happen to a trial."""

    BEGIN = "begin"
    """Its campaign starts."""
    CALL = "call"
    """Its time is over without a winner: a person is asked."""
    STOP = "stop"
    """Too many leave or complain."""
    DECIDE = "decide"
    """One form is chosen, by the figures or by a person."""


_S = TrialState
TRANSITIONS: Mapping[TrialVerb, tuple[frozenset[TrialState], TrialState]] = {
    TrialVerb.BEGIN: (frozenset({_S.PLANNED}), _S.RUNNING),
    TrialVerb.CALL: (frozenset({_S.RUNNING}), _S.WAITING),
    TrialVerb.STOP: (frozenset({_S.RUNNING, _S.WAITING}), _S.STOPPED),
    TrialVerb.DECIDE: (frozenset({_S.RUNNING, _S.WAITING, _S.STOPPED}), _S.DECIDED),
}
"""Verb → the states it may start from, and the one that it leads to. Nothing undoes a decision."""

STATE_WORDS: Mapping[TrialState, str] = {
    _S.PLANNED: N_("planned"),
    _S.RUNNING: N_("being tried"),
    _S.WAITING: N_("waits for your choice"),
    _S.STOPPED: N_("stopped"),
    _S.DECIDED: N_("chosen"),
}


class Trial(tables.Table, table=True):
    """The trial of one campaign."""

    __tablename__ = "trials"

    campaign_id: int = Field(
        primary_key=True, foreign_key="campaigns.id", ondelete="CASCADE", sa_type=tables.BIG
    )
    state: str = Field(nullable=False, index=True)
    plan: dict[str, Any] = tables.json_dict()
    """See `campaigns/trial_plans.py`."""
    ends_at: datetime | None = tables.maybe_moment()
    """When it is looked who won."""
    reason: str = Field(default="", nullable=False)
    """A `trials.Why`: why it stands as it does."""
    winner: str = Field(default="", nullable=False)
    """A or B, when it is decided."""
    decided_by: str = Field(default="", nullable=False)
    decided_at: datetime | None = tables.maybe_moment()
    figures: dict[str, Any] = tables.json_dict()
    """What was known when it was decided, form → figures."""
