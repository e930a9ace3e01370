"""Staff type in what people wrote on our paper, row by row.

Nothing is lost to one wrong row: the good ones are taken, the others come back with what is wrong
with them. Who typed what in is in the log, by the numbers of the sign-ups.
"""

from collections.abc import Sequence

from foundation import addresses, audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import gatherings, tabling, typos
from subscribers.intake import SignUpRequest
from subscribers.street_models import Gathering
from subscribers.tabling import Entry, Outcome

MOST_ROWS = 60


@frozen
class Row:
    """A line of the paper as it was typed."""

    email: str
    first_name: str = ""
    last_name: str = ""
    postal_code: str = ""
    language: str = ""
    sure: str = ""
    """An address that looked like a slip, and of which the typist is sure."""

    @property
    def is_blank(self) -> bool:
        """Nothing was typed; the language is chosen beforehand."""
        return not (self.email or self.first_name or self.last_name or self.postal_code)


@frozen
class Told:
    """What became of a row."""

    row: Row
    outcome: Outcome | None = None
    same_as: int | None = None
    """The row, counted from one, that has the same address."""
    problem: errors.Invalid | None = None
    """Why it was not taken."""


async def enter(
    ground: Ground, *, actor: Actor, gathering_id: int, rows: Sequence[Row]
) -> list[Told]:
    """Take the rows of a sheet; tells for each what became of it. Raises `errors.NotFound`."""
    standing = await gatherings.show(ground, gathering_id=gathering_id)
    form = standing.form.slug if standing.form else ""
    seen: dict[str, int] = {}
    told: list[Told] = []
    taken: list[int] = []
    for place, row in enumerate(rows[:MOST_ROWS], start=1):
        if row.is_blank:
            continue
        try:
            address = _address(row)
            if address.key in seen:
                told.append(Told(row=row, same_as=seen[address.key]))
                continue
            entry = _entry(ground, standing.gathering, row, form=form)
            result = await tabling.take(ground, entry=entry)
        except errors.Invalid as problem:
            told.append(Told(row=row, problem=problem))
            continue
        seen[address.key] = place
        told.append(Told(row=row, outcome=result.outcome))
        if result.signup_id is not None:
            taken.append(result.signup_id)
    if taken:
        async with ground.db.transaction() as session:
            audit.record(
                session,
                actor=actor,
                at=ground.clock.now(),
                action="gathering.entered",
                object_kind="gathering",
                object_id=gathering_id,
                after={"sign_ups": taken},
            )
    return told


def _address(row: Row) -> addresses.Address:
    """Raises `errors.Invalid` for what is no address, or looks like a slip."""
    if not row.email.strip():
        blank = errors.Invalid(N_("Type the e-mail address."))
        raise errors.Invalid(blank.msgid, fields={"email": blank})
    address = addresses.parse(row.email)
    typos.point_out(address, sure=row.sure)
    return address


def _entry(ground: Ground, gathering: Gathering, row: Row, *, form: str) -> Entry:
    language = row.language or next(iter(gathering.languages), "")
    return Entry(
        request=SignUpRequest(
            email=row.email,
            first_name=row.first_name,
            last_name=row.last_name,
            postal_code=row.postal_code,
            language=language,
            form=form,
            source=gathering.code,
            via="sheet",
        ),
        typed_at=ground.clock.now(),
        gathering=gathering,
    )
