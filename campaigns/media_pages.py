"""Staff's pages of the pictures (`/staff/media`): upload, describe, cut, replace, delete."""

from typing import Any

from aiohttp import web

from campaigns import picture_making, picture_uses, pictures, staff_forms
from campaigns.models import Picture
from campaigns.picture_making import Shape
from campaigns.picture_uses import Where
from foundation import errors
from foundation.accounts.models import Role
from foundation.i18n import N_, NN_
from foundation.web import forms, kit
from foundation.web.forms import Form

PATH = "/staff/media"
_JSON = "application/json"
_SEARCH_LIMIT = 80
USE_WORDS = {
    Where.BULLETIN: N_("Bulletin"),
    Where.SNIPPET: N_("Snippet"),
    Where.SERIES: N_("Series"),
    Where.TRIAL: N_("Trial"),
}


def routes() -> list[web.RouteDef]:
    """What is here."""
    one = f"{PATH}/{{id}}"
    return [
        web.get(PATH, index),
        web.post(PATH, upload),
        web.get(one, show),
        web.post(one, describe),
        web.post(f"{one}/replace", replace),
        web.post(f"{one}/delete", delete),
    ]


@kit.staff(Role.VIEWER)
async def index(request: web.Request) -> web.StreamResponse:
    """`GET /staff/media?q=`: the newest first; a script asks for the same as JSON."""
    return await _list_page(request)


