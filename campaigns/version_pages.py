"""Staff's page of a bulletin's earlier versions: look at two beside each other, or go back."""

from aiohttp import web

from campaigns import (
    bulletins,
    documents,
    review_changes,
    staff_forms,
    version_changes,
    versions,
)
from campaigns.models import BulletinVersion
from foundation.accounts.models import Role
from foundation.i18n import N_
from foundation.web import forms, kit


def routes() -> list[web.RouteDef]:
    """What is here."""
    here = "/staff/bulletins/{id}/versions"
    return [web.get(here, show), web.post(here, restore)]


@kit.staff(Role.VIEWER)
async def show(request: web.Request) -> web.StreamResponse:
    """`GET …/versions?old=&new=`: earlier states, and what changed from one to another."""
    speaks = kit.translator(request)
    async with kit.ground(request).db.reading() as session:
        bulletin = await bulletins.get(session, kit.number_in_path(request))
        found = await versions.listed(session, bulletin)
        numbers = [bulletin.version, *(each.version for each in found)]
        new = _wished(request, "new", bulletin.version)
        old = _wished(request, "old", _before(new, numbers))
        parts = None
        if found:
            both = [await versions.at(session, bulletin, number) for number in (old, new)]
            parts = version_changes.between(both[0], both[1], speaks)
    present = BulletinVersion(
        bulletin_id=bulletin.id,
        version=bulletin.version,
        name=bulletin.name,
        document=bulletin.document,
        saved_by=bulletin.updated_by,
        saved_at=bulletin.updated_at,
    )
    shown = [present, *found]
    return kit.render(
        request,
        "bulletins/staff/versions.html",
        bulletin=bulletin,
        versions=[(each, documents.parse(each.document)) for each in shown],
        old=old,
        new=new,
        parts=parts,
        kinds=review_changes.KIND_WORDS,
    )


@kit.staff(Role.AUTHOR)
async def restore(request: web.Request) -> web.StreamResponse:
    """`POST …/versions`: make an earlier state the newest."""
    form = await forms.read(request)
    wanted = form.number("wanted", default=0) or 0
    bulletin = await bulletins.restore(
        kit.ground(request),
        actor=kit.actor(request),
        bulletin_id=kit.number_in_path(request),
        version=staff_forms.version(form),
        wanted=wanted,
    )
    said = kit.translator(request).gettext(
        N_("The earlier version is back; the later ones are kept.")
    )
    return kit.redirect(request, f"/staff/bulletins/{bulletin.id}", flash=said)


def _wished(request: web.Request, name: str, otherwise: int) -> int:
    raw = request.query.get(name, "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else otherwise


def _before(version: int, numbers: list[int]) -> int:
    """The one of those listed that stood before; itself, when it is the first."""
    return next((number for number in numbers if number < version), version)
