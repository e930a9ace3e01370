"""Staff's pages about the look of mails (`/staff/brand`)."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from campaigns import archive, archive_pages, brand, pictures, preview_pages, sample_mail
from campaigns import staff_forms as fields
from campaigns.staff_forms import FieldSpec, Widget
from foundation import errors, looks
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.looks import Look, LookVersion
from foundation.web import forms, kit
from foundation.web.forms import Form
from templates import content, faces, palette

TEXTS = (
    FieldSpec(
        name="tagline",
        label=N_("Under the name"),
        hint=N_("A line at the head of every mail, such as what you stand for"),
        limit=120,
    ),
    FieldSpec(
        name="footer",
        label=N_("At the foot of bulletins"),
        hint=N_("Who you are, where to give; your address and the way out stand there anyway"),
        widget=Widget.RICH,
        limit=3000,
    ),
)
_PLAIN = ("accent", "paper", "ink", "logo", "headline_face", "text_face")


def routes() -> list[web.RouteDef]:
    """What is here."""
    here = "/staff/brand"
    return [
        web.get(here, show),
        web.post(here, save),
        web.post(f"{here}/versions", restore),
        web.get(f"{here}/checks", show_checks),
        web.get(f"{here}/sample", show_sample),
    ]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET /staff/brand`: what is chosen, how it can be read, and a mail in it."""
    async with kit.ground(request).db.reading() as session:
        newest = await looks.newest_version(session)
    look = looks.of(newest) if newest else Look()
    return await _page(request, look, newest)


@kit.staff(Role.EDITOR)
@kit.takes_files
async def save(request: web.Request) -> web.StreamResponse:
    """`POST /staff/brand`: choose it."""
    form = await forms.read(request)
    look = Look()
    try:
        look = _look(request, form)
        file = await fields.file_of(request, "file")
        if file is not None:
            look = await _with_logo(request, look, *file)
        form.check()
        await brand.save(
            kit.ground(request),
            actor=kit.actor(request),
            seen=fields.version(form),
            look=look,
        )
    except (errors.Invalid, errors.Conflict) as problem:
        async with kit.ground(request).db.reading() as session:
            newest = await looks.newest_version(session)
        return await _page(request, look, newest, problem=problem)
    said = kit.translator(request).gettext(N_("Saved. Mails that are made from now on look so."))
    return kit.redirect(request, "/staff/brand", flash=said)


@kit.staff(Role.EDITOR)
async def restore(request: web.Request) -> web.StreamResponse:
    """`POST /staff/brand/versions`: choose an earlier look again."""
    form = await forms.read(request)
    await brand.restore(
        kit.ground(request),
        actor=kit.actor(request),
        wanted=form.number("wanted", default=0) or 0,
    )
    said = kit.translator(request).gettext(N_("Saved. Mails that are made from now on look so."))
    return kit.redirect(request, "/staff/brand", flash=said)


@kit.staff(Role.VIEWER)
async def show_checks(request: web.Request) -> web.StreamResponse:
    """`GET /staff/brand/checks?accent=…`: how well colours that are being tried can be read."""
    return kit.render(
        request,
        "bulletins/staff/_brand_checks.html",
        checks=brand.checks(_tried(request), kit.ground(request).settings.site),
    )


@kit.staff(Role.VIEWER)
async def show_sample(request: web.Request) -> web.StreamResponse:
    """`GET /staff/brand/sample?scheme=&accent=…`: a mail in a look that is being tried."""
    ground, speaks = kit.ground(request), kit.translator(request)
    shown = content.Brand.from_site(ground.settings.site, _tried(request), language=speaks.language)
    try:
        plan = sample_mail.plan(shown, speaks)
    except errors.Invalid:  # a footer that is half typed, such as an open merge field
        plan = sample_mail.plan(content.Brand.from_site(ground.settings.site), speaks)
    values = archive.public_values(ground, plan, archive_url=ground.url("/archive"))
    html = archive.as_page(plan, values, None, target="_blank")
    scheme = "dark" if request.query.get("scheme") == "dark" else "light"
    response = archive_pages.framed_mail(preview_pages.in_scheme(html, scheme))
    response.headers["Cache-Control"] = "no-store"
    return response


