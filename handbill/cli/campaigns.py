"""Commands about campaigns. Whoever has the shell is an owner, so their `start` also approves."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from campaigns import (
    attention,
    campaign_views,
    compiling,
    documents,
    lifecycle,
    readings,
    reports,
    whole,
)
from campaigns.campaign_views import View
from campaigns.models import Campaign, CampaignState
from delivery import message, testmail
from foundation import errors, i18n
from foundation.audit import COMMAND
from foundation.ground import Ground
from foundation.i18n import N_
from handbill.cli import checking, follow_ups, following, kit, recipients, trials
from handbill.cli.kit import Chosen
from subscribers import people
from subscribers import recipients as readers
from subscribers.recipients import Recipient
from templates.plan import Plan


@click.group()
def campaigns() -> None:
    """Bulletins on their way to people."""


@campaigns.command("create")
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
)
@click.pass_obj
def create(chosen: Chosen, file: Path) -> None:
    """Make a draft from a TOML or JSON document (`-`: standard input); its id is printed last."""
    name = file.name if str(file) != "-" else "-"

    async def act(ground: Ground) -> Campaign:
        document = documents.parse(_text(file), name=name)
        return await whole.create(ground, actor=COMMAND, document=document)

    made = kit.run(chosen, act)
    click.echo(f"“{made.name}” is a draft:", err=True)
    click.echo(str(made.id))


@campaigns.command("list")
@click.option(
    "--state", "states", multiple=True, type=click.Choice([s.value for s in CampaignState])
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@kit.JSON
@click.pass_obj
def list_(chosen: Chosen, states: Sequence[str], limit: int, as_json: bool) -> None:
    """Campaigns, newest first."""

    async def act(ground: Ground) -> Sequence[Campaign]:
        wanted = [CampaignState(state) for state in states]
        return (await campaign_views.listed(ground, states=wanted, limit=limit)).items

    rows = [_row(each) for each in kit.run(chosen, act)]
    kit.show(rows, as_json=as_json, columns=("id", "name", "state", "scheduled", "started_at"))


@campaigns.command("show")
@kit.CAMPAIGN_ID
@kit.JSON
@click.pass_obj
def show(chosen: Chosen, campaign_id: int, as_json: bool) -> None:
    """One campaign: what it sends, to whom, and what can be done to it."""

    async def act(ground: Ground) -> View:
        return await campaign_views.show(ground, campaign_id=campaign_id)

    view = kit.run(chosen, act)
    said = {
        **_row(view.campaign),
        "bulletin_id": view.bulletin.id,
        "languages": list(view.languages),
        "audience": view.campaign.audience,
        "approved_by": view.campaign.approved_by,
        "is_changed": view.is_changed,
        "waiting_reason": attention.why(view.campaign, kit.translator().language),
        "can": sorted(verb.value for verb in view.verbs),
    }
    if as_json:
        kit.show_json(said)
        return
    rows = [{"": name, "value": value} for name, value in said.items() if value not in ("", None)]
    kit.show(rows, as_json=False, columns=("", "value"))


@campaigns.command("preview")
@kit.CAMPAIGN_ID
@click.option("--language", help="Which edition, such as es, or es+en for both in one mail.")
@click.option("--as", "reader", metavar="EMAIL", help="As this person would get it.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False, allow_dash=True)
)
@click.pass_obj
def preview(
    chosen: Chosen, campaign_id: int, language: str | None, reader: str | None, out: Path
) -> None:
    """Write the mail as it would arrive; its links count nothing.

    Without --as, blocks that only some people see are all in it.
    """

    async def act(ground: Ground) -> bytes:
        view = await campaign_views.show(ground, campaign_id=campaign_id)
        person = await _person(ground, reader)
        wished = language or (person.language if person else "")
        plan = (await _plans(ground, view, wished, is_strict=language is not None))[0]
        site = ground.settings.site
        return message.preview(
            ground,
            plan=plan,
            to=person.email if person else site.contact_email or ground.settings.mail.from_address,
            subscriber_values=people.merge_values(person) if person else {},
            answers=plan.answers(person) if person else None,
            from_name=view.campaign.from_name,
            from_address=view.campaign.from_address,
        )

    octets = kit.run(chosen, act)
    with click.open_file(str(out), "wb") as file:
        file.write(octets)
    click.echo(f"{out}: {len(octets):,} bytes", err=True)


@campaigns.command("test")
@kit.CAMPAIGN_ID
@click.option("--to", "to", metavar="EMAIL", required=True)
@click.option("--language", help="Only this edition (default: each).")
@click.pass_obj
def test(chosen: Chosen, campaign_id: int, to: str, language: str | None) -> None:
    """Send it to one address, marked as a test; it counts nowhere."""

    async def act(ground: Ground) -> int:
        view = await campaign_views.show(ground, campaign_id=campaign_id)
        plans = await _plans(ground, view, language, is_strict=True)
        await testmail.send(
            ground,
            plans={plan.language: plan for plan in plans},
            to=to,
            from_name=view.campaign.from_name,
            from_address=view.campaign.from_address,
            relay=view.campaign.relay,
        )
        return len(plans)

    click.echo(f"sent to {to}: {kit.run(chosen, act)}")


@campaigns.command("start")
@kit.CAMPAIGN_ID
@click.option("--wait", is_flag=True, help="Follow until every recipient has an outcome.")
@click.pass_obj
def start(chosen: Chosen, campaign_id: int, wait: bool) -> None:
    """Send now. A draft is approved by this, if nothing stops it from going out."""

    async def act(ground: Ground) -> str:
        await _approve(ground, campaign_id)
        await lifecycle.start(ground, actor=COMMAND, campaign_id=campaign_id)
        return await following.follow(ground, campaign_id=campaign_id) if wait else "sending"

    state = kit.run(chosen, act)
    click.echo(state)
    if wait and state != CampaignState.SENT:
        raise SystemExit(kit.FAILED)


@campaigns.command("schedule")
@kit.CAMPAIGN_ID
@click.option("--at", required=True, metavar="2026-12-01T09:00", help="Local day and time.")
@click.option("--zone", help="Of that time (default: the site's).")
@click.option("--second", is_flag=True, help="The second of a time that clocks show twice.")
@click.option("--each-reader", is_flag=True, help="At that time where each reader lives.")
@click.pass_obj
def schedule(
    chosen: Chosen, campaign_id: int, at: str, zone: str | None, second: bool, each_reader: bool
) -> None:
    """Let it start by itself. A draft is approved by this, if nothing stops it from going out."""

    async def act(ground: Ground) -> Campaign:
        await _approve(ground, campaign_id)
        await lifecycle.schedule(
            ground,
            actor=COMMAND,
            campaign_id=campaign_id,
            at=at,
            zone=zone or ground.settings.site.zone,
            fold=int(second),
            at_readers_time=each_reader,
        )
        return (await campaign_views.show(ground, campaign_id=campaign_id)).campaign

    campaign = kit.run(chosen, act)
    moment = campaign.scheduled_at.isoformat() if campaign.scheduled_at else ""
    click.echo(f"scheduled: {campaign.scheduled_local} {campaign.scheduled_zone} ({moment})")


@campaigns.command("pause")
@kit.CAMPAIGN_ID
@click.option("--reason", default="", help="Shown to colleagues.")
@click.pass_obj
def pause(chosen: Chosen, campaign_id: int, reason: str) -> None:
    """Hold what is not sent yet."""

    async def act(ground: Ground) -> None:
        await lifecycle.pause(ground, actor=COMMAND, campaign_id=campaign_id, reason=reason)

    kit.run(chosen, act)
    click.echo("paused")


@campaigns.command("resume")
@kit.CAMPAIGN_ID
@click.option(
    "--acknowledge",
    is_flag=True,
    help="You have looked at what came back, if it was paused because of that.",
)
@click.pass_obj
def resume(chosen: Chosen, campaign_id: int, acknowledge: bool) -> None:
    """Go on where it was held."""

    async def act(ground: Ground) -> None:
        await lifecycle.resume(
            ground, actor=COMMAND, campaign_id=campaign_id, is_acknowledged=acknowledge
        )

    kit.run(chosen, act)
    click.echo("sending")


@campaigns.command("cancel")
@kit.CAMPAIGN_ID
@click.pass_obj
def cancel(chosen: Chosen, campaign_id: int) -> None:
    """Stop for good; who was not mailed yet will not be."""

    async def act(ground: Ground) -> None:
        await lifecycle.cancel(ground, actor=COMMAND, campaign_id=campaign_id)

    kit.run(chosen, act)
    click.echo("cancelled")


@campaigns.command("report")
@kit.CAMPAIGN_ID
@kit.JSON
@click.pass_obj
def report(chosen: Chosen, campaign_id: int, as_json: bool) -> None:
    """What came of it: every recipient accounted for, people's hits apart from machines'."""

    async def act(ground: Ground) -> dict[str, Any]:
        return (await reports.report(ground, campaign_id=campaign_id)).as_dict()

    found = kit.run(chosen, act)
    if as_json:
        kit.show_json(found)
        return
    links = found.pop("links")
    rows = [
        {"": name.replace("_", " "), "value": _words(value)}
        for name, value in found.items()
        if value not in ({}, [], None)
    ]
    kit.show(rows, as_json=False, columns=("", "value"))
    if links:
        kit.show(links, as_json=False, columns=("clicks", "people", "language", "url"))


async def _approve(ground: Ground, campaign_id: int) -> None:
    """The person at the shell may send, so what they send counts as approved by them."""
    view = await campaign_views.show(ground, campaign_id=campaign_id)
    state = view.campaign.state
    if state == CampaignState.DRAFT:
        await lifecycle.request_review(ground, actor=COMMAND, campaign_id=campaign_id)
    is_open = state in (CampaignState.DRAFT, CampaignState.IN_REVIEW)
    if is_open or (state == CampaignState.APPROVED and view.is_changed):
        await lifecycle.approve(ground, actor=COMMAND, campaign_id=campaign_id)


async def _plans(
    ground: Ground, view: View, language: str | None, *, is_strict: bool
) -> Sequence[Plan]:
    """The plans of every edition, or of one: the one asked for, or the nearest to a wish."""
    async with ground.db.reading() as session:
        made = await compiling.compile_editions(
            ground, session, view.bulletin, campaign_name=view.campaign.name
        )
    plans = {code: each.plan for code, each in made.items()}
    if language and language in readings.pairs(list(plans)):
        return list(compiling.stack(ground, list(made.values()), keys=[language]).values())
    if language is None:
        return list(plans.values())
    if is_strict and language not in plans:
        raise errors.Invalid(
            N_("There is no edition in “%(language)s”. There are: %(known)s."),
            language=language[:20],
            known=", ".join(plans),
        )
    return [plans[i18n.match(language, view.languages)]]


async def _person(ground: Ground, email: str | None) -> Recipient | None:
    if email is None:
        return None
    number = await people.by_email(ground, email=email)
    return await readers.one(ground, subscriber_id=number)


def _text(file: Path) -> str:
    try:
        with click.open_file(str(file), "r", encoding="utf-8") as stream:
            return str(stream.read())
    except (OSError, UnicodeDecodeError) as problem:
        raise errors.Invalid(
            N_("%(file)s can't be read: %(problem)s"), file=str(file), problem=str(problem)
        ) from problem


def _row(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state,
        "scheduled": f"{campaign.scheduled_local} {campaign.scheduled_zone}".strip(),
        "started_at": campaign.started_at and campaign.started_at.isoformat(),
        "finished_at": campaign.finished_at and campaign.finished_at.isoformat(),
    }


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return str(value)


for command in (*checking.COMMANDS, *follow_ups.COMMANDS, *recipients.COMMANDS, *trials.COMMANDS):
    campaigns.add_command(command)
COMMANDS = (campaigns,)
