"""Staff's page on whether our mail arrives (`/staff/deliverability`).

It shows what was found last, so it answers at once; a look runs behind it, and the page asks how
that stands until there is something new.
"""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from delivery.arriving import bulk_rules, looks, questions
from delivery.arriving.known import Planned
from delivery.arriving.looks import Kept
from delivery.arriving.questions import Question
from foundation import errors, logs
from foundation.accounts.models import Role
from foundation.findings import Finding, Tone
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.web import kit

PATH = "/staff/deliverability"
TONES = {
    Tone.GOOD: N_("Good"),
    Tone.NEUTRAL: N_("To know"),
    Tone.WARN: N_("Look at this"),
    Tone.BAD: N_("Mend this"),
}
_ORDER = (Tone.BAD, Tone.WARN, Tone.NEUTRAL, Tone.GOOD)
_log = logs.get("arriving")


class Looker:
    """Looks in the background of one web process."""

    def __init__(self, ground: Ground, *, planned: Planned) -> None:
        self._ground = ground
        self._planned = planned
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look now, unless somebody does already."""
        if await looks.begin(self._ground):
            self._running = asyncio.create_task(self._look())

    async def finished(self) -> None:
        """Wait until nobody here looks any more."""
        if self._running is not None:
            await asyncio.wait([self._running])

    async def close(self) -> None:
        """The service ends: stop looking, and let others."""
        if self._running is not None and not self._running.done():
            self._running.cancel()
            await self.finished()
            await looks.end(self._ground)

    async def _look(self) -> None:
        try:
            await looks.perform(self._ground, planned=self._planned)
        except errors.Busy as problem:
            _log.warning("a look could not be kept", said=str(problem))


LOOKER: web.AppKey[Looker] = web.AppKey("looker", Looker)
"""Set by `handbill/app.py`."""


@frozen
class Group:
    """One question with its answers, what is to be mended first."""

    question: Question
    title: str
    tone: Tone
    lines: Sequence[Finding]


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get(PATH, show), web.post(PATH, look_again)]


@kit.staff(Role.EDITOR)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/deliverability`: what was found last, and whether somebody looks now."""
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        kept = await looks.latest(ground, session)
    return kit.render(
        request,
        "delivery/deliverability.html",
        kept=kept,
        groups=_groups(kept),
        rules=bulk_rules.judge(kept.findings),
        counts={tone: sum(each.tone is tone for each in kept.findings) for tone in _ORDER},
        tones=TONES,
        speaks=speaks,
    )


@kit.staff(Role.EDITOR)
async def look_again(request: web.Request) -> web.StreamResponse:
    """`POST /staff/deliverability`: look now; the page shows when there is something new."""
    await request.app[LOOKER].start()
    if kit.is_htmx(request):
        return await show(request)
    return kit.redirect(request, PATH)


def _groups(kept: Kept) -> Sequence[Group]:
    return [
        Group(
            question=question,
            title=questions.TITLES[question],
            tone=questions.worst(lines),
            lines=sorted(lines, key=lambda each: _ORDER.index(each.tone)),
        )
        for question, lines in kept.answers.items()
        if lines
    ]
