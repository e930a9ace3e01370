"""Looks at everything that the service needs around it: what is well, what is not, what to do.

Nothing is changed and nobody is mailed. `handbill doctor` prints what is found here.
"""

import asyncio
import dataclasses
import secrets
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlmodel import col

from campaigns import senders
from delivery import holding_back
from delivery.arriving import known, look
from delivery.arriving.known import Known
from delivery.arriving.names import Names
from delivery.arriving.questions import Question
from delivery.holding_back import Held
from delivery.journal import Journal
from delivery.models import Worker
from foundation import database, errors, findings, i18n, migrations
from foundation.audit import AuditEntry
from foundation.clock import Clock
from foundation.config import Settings
from foundation.findings import Finding, Tone
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.sections import DatabaseSettings, Security
from handbill import building, doctor_returns, texts

_FREE_BYTES = 500_000_000
_DRIFT = timedelta(seconds=5)
_MIN_KEY = 32
_TROUBLES = (errors.HandbillError, SQLAlchemyError, asyncpg.PostgresError, OSError)
_MOMENT = "%Y-%m-%d %H:%M:%S"


@frozen
class Line:
    """A finding, and the question that it answers; None for those about this machine."""

    question: Question | None
    finding: Finding


async def examine(settings: Settings, *, clock: Clock, names: Names | None) -> AsyncIterator[Line]:
    """Look at this machine, one thing after the other, then at whether mail arrives.

    `names` is None where there is no name server to ask.
    """
    async for finding in _about_machine(settings, clock):
        yield Line(question=None, finding=finding)
    with tempfile.TemporaryDirectory() as folder:
        ground = _ground(settings, clock, Path(folder))
        answers = await look.look(ground, names=names, known=await _known(ground))
    for question, lines in answers.items():
        for finding in lines:
            yield Line(question=question, finding=finding)
        if question is Question.RETURNS:
            async for finding in doctor_returns.examine(settings, clock=clock):
                yield Line(question=question, finding=finding)


