"""Staff's pages about the rules of the inbox (`/staff/inbox/rules`), with a place to try them."""

from collections.abc import Sequence

from aiohttp import web

from campaigns import (
    development_drafts,
    developments,
    inbox_lists,
    inbox_rules,
    inbox_staff_forms,
    staff_forms,
)
from campaigns.inbox_models import InboxRule, IncomingItem
from campaigns.inbox_rules import RuleDraft, Verdict
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit
from foundation.web.forms import Form

PATH = "/staff/inbox/rules"
_TRIED_ON = 30
"""So many of the latest stories are shown with what the rules make of them."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [
        web.get(PATH, index),
        web.post(f"{PATH}/usual", add_usual),
        web.get(f"{PATH}/new", ask),
        web.post(f"{PATH}/new", save),
        web.get(f"{PATH}/{{id}}", ask),
        web.post(f"{PATH}/{{id}}", save),
        web.post(f"{PATH}/{{id}}/act", act),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/inbox/rules?text=`: all of them, and what they make of a text and of stories."""
    ground = kit.ground(request)
    text = " ".join(request.query.get("text", "").split())[:2000]
    async with ground.db.reading() as session:
        rules = await inbox_rules.everything(session)
        latest = await inbox_lists.listed(
            ground, session, inbox_lists.Query(state=None), limit=_TRIED_ON
        )
    verdict = inbox_rules.judge(rules, headline=text, summary="", issue_id=None) if text else None
    judged = [(each, _of_item(rules, each)) for each in latest.items]
    return kit.render(
        request,
        "inbox/rules.html",
        rules=rules,
        text=text,
        verdict=verdict,
        judged=[(each, found) for each, found in judged if found.matches],
        tried_on=len(judged),
        issue_names=dict(await inbox_staff_forms.issue_choices(request)),
        kind_words=developments.KIND_WORDS,
        may_change=kit.signed_in(request).role.may(Role.EDITOR),
    )


@kit.staff(Role.EDITOR)
async def add_usual(request: web.Request) -> web.StreamResponse:
    """`POST …/rules/usual`: begin with the rules that are mostly wanted."""
    await forms.read(request)
    await inbox_rules.add_usual(kit.ground(request), actor=kit.actor(request))
    return _back(request, N_("These are the usual ones. Change them as you like."))


@kit.staff(Role.EDITOR)
async def ask(request: web.Request) -> web.StreamResponse:
    """`GET …/rules/new` and `…/rules/{id}`."""
    return await _page(request)


@kit.staff(Role.EDITOR)
async def save(request: web.Request) -> web.StreamResponse:
    """`POST …/rules/new` and `…/rules/{id}`."""
    ground, actor = kit.ground(request), kit.actor(request)
    form = await forms.read(request)
    try:
        draft = _draft(form)
        if "id" in request.match_info:
            await inbox_rules.update(
                ground,
                actor=actor,
                rule_id=kit.number_in_path(request),
                version=staff_forms.version(form),
                draft=draft,
            )
        else:
            await inbox_rules.add(ground, actor=actor, draft=draft)
    except (errors.Invalid, errors.Conflict) as problem:
        return await _page(request, staff_forms.typed(form), problem)
    return _back(request, N_("Saved. It is asked about what comes in from now on."))


@kit.staff(Role.EDITOR)
async def act(request: web.Request) -> web.StreamResponse:
    """`POST …/rules/{id}/act`: sooner, later, or remove."""
    ground, actor = kit.ground(request), kit.actor(request)
    form = await forms.read(request)
    number = kit.number_in_path(request)
    match form.line("action"):
        case "up":
            await inbox_rules.move(ground, actor=actor, rule_id=number, by=-1)
        case "down":
            await inbox_rules.move(ground, actor=actor, rule_id=number, by=1)
        case "remove":
            await inbox_rules.remove(
                ground, actor=actor, rule_id=number, version=staff_forms.version(form)
            )
            return _back(request, N_("Removed. What came in stays as it is."))
        case _:
            raise errors.Invalid(N_("Choose one of the buttons."))
    return kit.redirect(request, PATH)


def _of_item(rules: Sequence[InboxRule], item: IncomingItem) -> Verdict:
    return inbox_rules.judge(
        rules, headline=item.headline, summary=item.summary, issue_id=item.issue_id
    )


def _back(request: web.Request, msgid: str) -> web.StreamResponse:
    return kit.redirect(request, PATH, flash=kit.translator(request).gettext(msgid))


def _draft(form: Form) -> RuleDraft:
    kind = form.line("kind")
    draft = RuleDraft(
        words=form.text("words").splitlines(),
        issue_id=form.number("issue_id"),
        is_headline_only=form.flag("is_headline_only"),
        kind=development_drafts.kind_from(kind) if kind else None,
        place=form.line("place", limit=120),
        to_issue_id=form.number("to_issue_id"),
        is_drop=form.flag("is_drop"),
    )
    form.check()
    return draft


async def _page(
    request: web.Request,
    values: dict[str, str] | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    rule = None
    if "id" in request.match_info:
        async with kit.ground(request).db.reading() as session:
            rule = await inbox_rules.get(session, kit.number_in_path(request))
    is_conflict = isinstance(problem, errors.Conflict)
    speaks = kit.translator(request)
    return kit.render(
        request,
        "inbox/rule.html",
        status=409 if is_conflict else 422 if problem else 200,
        rule=rule,
        values=values if values is not None else _kept(rule),
        problems=staff_forms.say(request, problem) if problem else {},
        issues=await inbox_staff_forms.issue_choices(request),
        kinds=[
            (kind.value, speaks.gettext(word)) for kind, word in developments.KIND_WORDS.items()
        ],
    )


def _kept(rule: InboxRule | None) -> dict[str, str]:
    if rule is None:
        return {}
    return {
        "words": "\n".join(rule.words),
        "issue_id": str(rule.issue_id or ""),
        "is_headline_only": "1" if rule.is_headline_only else "",
        "kind": rule.kind,
        "place": rule.place,
        "to_issue_id": str(rule.to_issue_id or ""),
        "is_drop": "1" if rule.is_drop else "",
    }