@kit.staff(Role.AUTHOR)
@kit.takes_files
async def upload(request: web.Request) -> web.StreamResponse:
    """`POST /staff/media`: keep one or several; a script sends one after the other."""
    await forms.read(request)
    ground, speaks = kit.ground(request), kit.translator(request)
    kept: list[Picture] = []
    problems: dict[str, str] = {}
    sent = await staff_forms.files_of(request, "file")
    for name, content in sent:
        try:
            kept.append(
                await pictures.add(
                    ground, actor=kit.actor(request), file_name=name, content=content
                )
            )
        except errors.Invalid as problem:
            problems[name[:120]] = problem.say(speaks)
    if not sent:
        problems["file"] = speaks.gettext(N_("Choose a picture."))
    if _JSON in request.headers.get("Accept", ""):
        said = {"pictures": [told(request, each) for each in kept], "problems": problems}
        return web.json_response(said, status=422 if problems else 200)
    if problems:
        return await _list_page(request, problems)
    if len(kept) == 1:
        return kit.redirect(request, f"{PATH}/{kept[0].id}")
    words = speaks.ngettext(
        *NN_("%(count)s picture was kept.", "%(count)s pictures were kept."), len(kept)
    )
    return kit.redirect(request, PATH, flash=words % {"count": len(kept)})


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/media/{id}`: what it shows, how it is cut, where it is used."""
    return await _page(request)


@kit.staff(Role.TRANSLATOR)
async def describe(request: web.Request) -> web.StreamResponse:
    """`POST /staff/media/{id}`: what it shows, in each language; authors choose what is in view."""
    form = await forms.read(request)
    ground = kit.ground(request)
    async with ground.db.reading() as session:
        picture = await pictures.get(session, kit.number_in_path(request))
    is_author = kit.signed_in(request).role.may(Role.AUTHOR)
    alts = {code: form.line(f"alt-{code}", limit=300) for code in ground.catalog.languages}
    x = form.number("focus_x", default=picture.focus_x)
    y = form.number("focus_y", default=picture.focus_y)
    try:
        form.check()
    except errors.Invalid as problem:
        return await _page(request, form=form, problem=problem)
    focus = (x if x is not None else 50, y if y is not None else 50)
    await pictures.describe(
        ground,
        actor=kit.actor(request),
        picture_id=picture.id,
        alts=alts,
        is_decorative=form.flag("is_decorative") if is_author else picture.is_decorative,
        focus=focus if is_author else (picture.focus_x, picture.focus_y),
    )
    words = kit.translator(request).gettext(N_("Saved."))
    return kit.redirect(request, f"{PATH}/{picture.id}", flash=words)


@kit.staff(Role.AUTHOR)
@kit.takes_files
async def replace(request: web.Request) -> web.StreamResponse:
    """`POST …/replace`: another picture in its place, in all that is still to be sent."""
    form = await forms.read(request)
    file = await staff_forms.file_of(request, "file")
    if file is None:
        nothing = errors.Invalid(N_("Choose a picture."))
        return await _page(request, form=form, problem=nothing)
    try:
        made = await picture_uses.replace(
            kit.ground(request),
            actor=kit.actor(request),
            picture_id=kit.number_in_path(request),
            file_name=file[0],
            content=file[1],
        )
    except (errors.Invalid, errors.Conflict) as problem:
        return await _page(request, form=form, problem=problem)
    words = kit.translator(request).gettext(
        N_("Replaced. Look whether the words still say what it shows.")
    )
    return kit.redirect(request, f"{PATH}/{made.id}", flash=words)


@kit.staff(Role.AUTHOR)
async def delete(request: web.Request) -> web.StreamResponse:
    """`POST …/delete`: only while nothing shows it."""
    form = await forms.read(request)
    try:
        await picture_uses.delete(
            kit.ground(request), actor=kit.actor(request), picture_id=kit.number_in_path(request)
        )
    except errors.Refused as problem:
        return await _page(request, form=form, problem=problem)
    words = kit.translator(request).gettext(N_("Deleted."))
    return kit.redirect(request, PATH, flash=words)


def told(request: web.Request, picture: Picture) -> dict[str, Any]:
    """A picture as a script hears of it."""
    return {
        "id": picture.id,
        "digest": picture.digest,
        "name": picture.file_name,
        "path": pictures.path(picture),
        "size": f"{picture.width} × {picture.height}",
        "alts": picture.alts,
        "is_decorative": picture.is_decorative,
        "lacking": [
            kit.translator(request).language_name(code)
            for code in pictures.lacking(picture, kit.ground(request).catalog.languages)
        ],
    }


async def _list_page(
    request: web.Request, problems: dict[str, str] | None = None
) -> web.StreamResponse:
    ground = kit.ground(request)
    words = request.query.get("q", "")[:_SEARCH_LIMIT]
    after = staff_forms.after_cursor(request.query)
    async with ground.db.reading() as session:
        found = await pictures.listed(session, words=words, after=after, limit=pictures.PAGE + 1)
    items = [told(request, each) for each in found[: pictures.PAGE]]
    if _JSON in request.headers.get("Accept", ""):
        return web.json_response({"pictures": items})
    is_more = len(found) > pictures.PAGE
    more = str(request.rel_url.update_query(after=str(items[-1]["id"]))) if is_more else ""
    return kit.render(
        request,
        "media/list.html",
        status=422 if problems else 200,
        items=items,
        words=words,
        next_url=more,
        problems=problems or {},
        limit_mb=picture_making.MAX_BYTES // 1024 // 1024,
        may_upload=kit.signed_in(request).role.may(Role.AUTHOR),
    )


async def _page(
    request: web.Request,
    *,
    form: Form | None = None,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    ground, role = kit.ground(request), kit.signed_in(request).role
    async with ground.db.reading() as session:
        picture = await pictures.get(session, kit.number_in_path(request))
        used = await picture_uses.of(session, picture)
        shapes = {
            shape: pictures.path(await pictures.in_shape(session, picture, shape))
            for shape in picture_making.RATIOS
        }
    values = {f"alt-{code}": words for code, words in picture.alts.items()}
    values |= {"focus_x": str(picture.focus_x), "focus_y": str(picture.focus_y)}
    is_conflict = isinstance(problem, (errors.Conflict, errors.Refused))
    return kit.render(
        request,
        "media/picture.html",
        status=409 if is_conflict else 422 if problem else 200,
        picture=picture,
        path=pictures.path(picture),
        shapes=shapes,
        used=used,
        use_words=USE_WORDS,
        lacking=pictures.lacking(picture, ground.catalog.languages),
        values=values | (staff_forms.typed(form) if form else {}),
        problems=staff_forms.say(request, problem) if problem else {},
        is_conflict=is_conflict,
        may_describe=role.may(Role.TRANSLATOR),
        may_change=role.may(Role.AUTHOR),
        wide=shapes[Shape.WIDE],
        square=shapes[Shape.SQUARE],
    )
