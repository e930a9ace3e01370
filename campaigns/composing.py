"""Saving while people write: small steps, several people at once, and taking a step back.

The composer's pages call `save` and `undo`. A change is made to the version that a person saw, and
brought together with what others saved since (`merging.py`), so that only who wrote the very same
words is asked.
"""

from collections.abc import Callable, Sequence

from campaigns import bulletins, merging, versions
from campaigns.documents import Document
from campaigns.merging import Clash, Prefer
from campaigns.models import Bulletin
from foundation import errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

_TRIES = 5
"""Others may save between reading and saving; each time it is brought together anew."""
Change = Callable[[Document], Document]


class Clashing(bulletins.SavedByOther):
    """Both wrote something else in the same place; `clashes` says where, and what both wrote."""

    def __init__(self, bulletin: Bulletin, clashes: Sequence[Clash]) -> None:
        super().__init__(bulletin)
        self.clashes = clashes


@frozen
class Saved:
    """A bulletin after a step."""

    bulletin: Bulletin
    before: int
    """The version before it; the bulletin's own when nothing was changed."""
    mine: Document
    """What the person made of it, without what others did."""

    @property
    def is_changed(self) -> bool:
        """Whether there is a new version."""
        return self.before != self.bulletin.version


async def save(
    ground: Ground,
    *,
    actor: Actor,
    bulletin_id: int,
    version: int,
    change: Change,
    prefer: Prefer = Prefer.NOBODY,
) -> Saved:
    """Keep a change that somebody made of `version`, along with what others did since.

    Raises `Clashing`, `bulletins.SavedByOther` when `version` is not kept any more,
    `errors.Invalid`, `errors.NotFound`.
    """
    for _ in range(_TRIES):
        async with ground.db.reading() as session:
            bulletin = await bulletins.get(session, bulletin_id)
            try:
                base = await versions.at(session, bulletin, version)
            except errors.NotFound as problem:
                raise bulletins.SavedByOther(bulletin) from problem
        theirs = bulletins.document_of(bulletin)
        mine = bulletins.cleaned(ground, change(base))
        merged = merging.merge(base, mine, theirs, prefer)
        if merged.clashes:
            raise Clashing(bulletin, merged.clashes)
        if merged.document == theirs:
            return Saved(bulletin=bulletin, before=bulletin.version, mine=mine)
        try:
            saved = await bulletins.save(
                ground,
                actor=actor,
                bulletin_id=bulletin_id,
                version=bulletin.version,
                document=merged.document,
            )
        except bulletins.SavedByOther:
            continue
        return Saved(bulletin=saved, before=bulletin.version, mine=mine)
    raise errors.Busy(N_("Many are saving this bulletin just now. Try it again."))


async def undo(ground: Ground, *, actor: Actor, bulletin_id: int, before: int, after: int) -> Saved:
    """Take the step from version `before` to `after` back; what others did since stays.

    With the two exchanged it is done again. Raises `errors.Conflict` when its words were changed
    since, and as `save`.
    """
    async with ground.db.reading() as session:
        bulletin = await bulletins.get(session, bulletin_id)
        goal = await versions.at(session, bulletin, before)
    try:
        return await save(
            ground,
            actor=actor,
            bulletin_id=bulletin_id,
            version=after,
            change=lambda _: goal,
        )
    except bulletins.SavedByOther as problem:
        raise errors.Conflict(
            N_("This was changed again since, so it can't be undone without losing words.")
        ) from problem
