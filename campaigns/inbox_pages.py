"""Staff's pages of the inbox (`/staff/inbox`): what came in, and what is done with it."""

from typing import Any

from aiohttp import web

from campaigns import (
    developments,
    feed_pages,
    feed_sources,
    inbox,
    inbox_lists,
    inbox_rule_pages,
    inbox_staff_forms,
    inbox_way_pages,
    incoming,
    issue_page,
    issues,
    staff_forms,
)
from campaigns import schedule as schedules
from campaigns.inbox_models import IncomingItem, ItemState, Origin
from campaigns.inbox_staff_forms import Decision
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_, NN_
from foundation.web import forms, kit
from subscribers import partners

PATH = "/staff/inbox"
TONES = {
    ItemState.NEW: "busy",
    ItemState.APART: "bad",
    ItemState.HELD: "warn",
    ItemState.KEPT: "good",
    ItemState.SAME: "neutral",
    ItemState.DROPPED: "neutral",
}
SAID = {
    Decision.SAVE: N_("Saved."),
    Decision.KEEP: N_("Kept as a draft of a development."),
    Decision.TRANSLATE: N_("Kept as a draft. Write it in the other languages here."),
    Decision.PUBLISH: N_("Kept and published."),
    Decision.DROP: N_("Dropped."),
    Decision.HOLD: N_("It comes back on its day."),
    Decision.MERGE: N_("They are one story now."),
    Decision.REOPEN: N_("It is to be decided about again."),
}
_DONE = {
    Decision.KEEP: NN_("%(count)s story kept as a draft.", "%(count)s stories kept as drafts."),
    Decision.PUBLISH: NN_(
        "%(count)s story kept and published.", "%(count)s stories kept and published."
    ),
    Decision.DROP: NN_("%(count)s story dropped.", "%(count)s stories dropped."),
}
_LEFT = NN_(
    "%(count)s was left as it is: somebody else decided about it meanwhile.",
    "%(count)s were left as they are: somebody else decided about them meanwhile.",
)


