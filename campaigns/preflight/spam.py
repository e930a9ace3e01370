"""What SpamAssassin makes of the mail, where it is installed on this machine.

Its running service is asked by `spamc`; without one, `spamassassin` is started, without asking the
network. It sees the mail as one reader would get it, never more than is given time for. What it
says is a hint and stops nothing: readers' servers judge by other things, too.
"""

import asyncio
import contextlib
import enum
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from campaigns.compiling import Looked
from campaigns.models import Campaign
from campaigns.preflight import items
from campaigns.preflight.items import Item
from campaigns.preflight.models import Look
from delivery import message
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_

_TOTAL = re.compile(r"\((-?\d+(?:\.\d+)?) points, (-?\d+(?:\.\d+)?) required\)")
_RULE = re.compile(r"^\s*(-?\d+(?:\.\d+)?)\s+([A-Z][A-Z0-9_]+)\s+(.*)$")
_NAMED = 3
"""Rules that are told, those with most points first."""
_ALARMING = 0.5
"""This share of the points that make a mail spam is worth a look."""
_OUTPUT_BYTES = 2_000_000
_READER = {"subscriber.first_name": "Ana", "subscriber.town": "Lynn"}


class Asked(enum.StrEnum):
    """Whether SpamAssassin had an answer."""

    YES = "yes"
    """It had."""
    MISSING = "missing"
    """It is not installed here."""
    OFF = "off"
    """The settings say that it is not to be asked."""
    SILENT = "silent"
    """It had none in time, or broke down."""


@frozen
class Rule:
    """A rule that the mail met."""

    points: float
    name: str
    words: str
    """In English, as SpamAssassin has it."""


@frozen
class Score:
    """What it said of one edition."""

    asked: Asked
    points: float = 0.0
    required: float = 5.0
    rules: Sequence[Rule] = ()

    def as_dict(self) -> dict[str, Any]:
        """For the database."""
        return asdict(self)


def read(kept: Mapping[str, Any]) -> Score:
    """A score as it was kept."""
    rules = tuple(Rule(**each) for each in kept.get("rules", ()))
    return Score(
        asked=Asked(kept["asked"]), points=kept["points"], required=kept["required"], rules=rules
    )


def mails(ground: Ground, campaign: Campaign, looked: Looked) -> dict[str, bytes]:
    """Each edition as a whole message to somebody."""
    to = ground.settings.site.contact_email or ground.settings.mail.from_address
    return {
        language: message.preview(
            ground,
            plan=compiled.plan,
            to=to,
            subscriber_values=_READER,
            from_name=campaign.from_name,
            from_address=campaign.from_address,
        )
        for language, compiled in looked.editions.items()
    }


async def ask(ground: Ground, mail: bytes) -> Score:
    """Have one message judged; never raises, never takes longer than the settings allow."""
    settings = ground.settings.preflight
    if not settings.spamassassin:
        return Score(asked=Asked.OFF)
    commands = await asyncio.to_thread(_commands)
    if not commands:
        return Score(asked=Asked.MISSING)
    try:
        async with asyncio.timeout(settings.spamassassin_timeout_s):
            for command in commands:
                score = parse(await _run(command, mail))
                if score is not None:
                    return score
    except (TimeoutError, OSError):
        pass
    return Score(asked=Asked.SILENT)


def parse(report: str) -> Score | None:
    """The score in a report; None when there is none."""
    total = _TOTAL.search(report)
    if total is None:
        return None
    rules: list[Rule] = []
    for line in report[total.end() :].splitlines():
        met = _RULE.match(line)
        if met:
            rules.append(Rule(points=float(met[1]), name=met[2], words=met[3].strip()))
        elif rules and line.startswith(" " * 20) and line.strip():
            last = rules.pop()
            rules.append(
                Rule(points=last.points, name=last.name, words=f"{last.words} {line.strip()}")
            )
    costly = sorted((each for each in rules if each.points > 0), key=lambda each: -each.points)
    return Score(
        asked=Asked.YES, points=float(total[1]), required=float(total[2]), rules=costly[:_NAMED]
    )


def look(campaign_look: Look | None) -> list[Item]:
    """A line for each edition that was judged, or why none was."""
    kept = {
        language: read(each)
        for language, each in (campaign_look.spam if campaign_look else {}).items()
    }
    if not kept:
        return [items.neutral("spam", N_("SpamAssassin was not asked yet."))]
    reasons = {
        Asked.MISSING: N_("SpamAssassin is not installed on this machine, so it was not asked."),
        Asked.OFF: N_("SpamAssassin was not asked, as the settings say."),
        Asked.SILENT: N_("SpamAssassin had no answer in time, so nobody knows what it thinks."),
    }
    for asked, words in reasons.items():
        if all(each.asked is asked for each in kept.values()):
            return [items.neutral("spam", words)]
    return [_told(language, score) for language, score in kept.items() if score.asked is Asked.YES]


def _told(language: str, score: Score) -> Item:
    if score.points < _ALARMING * score.required:
        return items.good(
            "spam",
            N_("SpamAssassin gives the mail in %(language)s %(points)s points of %(most)s."),
            language=language,
            points=f"{score.points:g}",
            most=f"{score.required:g}",
        )
    rules = "; ".join(f"{each.words} ({each.points:g})" for each in score.rules)
    return items.warn(
        "spam",
        N_(
            "SpamAssassin gives the mail in %(language)s %(points)s points, and %(most)s make it "
            "spam. Most for: %(rules)s"
        ),
        about=language,
        rules=rules,
        language=language,
        points=f"{score.points:g}",
        most=f"{score.required:g}",
    )


def _commands() -> list[list[str]]:
    """What can be asked on this machine, the quickest first."""
    found: list[list[str]] = []
    if spamc := shutil.which("spamc"):
        # Without -x it says that all is well when there is no service.
        found.append([spamc, "-x", "-R"])
    if program := shutil.which("spamassassin"):
        found.append([program, "--local", "--test-mode", "--nocreate-prefs",
                      "--cf=bayes_auto_learn 0"])  # fmt: skip
    return found


async def _run(command: Sequence[str], mail: bytes) -> str:
    """What a program prints about a mail; it is killed when its time is up."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        printed, _ = await process.communicate(mail)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return printed[-_OUTPUT_BYTES:].decode("utf-8", "replace")
