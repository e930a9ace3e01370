"""Staff's pages about people (`/staff/people`): the list, one person, and what may be done."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web
from multidict import MultiDict

from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from subscribers import (
    doubts,
    download,
    erasing,
    exporting,
    finding,
    languages,
    mending,
    people,
    plainly,
    public_links,
    timeline,
    topics,
)
from subscribers.models import Topic

MAIL_HISTORY: web.AppKey[people.MailHistory] = web.AppKey("mail_history", people.MailHistory)
"""Set by `handbill/app.py`; without it, a person's page says nothing about mails."""
WELCOME_HISTORY: web.AppKey[people.WelcomeHistory] = web.AppKey(
    "welcome_history", people.WelcomeHistory
)
"""The same for welcomes."""
COMING: web.AppKey[people.Coming] = web.AppKey("coming", people.Coming)
"""The same for campaigns that are to come."""

_MAILS = 50


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = "/staff/people/{id}"
    return [
        web.get("/staff/people", index),
        web.post("/staff/people/export", export),
        web.get(one, show),
        web.post(one, update),
        web.post(f"{one}/topics", take_off_topic),
        web.post(f"{one}/unsubscribe", unsubscribe),
        web.post(f"{one}/suppress", suppress),
        web.post(f"{one}/lift", lift),
        web.get(f"{one}/erase", ask_erase),
        web.post(f"{one}/erase", erase),
        web.post(f"{one}/file", take_along),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.Response:
    """`GET /staff/people`: search and filters; htmx takes the list alone."""
    ground = kit.ground(request)
    query = _query(request)
    after = request.query.get("after", "")
    found = await finding.search(
        ground, query=query, after=int(after) if after.isdecimal() and len(after) < 18 else None
    )
    async with ground.db.reading() as session:
        all_topics = await topics.everything(session)
    return kit.render(
        request,
        "people/_rows.html" if kit.is_htmx(request) else "people/list.html",
        query=query,
        found=found,
        is_filtered=query != finding.Query(),
        topics=all_topics,
        topic_names=_names(request, all_topics),
        tags=await people.tags(ground),
        standings=plainly.STANDINGS,
        tones=plainly.STANDING_TONES,
        next_url=_next(request, found.next_after),
        inside_url=_address(request, inside="1") if _may_look_inside(query, found) else None,
        doubtful=await doubts.count(ground),
    )


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.Response:
    """`GET /staff/people/{id}`: everything held about a person."""
    return await _person_page(request)


@kit.staff(Role.EDITOR)
async def update(request: web.Request) -> web.Response:
    """`POST /staff/people/{id}`: mend their details."""
    form = await forms.read(request)
    subscriber_id = kit.number_in_path(request)
    try:
        changes = mending.Changes(
            first_name=form.line("first_name", limit=100),
            last_name=form.line("last_name", limit=100),
            postal_code=form.line("postal_code", limit=20),
            town=form.line("town", limit=100),
            language=form.line("language", limit=20),
            further_languages=" ".join(form.lines(languages.FIELD)),
            reads_both=form.flag("reads_both"),
            tags=_tags(form.line("tags", limit=500)),
        )
        form.check()
        await mending.update(
            kit.ground(request),
            actor=kit.actor(request),
            subscriber_id=subscriber_id,
            seen=_moment(form.line("seen")),
            changes=changes,
        )
    except (errors.Invalid, errors.Conflict) as problem:
        return await _person_page(request, problem=problem, values=form.values)
    return _back(request, N_("Kept."))


@kit.staff(Role.EDITOR)
async def take_off_topic(request: web.Request) -> web.Response:
    """`POST …/topics`: off one topic, because they asked the office; nobody is put on one."""
    topic = (await forms.read(request)).line("topic", limit=100)
    if not topic:
        raise errors.Invalid(N_("Say which topic."))
    was_on = await mending.take_off(
        kit.ground(request),
        actor=kit.actor(request),
        subscriber_id=kit.number_in_path(request),
        topic_slug=topic,
        reason="",
    )
    return _back(
        request, N_("Taken off this topic.") if was_on else N_("They were not on this topic.")
    )


@kit.staff(Role.EDITOR)
async def take_along(request: web.Request) -> web.Response:
    """`POST …/file`: everything held about a person as JSON, for whom they ask to give it."""
    await forms.read(request)
    number = kit.number_in_path(request)
    found = await download.for_office(
        kit.ground(request),
        actor=kit.actor(request),
        subscriber_id=number,
        elsewhere=public_links.elsewhere(request),
    )
    text = json.dumps(found, ensure_ascii=False, indent=2)
    return kit.file(text, name=f"person-{number}.json", media_type="application/json")


@kit.staff(Role.EDITOR)
async def unsubscribe(request: web.Request) -> web.Response:
    """`POST …/unsubscribe`: off every list, because they asked the office."""
    form = await forms.read(request)
    reason = form.text("reason", limit=500)
    was_on = await mending.take_off(
        kit.ground(request),
        actor=kit.actor(request),
        subscriber_id=kit.number_in_path(request),
        reason=reason,
    )
    return _back(
        request,
        N_("Unsubscribed from everything.") if was_on else N_("They were on no list."),
    )


@kit.staff(Role.EDITOR)
async def suppress(request: web.Request) -> web.Response:
    """`POST …/suppress`: no mail from now on."""
    form = await forms.read(request)
    try:
        await mending.suppress(
            kit.ground(request),
            actor=kit.actor(request),
            subscriber_id=kit.number_in_path(request),
            note=form.text("note", limit=500),
        )
    except errors.Invalid as problem:
        return await _person_page(request, problem=problem)
    return _back(request, N_("No mail goes to this person from now on."))


@kit.staff(Role.EDITOR)
async def lift(request: web.Request) -> web.Response:
    """`POST …/lift`: they may be mailed again."""
    form = await forms.read(request)
    try:
        await mending.lift(
            kit.ground(request),
            actor=kit.actor(request),
            subscriber_id=kit.number_in_path(request),
            because=form.text("because", limit=500),
        )
    except errors.Invalid as problem:
        return await _person_page(request, problem=problem)
    return _back(request, N_("This person may be mailed again, on the topics they confirmed."))


@kit.staff(Role.EDITOR)
async def ask_erase(request: web.Request) -> web.Response:
    """`GET …/erase`: what goes and what stays, and a box for the address."""
    person = await people.show(kit.ground(request), subscriber_id=kit.number_in_path(request))
    return kit.render(request, "people/erase.html", person=person, problems={}, message="")


@kit.staff(Role.EDITOR)
async def erase(request: web.Request) -> web.Response:
    """`POST …/erase`: for good, once the address was typed as a check."""
    ground = kit.ground(request)
    form = await forms.read(request)
    person = await people.show(ground, subscriber_id=kit.number_in_path(request))
    if form.line("address").casefold() != person.subscriber.email.casefold():
        speaks = kit.translator(request)
        wrong = speaks.gettext(N_("This is not the address of the person. Type it as shown."))
        return kit.render(
            request,
            "people/erase.html",
            status=422,
            person=person,
            problems={"address": wrong},
            message=wrong,
        )
    elsewhere = public_links.elsewhere(request)
    await erasing.erase(
        ground,
        subscriber_id=person.subscriber.id,
        via="staff",
        actor=kit.actor(request),
        elsewhere=elsewhere,
    )
    said = kit.translator(request).gettext(N_("Erased. Only a hash of the address is left."))
    return kit.redirect(request, "/staff/people", flash=said)


@kit.staff(Role.EDITOR)
async def export(request: web.Request) -> web.StreamResponse:
    """`POST /staff/people/export`: a CSV file, streamed page by page."""
    ground = kit.ground(request)
    form = await forms.read(request)
    slugs = form.lines("topic")
    await exporting.note(ground, actor=kit.actor(request), topic_slugs=slugs)
    pieces = exporting.chunks(ground, topic_slugs=slugs)
    first = await anext(pieces)
    day = ground.clock.now().astimezone(ground.settings.site.tzinfo).date()
    return await kit.csv_file(request, first, pieces, name=f"people-{day.isoformat()}.csv")


async def _person_page(
    request: web.Request,
    *,
    problem: errors.HandbillError | None = None,
    values: MultiDict[str] | None = None,
) -> web.Response:
    ground = kit.ground(request)
    speaks = kit.translator(request)
    subscriber_id = kit.number_in_path(request)
    person = await people.show(ground, subscriber_id=subscriber_id)
    rooms = request.app.get(MAIL_HISTORY)
    mails: Sequence[people.Mail] = ()
    came_back: Sequence[people.CameBack] = ()
    if rooms is not None:
        mails = await rooms.mails(
            ground, subscriber_id=subscriber_id, language=speaks.language, limit=_MAILS
        )
        came_back = await rooms.came_back(
            ground, subscriber_id=subscriber_id, language=speaks.language, limit=_MAILS
        )
    welcomes: Sequence[people.WelcomeTold] = ()
    coming: Sequence[people.ComingTold] = ()
    if COMING in request.app:
        coming = await request.app[COMING].coming(
            ground, subscriber_id=subscriber_id, language=speaks.language
        )
    if WELCOME_HISTORY in request.app:
        welcomes = await request.app[WELCOME_HISTORY].welcomes(
            ground, subscriber_id=subscriber_id, language=speaks.language
        )
    async with ground.db.reading() as session:
        all_topics = await topics.everything(session)
    names = _names(request, all_topics)
    shown = dict(values) if values is not None else _details(person)
    return kit.render(
        request,
        "people/person.html",
        status=_status(problem),
        person=person,
        story=timeline.tell(
            [plainly.step(speaks, consent, names) for consent in person.consents], mails, came_back
        ),
        kinds=timeline.WORDS,
        kind_tones=timeline.TONES,
        is_cut=_MAILS in (len(mails), len(came_back)),
        most=_MAILS,
        welcomes=welcomes,
        coming=coming,
        values=shown,
        topic_names=names,
        why=[plainly.suppression(speaks, each) for each in person.suppressions],
        standings=plainly.STANDINGS,
        tones=plainly.STANDING_TONES,
        topic_states=plainly.TOPIC_STATES,
        site_languages=_languages(request),
        further_choices=languages.choices(kit.ground(request)),
        further_ticked=values.getall(languages.FIELD, [])
        if values is not None
        else person.subscriber.further_languages.split(),
        problems=_said(request, problem),
        message=problem.say(speaks) if problem else "",
    )


def _status(problem: errors.HandbillError | None) -> int:
    if problem is None:
        return 200
    return 409 if isinstance(problem, errors.Conflict) else 422


def _said(request: web.Request, problem: errors.HandbillError | None) -> dict[str, str]:
    if not isinstance(problem, errors.Invalid):
        return {}
    speaks = kit.translator(request)
    return {name: each.say(speaks) for name, each in problem.fields.items()}


def _details(person: people.Person) -> dict[str, Any]:
    subscriber = person.subscriber
    return {
        "first_name": subscriber.first_name,
        "last_name": subscriber.last_name,
        "postal_code": subscriber.postal_code,
        "town": subscriber.town,
        "language": subscriber.language,
        "reads_both": "1" if subscriber.reads_both else "",
        "tags": ", ".join(person.tags),
        "seen": subscriber.updated_at.isoformat(),
    }


def _query(request: web.Request) -> finding.Query:
    asked = request.query
    standing = asked.get("standing", "")
    known = [each.value for each in finding.Standing]
    return finding.Query(
        text=asked.get("q", "")[:200].replace("\x00", ""),
        is_inside="inside" in asked,
        topic=asked.get("topic", "")[:100],
        standing=finding.Standing(standing) if standing in known else None,
        language=asked.get("language", "")[:20],
        tag=asked.get("tag", "")[:200],
    )


def _next(request: web.Request, after: int | None) -> str | None:
    return None if after is None else _address(request, after=str(after))


def _may_look_inside(query: finding.Query, found: finding.Found) -> bool:
    """Whether everybody who fits is shown, and somebody else may be meant."""
    return bool(query.text) and not query.is_inside and found.next_after is None


def _address(request: web.Request, **changes: str) -> str:
    query = MultiDict(request.query)
    query.update(changes)
    return str(request.rel_url.with_query(query))


def _names(request: web.Request, found: Sequence[Topic]) -> dict[str, str]:
    language = kit.translator(request).language
    return {topic.slug: topics.name(topic, language) for topic in found}


def _languages(request: web.Request) -> list[tuple[str, str]]:
    catalog = kit.ground(request).catalog
    return [(code, catalog.translator(code).name) for code in catalog.languages]


def _tags(text: str) -> list[str]:
    return sorted({part.strip().lower() for part in text.split(",") if part.strip()})


def _moment(text: str) -> datetime:
    """The moment a page was made from; anything else than one of ours counts as outdated."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise errors.Conflict(
            N_("This person was changed meanwhile. Reload the page, then change it again.")
        )
    return found


def _back(request: web.Request, msgid: str) -> web.Response:
    said = kit.translator(request).gettext(msgid)
    return kit.redirect(request, f"/staff/people/{kit.number_in_path(request)}", flash=said)
