"""Looks at everything that decides whether our mail arrives, all at the same time.

Nothing is changed and nobody is mailed. Whatever does not answer in time is said so, and keeps
nothing else waiting.
"""

import asyncio
from collections.abc import Sequence

from delivery.arriving import checks, outgoing
from delivery.arriving.checks import Check
from delivery.arriving.known import Known
from delivery.arriving.names import Names, Unanswered
from delivery.arriving.questions import Answers, Question
from foundation import findings, logs
from foundation.findings import Finding
from foundation.ground import Ground
from foundation.i18n import N_

_log = logs.get("arriving")


async def look(ground: Ground, *, names: Names | None, known: Known) -> Answers:
    """Everything. `names` is None where this machine has no name server to ask.

    The tokens and the clock of `ground` serve for a sample; its database is not asked.
    """
    places = await outgoing.find(ground.settings)
    wanted = list(checks.every(ground, names=names, known=known, outgoing=places))
    limit_s = ground.settings.arriving.look_timeout_s
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(_bounded(each, limit_s)) for each in wanted]
    found: dict[Question, list[Finding]] = {question: [] for question in Question}
    if names is None:
        found[Question.DOMAIN].append(_no_servers())
    for check, task in zip(wanted, running, strict=True):
        lines = found[check.question]
        lines += [each for each in task.result() if each not in lines]
    return found


async def _bounded(check: Check, limit_s: float) -> Sequence[Finding]:
    """What comes of one check; nothing that goes wrong in it is lost."""
    try:
        async with asyncio.timeout(limit_s):
            return await check.act()
    except Unanswered as problem:
        return [_unanswered(problem)]
    except TimeoutError:
        return [_too_slow(check.about)]
    except Exception:  # noqa: BLE001 - one check must not end the others
        _log.exception("a check failed", about=check.about, question=check.question.value)
        return [_broken(check.about)]


def _no_servers() -> Finding:
    return findings.bad(
        "dns",
        N_("This machine knows of no name server, so nothing in the DNS could be looked at."),
        N_("Check /etc/resolv.conf, or set [arriving] name_servers."),
    )


def _unanswered(problem: Unanswered) -> Finding:
    if problem.is_error:
        return findings.bad(
            "dns",
            N_("Name servers can't say what stands at %(name)s: they answer with an error."),
            N_(
                "Others get the same answer: look at the domain's delegation and its signatures "
                "(DNSSEC) where it is registered."
            ),
            name=problem.name,
        )
    return findings.bad(
        "dns",
        N_("No name server told us about %(name)s."),
        N_("Check this machine's network and /etc/resolv.conf, then look again."),
        name=problem.name,
    )


def _too_slow(about: str) -> Finding:
    return findings.bad(
        "time",
        N_("Looking at %(about)s took too long."),
        N_("Look again; if it stays so, something on the way there drops what we send."),
        about=about or "—",
    )


def _broken(about: str) -> Finding:
    return findings.bad(
        "broken",
        N_("Looking at %(about)s failed by a mistake of ours; the log says where."),
        N_("Look again; if it stays so, please tell those who make Handbill."),
        about=about or "—",
    )
