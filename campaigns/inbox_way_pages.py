"""Staff's page of other ways into the inbox (`/staff/inbox/ways`): a browser's button, a table."""

import json
from typing import Any

from aiohttp import web

from campaigns import inbox_csv, inbox_staff_forms, mailed_stories, staff_forms
from campaigns.inbox_csv import Imported
from foundation import errors
from foundation.accounts.models import Role
from foundation.ground import Ground
from foundation.i18n import N_
from foundation.web import forms, kit

PATH = "/staff/inbox/ways"
_SELECTED = 1500
"""So many characters of what was selected on a page come along."""


def routes() -> list[web.RouteDef]:
    """What is here."""
    return [web.get(PATH, show), web.post(f"{PATH}/table", take_table)]


@kit.staff(Role.AUTHOR)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/inbox/ways`."""
    return await _page(request)


@kit.staff(Role.AUTHOR)
@kit.takes_files
async def take_table(request: web.Request) -> web.StreamResponse:
    """`POST /staff/inbox/ways/table`: put the stories of a CSV file into the inbox."""
    form = await forms.read(request)
    sent = await staff_forms.file_of(request, "file")
    if sent is None:
        missing = errors.Invalid(N_("Choose a file."))
        return await _page(request, problem=errors.Invalid(missing.msgid, fields={"file": missing}))
    try:
        found = await inbox_csv.import_table(
            kit.ground(request),
            actor=kit.actor(request),
            issue_id=form.number("issue_id", default=0) or 0,
            octets=sent[1],
        )
    except (errors.Invalid, errors.NotFound) as problem:
        return await _page(request, problem=problem)
    return await _page(request, imported=found)


def bookmarklet(ground: Ground) -> str:
    """A bookmark that opens the staff room with what is known of the page; it writes nothing."""
    address = json.dumps(ground.url("/staff/inbox/new"))
    return (
        "javascript:(function(){var d=document,e=encodeURIComponent;"
        f"window.open({address}+'?url='+e(location.href)+'&title='+e(d.title)"
        f"+'&text='+e(String(getSelection()).slice(0,{_SELECTED}))"
        "+'&page_lang='+e(d.documentElement.lang),'_blank','noopener')})()"
    )


async def _page(
    request: web.Request,
    *,
    imported: Imported | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    values: dict[str, Any] = {}
    if imported is not None:
        speaks = kit.translator(request)
        values["refused"] = [(each.line, each.problem.say(speaks)) for each in imported.refused]
    ground = kit.ground(request)
    settings = ground.settings
    has_mail = bool(settings.listener.enabled or settings.imap.host or settings.maildir.path)
    return kit.render(
        request,
        "inbox/ways.html",
        status=422 if problem else 200,
        bookmarklet=bookmarklet(ground),
        own_address=mailed_stories.secret_address(ground, kit.signed_in(request).staff_id)
        if has_mail
        else "",
        common_address=settings.desk.address if has_mail else "",
        issues=await inbox_staff_forms.issue_choices(request),
        imported=imported,
        problems=staff_forms.say(request, problem) if problem else {},
        **values,
    )