def _look(request: web.Request, form: Form) -> Look:
    """What was typed; what is the usual is not kept."""
    sides = fields.read_sides(form, TEXTS, kit.ground(request).catalog.languages)
    typed = {name: form.line(name, limit=120).strip() for name in _PLAIN}
    return _chosen(request, typed, sides)


def _tried(request: web.Request) -> Look:
    """The look in an address; a colour that is none is left at the usual."""
    query = request.query
    languages = kit.ground(request).catalog.languages
    sides = {
        code: {spec.name: query.get(f"{spec.name}-{code}", "")[: spec.limit] for spec in TEXTS}
        for code in languages
    }
    look = _chosen(request, {name: query.get(name, "")[:120] for name in _PLAIN}, sides)
    if all(brand.is_colour(each) for each in (look.accent, look.paper, look.ink)):
        return look
    return Look(taglines=look.taglines, footers=look.footers)


def _chosen(
    request: web.Request, typed: Mapping[str, str], sides: Mapping[str, Mapping[str, str]]
) -> Look:
    usual = _usual(request)
    own = {name: "" if value.lower() == usual[name] else value for name, value in typed.items()}
    own |= {name: own[name].lower() for name in ("accent", "paper", "ink")}
    if not own["logo"].startswith(pictures.PATH):
        own["logo"] = ""
    return Look(
        **own,
        taglines={code: texts["tagline"] for code, texts in sides.items() if texts["tagline"]},
        footers={code: texts["footer"] for code, texts in sides.items() if texts["footer"]},
    )


def _usual(request: web.Request) -> dict[str, str]:
    return {
        "accent": kit.ground(request).settings.site.accent.lower(),
        "paper": palette.PAPER,
        "ink": palette.INK,
        "logo": "",
        "headline_face": faces.SERIF,
        "text_face": faces.SANS,
    }


async def _with_logo(request: web.Request, look: Look, name: str, sent: bytes) -> Look:
    picture = await pictures.add(
        kit.ground(request), actor=kit.actor(request), file_name=name, content=sent
    )
    return brand.with_logo(look, pictures.path(picture))


async def _page(
    request: web.Request,
    look: Look,
    newest: LookVersion | None,
    *,
    problem: errors.HandbillError | None = None,
) -> web.Response:
    ground, speaks = kit.ground(request), kit.translator(request)
    async with ground.db.reading() as session:
        recent = await pictures.recent(session)
        versions = await looks.versions(session)
    usual = _usual(request)
    values = {name: getattr(look, name) or usual[name] for name in _PLAIN}
    values |= {f"tagline-{code}": text for code, text in look.taglines.items()}
    values |= {f"footer-{code}": text for code, text in look.footers.items()}
    logos = {"": speaks.gettext(N_("No logo: the name in letters"))}
    logos |= {pictures.path(each): each.file_name for each in recent}
    if look.logo:
        logos.setdefault(look.logo, look.logo)
    options: dict[str, Any] = {
        "faces": [(name, speaks.gettext(each.label)) for name, each in faces.FACES.items()],
        "logo": list(logos.items()),
    }
    is_readable = all(brand.is_colour(values[name]) for name in ("accent", "paper", "ink"))
    return kit.render(
        request,
        "bulletins/staff/brand.html",
        status=409 if isinstance(problem, errors.Conflict) else 422 if problem else 200,
        values=values,
        specs=TEXTS,
        options=options,
        usual=usual,
        seen=newest.id if newest else 0,
        versions=[(each, looks.of(each)) for each in versions[1:]],
        checks=brand.checks(look, ground.settings.site) if is_readable else [],
        problems=fields.say(request, problem) if problem else {},
        is_conflict=isinstance(problem, errors.Conflict),
        may_change=kit.signed_in(request).role.may(Role.EDITOR),
    )