def routes() -> list[web.RouteDef]:
    """What is here; fixed names stand before `{id}`."""
    return [
        web.get(PATH, index),
        web.post(f"{PATH}/act", act_on_several),
        web.get(f"{PATH}/new", ask_new),
        web.post(f"{PATH}/new", add),
        *feed_pages.routes(),
        *inbox_rule_pages.routes(),
        *inbox_way_pages.routes(),
        web.get(f"{PATH}/{{id}}", show),
        web.post(f"{PATH}/{{id}}", act),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/inbox?state=&issue=&feed=&origin=&q=`."""
    ground, speaks = kit.ground(request), kit.translator(request)
    query = inbox_staff_forms.read_query(request.query)
    async with ground.db.reading() as session:
        page = await inbox_lists.listed(
            ground, session, query, after=staff_forms.after_cursor(request.query)
        )
        counted = await inbox_lists.counts(ground, session, query)
        every_feed = await feed_sources.listed(session)
    more = str(request.rel_url.update_query(after=str(page.next_after))) if page.next_after else ""
    return kit.render(
        request,
        "inbox/list.html",
        query=query,
        back=str(request.rel_url),
        shown=[(each, inbox_lists.state_now(ground, each)) for each in page.items],
        tabs=_tabs(request, query, counted),
        issues=await inbox_staff_forms.issue_choices(request),
        feeds=[(str(each.id), feed_sources.title(each)) for each in every_feed],
        feed_names={each.id: feed_sources.title(each) for each in every_feed},
        origins=[
            (each.value, speaks.gettext(word)) for each, word in inbox_lists.ORIGIN_WORDS.items()
        ],
        origin_words=inbox_lists.ORIGIN_WORDS,
        state_words=inbox_lists.STATE_WORDS,
        kind_words=developments.KIND_WORDS,
        tones=TONES,
        next_url=more,
        may_decide=kit.signed_in(request).role.may(Role.AUTHOR),
        may_publish=kit.signed_in(request).role.may(Role.EDITOR),
    )


@kit.staff(Role.AUTHOR)
async def act_on_several(request: web.Request) -> web.StreamResponse:
    """`POST /staff/inbox/act`: keep, publish or drop those that were ticked."""
    ground, actor = kit.ground(request), kit.actor(request)
    form = await forms.read(request)
    decision = inbox_staff_forms.decision(form)
    seen = inbox_staff_forms.ticked(form)
    reason = form.line("reason", limit=500)
    _check_may(request, decision)
    if not seen:
        raise errors.Invalid(N_("Tick one story at least."))
    if decision is Decision.DROP and not reason:
        raise errors.Invalid(N_("Say why, for those who wonder later."))

    async def decide(number: int, version: int) -> object:
        if decision is Decision.DROP:
            return await inbox.drop(
                ground, actor=actor, item_id=number, version=version, reason=reason
            )
        return await inbox.keep(
            ground,
            actor=actor,
            item_id=number,
            version=version,
            is_published=decision is Decision.PUBLISH,
        )

    if decision not in _DONE:
        raise errors.Invalid(N_("Choose one of the buttons."))
    done = await inbox.for_each(seen, decide)
    return kit.redirect(
        request, inbox_staff_forms.back(form, PATH), flash=_said(request, decision, done)
    )


@kit.staff(Role.AUTHOR)
async def ask_new(request: web.Request) -> web.StreamResponse:
    """`GET /staff/inbox/new?url=&title=&text=`: filled from the page that somebody was reading."""
    return await _new_page(request, inbox_staff_forms.from_browser(request))


@kit.staff(Role.AUTHOR)
async def add(request: web.Request) -> web.StreamResponse:
    """`POST /staff/inbox/new`: put it into the inbox, or say that it is there."""
    ground = kit.ground(request)
    form = await forms.read(request)
    try:
        change = inbox_staff_forms.read_change(request, form)
        taken = await incoming.take_in(
            ground,
            actor=kit.actor(request),
            issue_id=change.issue_id,
            origin=Origin.BROWSER,
            offers=[inbox_staff_forms.offer(change, sender=kit.actor(request).label)],
        )
    except (errors.Invalid, errors.NotFound) as problem:
        return await _new_page(request, staff_forms.typed(form), problem)
    number = taken.every[0]
    said = N_("It is in the inbox.") if taken.added else N_("This story was in the inbox already.")
    return kit.redirect(request, f"{PATH}/{number}", flash=kit.translator(request).gettext(said))


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/inbox/{id}`: one story, and what can be done with it."""
    return await _item_page(request)


@kit.staff(Role.AUTHOR)
async def act(request: web.Request) -> web.StreamResponse:
    """`POST /staff/inbox/{id}`: save, keep, drop, hold, merge or take back."""
    form = await forms.read(request)
    decision = inbox_staff_forms.decision(form)
    _check_may(request, decision)
    try:
        place = await inbox_staff_forms.decide(request, form, decision)
    except (errors.Invalid, errors.Conflict, errors.Refused) as problem:
        return await _item_page(request, staff_forms.typed(form), problem)
    return kit.redirect(request, place, flash=kit.translator(request).gettext(SAID[decision]))


def _check_may(request: web.Request, decision: Decision) -> None:
    if decision is Decision.PUBLISH and not kit.signed_in(request).role.may(Role.EDITOR):
        raise errors.Forbidden(
            N_("This is public, so an editor has to change it. Authors write drafts.")
        )


def _said(request: web.Request, decision: Decision, done: inbox.Done) -> str:
    speaks = kit.translator(request)
    parts = [(len(done.done), _DONE[decision]), (len(done.left), _LEFT)]
    return " ".join(
        speaks.ngettext(*words, count) % {"count": speaks.number(count)}
        for count, words in parts
        if count or words is not _LEFT
    )


def _tabs(
    request: web.Request, query: inbox_lists.Query, counted: dict[ItemState, int]
) -> list[tuple[str, str, bool]]:
    """The states, each with how many there are; those without any are left out, but for three."""
    speaks = kit.translator(request)
    always = {ItemState.NEW, ItemState.KEPT, ItemState.DROPPED, query.state}
    shown = [
        (
            str(request.rel_url.update_query(state=state.value).without_query_params("after")),
            f"{speaks.gettext(words).capitalize()} ({speaks.number(counted[state])})",
            state is query.state,
        )
        for state, words in inbox_lists.STATE_WORDS.items()
        if state in always or counted[state]
    ]
    every = str(request.rel_url.update_query(state="all").without_query_params("after"))
    return [*shown, (every, speaks.gettext(N_("All")), query.state is None)]


async def _new_page(
    request: web.Request, values: dict[str, str], problem: errors.HandbillError | None = None
) -> web.Response:
    return kit.render(
        request,
        "inbox/new.html",
        status=422 if problem else 200,
        values=values,
        problems=staff_forms.say(request, problem) if problem else {},
        **await _offered(request),
    )


async def _item_page(
    request: web.Request,
    values: dict[str, str] | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        item = await inbox_lists.get(session, kit.number_in_path(request))
        again = await inbox_lists.told_again(session, item.id)
        first = await session.get(IncomingItem, item.same_as_id) if item.same_as_id else None
        others = await inbox_lists.others(session, item)
        issue = await issues.get(session, item.issue_id)
        feed = await feed_sources.get(session, item.feed_id) if item.feed_id else None
        names = await developments.partner_names(
            session, [item.partner_id] if item.partner_id else []
        )
    role = kit.signed_in(request).role
    state = inbox_lists.state_now(ground, item)
    return kit.render(
        request,
        "inbox/item.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        item=item,
        state=state,
        is_open=state in (ItemState.NEW, ItemState.APART, ItemState.HELD),
        issue=issue_page.summarise(ground, issue, kit.translator(request)),
        feed=feed,
        feed_title=feed_sources.title(feed) if feed else "",
        partner=names.get(item.partner_id, ""),
        first=first,
        again=again,
        others=[(str(each.id), f"{each.headline} ({each.source_name})") for each in others],
        values=values if values is not None else inbox_staff_forms.values_of(request, item),
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
        origin_words=inbox_lists.ORIGIN_WORDS,
        state_words=inbox_lists.STATE_WORDS,
        kind_words=developments.KIND_WORDS,
        tones=TONES,
        may_decide=role.may(Role.AUTHOR),
        may_publish=role.may(Role.EDITOR),
        **await _offered(request),
    )


async def _offered(request: web.Request) -> dict[str, Any]:
    """Issues, kinds, languages and partners to choose from."""
    ground, speaks = kit.ground(request), kit.translator(request)
    return {
        "issues": await inbox_staff_forms.issue_choices(request),
        "kinds": [
            (kind.value, speaks.gettext(word)) for kind, word in developments.KIND_WORDS.items()
        ],
        "language_choices": inbox_staff_forms.language_choices(request),
        "partners": [
            (str(each.partner.id), each.partner.name) for each in await partners.listed(ground)
        ],
        "site_zone": ground.settings.site.zone,
        "local_text": schedules.local_text,
    }