async def _about_machine(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    yield findings.good("configuration", N_("The configuration can be read."))
    yield _about_address(settings)
    for finding in await asyncio.to_thread(_about_languages, settings):
        yield finding
    yield _about_key(settings)
    yield await asyncio.to_thread(_about_journal, settings)
    for finding in await asyncio.to_thread(lambda: list(_about_disks(settings))):
        yield finding
    async for finding in _about_database(settings, clock):
        yield finding


def _ground(settings: Settings, clock: Clock, folder: Path) -> Ground:
    """For a sample; its key is thrown away, and its database is never opened."""
    apart = settings.model_copy(
        update={
            "database": DatabaseSettings(url=f"sqlite:///{folder / 'nowhere.db'}"),
            "security": Security(secret_keys=[secrets.token_urlsafe(32)]),
            "mail": settings.mail.model_copy(update={"dkim_keys": []}),
        }
    )
    return dataclasses.replace(building.build(apart, clock=clock), settings=settings)


async def _known(ground: Ground) -> Known:
    """What the database knows, if it is there, ours and of today."""
    settings = ground.settings
    url = _url(settings)
    if url is None:
        return known.from_settings(settings)
    if url.get_backend_name() == "sqlite" and not await asyncio.to_thread(_is_there, url):
        return known.from_settings(settings)
    try:
        db = database.connect(
            settings.database.url, busy_timeout_s=settings.database.busy_timeout_s, pool_size=1
        )
        try:
            if await migrations.is_newest(db):
                found = await known.read(dataclasses.replace(ground, db=db), planned=senders)
                # Each way in is tried here; how the service finds it says nothing more.
                return dataclasses.replace(found, ways=None)
        finally:
            await db.close()
    except _TROUBLES:
        pass  # said already
    return known.from_settings(settings)


def config_problem(problem: errors.ConfigProblem) -> Finding:
    """The one line of a configuration that can't be read."""
    return Finding(
        code="configuration",
        tone=Tone.BAD,
        msgid="%(problem)s",
        values={"problem": problem},
        advice=N_("Mend this first; the rest can't be looked at without it."),
    )


def _about_address(settings: Settings) -> Finding:
    if settings.site.postal_address:
        return findings.good("postal-address", N_("The postal address is set."))
    return findings.bad(
        "postal-address",
        N_("There is no postal address, and the law asks for one in every mail."),
        N_("Set [site] postal_address."),
    )


def _about_languages(settings: Settings) -> list[Finding]:
    """How much of what readers see is there in each language; only the site's own can lack any."""
    wanted = texts.public()
    found: list[Finding] = []
    for code in i18n.available():
        if code == i18n.SOURCE:
            continue
        share = texts.share(wanted, texts.in_language(code))
        values: dict[str, Any] = {
            "language": i18n.manners(code).name,
            "there": share.there,
            "all": share.wanted,
        }
        code_of_it = f"language-{code}"
        if share.is_whole:
            said = N_("%(language)s: all %(all)s texts that readers may see are there.")
            found.append(findings.good(code_of_it, said, **values))
            continue
        said = N_(
            "%(language)s: %(there)s of the %(all)s texts that readers may see are there; the "
            "others are shown in English."
        )
        if code in {settings.site.language, *settings.site.languages}:
            advice = N_("docs/languages.md says how to add them.")
            found.append(findings.warn(code_of_it, said, advice, **values))
        else:
            found.append(findings.neutral(code_of_it, said, **values))
    return found


def _about_key(settings: Settings) -> Finding:
    security = settings.security
    if security.secret_keys:
        return findings.good("key", N_("The secret key is in the settings."))
    path = Path(security.secret_key_file)
    try:
        mode, size = stat.S_IMODE(path.stat().st_mode), len(path.read_text().strip())
    except (OSError, UnicodeDecodeError) as problem:
        return findings.bad(
            "key",
            N_("The secret key can't be read: %(problem)s."),
            N_(
                "The first start of the service makes one. If it ran before, bring the old file "
                "back: links in mail that was sent depend on it."
            ),
            problem=problem,
        )
    if mode & 0o077 or size < _MIN_KEY:
        return findings.bad(
            "key",
            N_("The secret key in %(path)s is too short, or others can read it."),
            N_("Give it the mode 600 and at least 32 characters."),
            path=path,
        )
    return findings.good("key", N_("The secret key is there, and only we can read it."))


def _about_journal(settings: Settings) -> Finding:
    folder = settings.delivery.journal_dir
    try:
        Journal.create(Path(folder), is_synced=True).retire()
    except errors.HandbillError as problem:
        return findings.bad(
            "journal",
            N_("The journal's folder %(folder)s can't be written: %(problem)s"),
            N_("Nothing is sent without it: set [delivery] journal_dir, or mend its rights."),
            folder=folder,
            problem=problem,
        )
    return findings.good(
        "journal", N_("The journal's folder %(folder)s can be written."), folder=folder
    )


def _about_disks(settings: Settings) -> Iterator[Finding]:
    for folder in dict.fromkeys(_folders(settings)):
        usage = shutil.disk_usage(_existing(folder))
        free = f"{usage.free / 1e9:,.1f} GB"
        if usage.free < _FREE_BYTES:
            yield findings.bad(
                "disk",
                N_("Only %(free)s are free for %(folder)s."),
                N_("Make room: sending waits while the disk is full."),
                free=free,
                folder=folder,
            )
        else:
            yield findings.good(
                "disk", N_("%(free)s are free for %(folder)s."), free=free, folder=folder
            )


def _folders(settings: Settings) -> Iterator[Path]:
    url = _url(settings)
    if url is not None and url.get_backend_name() == "sqlite" and url.database:
        yield Path(url.database).parent
    yield Path(settings.delivery.journal_dir)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    absolute = folder.absolute()
    return next(each for each in (absolute, *absolute.parents) if each.exists())


async def _about_database(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    url = _url(settings)
    if url is None:
        yield _no_database("", N_("this is no database URL"))
        return
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not await asyncio.to_thread(_is_there, url):
        yield findings.bad(
            "database",
            N_("There is no database yet: %(url)s."),
            N_("Run `handbill migrate`; `handbill serve` does so by itself."),
            url=shown,
        )
        return
    try:
        db = database.connect(
            settings.database.url, busy_timeout_s=settings.database.busy_timeout_s, pool_size=1
        )
    except errors.ConfigProblem as problem:
        yield _no_database(shown, problem)
        return
    try:
        yield await _about_schema(db, shown)
        yield await _about_clock(db, clock)
        for finding in await _about_limits(db, settings, clock):
            yield finding
    except _TROUBLES as problem:
        yield _no_database(shown, problem.__cause__ or problem)
    finally:
        await db.close()


def _no_database(url: str, problem: object) -> Finding:
    return findings.bad(
        "database",
        N_("The database can't be used (%(url)s): %(problem)s"),
        N_("Check [database] url, and that its server runs and lets us in."),
        url=url,
        problem=" ".join(str(problem).split())[:300],
    )


def _url(settings: Settings) -> URL | None:
    try:
        return make_url(settings.database.url)
    except ArgumentError:
        return None


def _is_there(url: URL) -> bool:
    return url.database is not None and Path(url.database).exists()


async def _about_schema(db: database.Database, shown: str) -> Finding:
    if await migrations.is_newest(db):
        return findings.good("database", N_("The database answers: %(url)s."), url=shown)
    return findings.bad(
        "database",
        N_("The database answers, but its schema is not this program's: %(url)s."),
        N_("Run `handbill migrate`; `handbill serve` does so by itself."),
        url=shown,
    )


async def _about_clock(db: database.Database, clock: Clock) -> Finding:
    """Against what was written last, and against the database server's clock."""
    seen: list[datetime | None] = []
    async with db.reading() as session:
        if await migrations.is_newest(db):
            for column in (AuditEntry.at, Worker.seen_at):
                latest = sa.select(sa.func.max(col(column)))
                seen.append((await session.execute(latest)).scalar_one())
        if db.dialect == "postgresql":
            now = sa.select(sa.func.clock_timestamp())
            seen.append((await session.execute(now)).scalar_one())
    ours = clock.now()
    theirs = max((each for each in seen if each is not None), default=ours)
    is_behind = db.dialect == "postgresql" and ours - theirs > _DRIFT
    if theirs - ours > _DRIFT or is_behind:
        return _wrong_clock(f"{ours:{_MOMENT}}", f"{theirs:{_MOMENT}}")
    return findings.good("clock", N_("The clock says %(ours)s UTC."), ours=f"{ours:{_MOMENT}}")


async def _about_limits(db: database.Database, settings: Settings, clock: Clock) -> list[Finding]:
    """Which limits hold sending back, and until when: all is well, only slower."""
    if not await migrations.is_newest(db):
        return []
    async with db.reading() as session:
        held = await holding_back.read(settings, session, now=clock.now())
    return [_held(each) for each in held] or [
        findings.good("limit", N_("No limit holds sending back."))
    ]


def _held(held: Held) -> Finding:
    if held.is_refused:
        return findings.warn(
            "limit",
            N_(
                "“%(name)s” refuses our mail (%(said)s). Bulletins to it wait until %(until)s UTC; "
                "then sending goes on by itself."
            ),
            N_("Find out why under “Came back”, mend it, then let the mail go on there."),
            name=held.name,
            said=held.said,
            until=f"{held.until:{_MOMENT}}",
        )
    if held.until is not None:
        return findings.good(
            "limit",
            N_(
                "“%(name)s” has had all that it may get until %(until)s UTC; "
                "sending goes on by itself."
            ),
            name=held.name,
            until=f"{held.until:{_MOMENT}}",
        )
    return findings.good(
        "limit",
        N_(
            "“%(name)s” asked us to be slower (%(said)s); it gets %(count)s mails a minute for now."
        ),
        name=held.name,
        said=held.said,
        count=held.per_minute,
    )


def _wrong_clock(ours: str, theirs: str) -> Finding:
    return findings.bad(
        "clock",
        N_("The clock says %(ours)s UTC, but the database knows of %(theirs)s."),
        N_("Let the machine take its time from the network (NTP)."),
        ours=ours,
        theirs=theirs,
    )
