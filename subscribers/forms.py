"""Sign-up forms: what each offers and asks for, and how staff make and change them.

`/subscribe` has a form without a row here: every public topic, in the site's own words.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation import audit, errors
from foundation.audit import Actor
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from subscribers import partner_keys, topics
from subscribers.models import PUBLIC_FIELDS, Form, Partner, SignUp, SignUpState, Topic

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_RESERVED = frozenset({"sent"})
TEXTS = ("title", "lead", "button", "thanks")
"""What a form may say in words of its own."""
DEFAULT_ASKS = ("first_name", "postal_code")


@frozen
class Details:
    """What staff say about a form."""

    slug: str
    name: str
    topics: Sequence[str] = ()
    """Slugs offered, in order."""
    asks: Sequence[str] = DEFAULT_ASKS
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language → {title, lead, button, thanks}; blank means the site's own words."""
    thanks_url: str = ""
    origins: Sequence[str] = ()
    partner_id: int | None = None
    shares: Sequence[int] = ()
    """Partners whose own list people may join by the same form, in order."""
    is_active: bool = True


@frozen
class Offer:
    """A form as it is filled in: what stands on it."""

    form: Form | None
    """None for the form at `/subscribe`."""
    topics: Sequence[Topic]
    asks: Sequence[str]
    partner: Partner | None = None
    organisations: Sequence[Partner] = ()
    """Whose own list people may join by it, too; see `sharing.py`."""

    @property
    def slug(self) -> str:
        """The form's name in addresses; blank for the one at `/subscribe`."""
        return self.form.slug if self.form else ""

    @property
    def origins(self) -> list[str]:
        """Web origins whose scripts may send this form."""
        return [
            *(self.form.origins if self.form else ()),
            *(self.partner.origins if self.partner else ()),
        ]

    def text(self, part: str, language: str) -> str:
        """One of the form's own `TEXTS` in a language; blank when it has none."""
        return self.form.texts.get(language, {}).get(part, "") if self.form else ""


@frozen
class Standing:
    """A form and what it brought."""

    form: Form
    submitted: int
    """Sign-ups sent in."""
    confirmed: int
    """Of those, confirmed by the person."""


async def create(ground: Ground, *, actor: Actor, details: Details) -> Form:
    """Make a form. Raises `errors.Invalid` with the wrong fields."""
    async with ground.db.transaction() as session:
        columns = await _checked(ground, session, details, besides=None)
        made = Form(**columns, created_at=ground.clock.now())
        session.add(made)
        await session.flush()
        _record(session, ground, actor, "form.created", made.id, before={}, after=columns)
    return made


async def update(
    ground: Ground, *, actor: Actor, form_id: int, version: int, details: Details
) -> Form:
    """Change a form that was seen at `version`.

    Raises `errors.Invalid` with the wrong fields, `errors.NotFound`, and `errors.Conflict` when
    somebody else changed it meanwhile.
    """
    async with ground.db.transaction() as session:
        form = await _get(session, form_id)
        columns = await _checked(ground, session, details, besides=form_id)
        before = {name: getattr(form, name) for name in columns}
        won = await session.execute(
            sa.update(Form)
            .where(col(Form.id) == form_id, col(Form.version) == version)
            .values(**columns, version=version + 1)
            .returning(col(Form.id))
        )
        if won.first() is None:
            raise errors.Conflict(
                N_("Somebody else changed this form meanwhile. Reload the page, then change it.")
            )
        changed = {name for name, value in columns.items() if before[name] != value}
        _record(
            session,
            ground,
            actor,
            "form.updated",
            form_id,
            before={name: before[name] for name in changed},
            after={name: columns[name] for name in changed},
        )
        await session.refresh(form)
    return form


async def get(ground: Ground, *, form_id: int) -> Form:
    """One form. Raises `errors.NotFound`."""
    async with ground.db.reading() as session:
        return await _get(session, form_id)


async def listed(ground: Ground) -> list[Standing]:
    """Every form by name, with what it brought; forms are few, so all at once."""
    brought = (
        sa.select(
            col(SignUp.form_id).label("form_id"),
            sa.func.count(col(SignUp.id)).label("submitted"),
            sa.func.count(col(SignUp.id))
            .filter(col(SignUp.state) == SignUpState.CONFIRMED.value)
            .label("confirmed"),
        )
        .where(col(SignUp.form_id).is_not(None))
        .group_by(col(SignUp.form_id))
        .subquery()
    )
    statement = (
        select(
            Form,
            sa.func.coalesce(brought.c.submitted, 0),
            sa.func.coalesce(brought.c.confirmed, 0),
        )
        .outerjoin(brought, brought.c.form_id == col(Form.id))
        .order_by(col(Form.name), col(Form.id))
    )
    async with ground.db.reading() as session:
        rows = (await session.exec(statement)).all()
    return [
        Standing(form=form, submitted=submitted, confirmed=confirmed)
        for form, submitted, confirmed in rows
    ]


async def offered(session: AsyncSession, *, slug: str = "", partner_key: str = "") -> Offer:
    """What a form offers to people; blank `slug` is the one at `/subscribe`.

    An unknown partner is passed over: a visitor can't mend a partner's page. Raises
    `errors.NotFound` when there is no such form or it is switched off.
    """
    form: Form | None = None
    if slug:
        form = (await session.exec(select(Form).where(Form.slug == slug))).first()
        if form is None or not form.is_active:
            raise errors.NotFound(
                N_("This sign-up form is not here any more. Use the one on our own page instead.")
            )
    return Offer(
        form=form,
        topics=await _topics_of(session, form),
        asks=tuple(form.asks) if form else DEFAULT_ASKS,
        partner=await _partner(session, form, partner_key),
        organisations=await organisations(session, form) if form else (),
    )


async def about(session: AsyncSession, *, topic: str) -> Offer:
    """The form for one topic: the oldest of staff's that offers it alone, else the site's own.

    A partner's form is passed over: it would say that the partner brought whoever fills it in.
    """
    statement = (
        select(Form)
        .where(col(Form.is_active).is_(True), col(Form.partner_id).is_(None))
        .order_by(col(Form.id))
    )
    found = (await session.exec(statement)).all() if topic else []
    slug = next((form.slug for form in found if form.topics == [topic]), "")
    return await offered(session, slug=slug)


async def organisations(session: AsyncSession, form: Form) -> list[Partner]:
    """The partners whose own list a form offers, in the order in which staff named them."""
    if not form.shares:
        return []
    statement = select(Partner).where(
        col(Partner.id).in_(form.shares), col(Partner.is_active).is_(True)
    )
    by_id = {partner.id: partner for partner in (await session.exec(statement)).all()}
    return [by_id[number] for number in form.shares if number in by_id]


async def origins(session: AsyncSession) -> set[str]:
    """Every web origin that some active form or partner names; forms and partners are few."""
    found: set[str] = set()
    for table in (Form, Partner):
        for row in await session.scalars(
            sa.select(col(table.origins)).where(col(table.is_active).is_(True))
        ):
            found.update(row)
    return found


def check_origin(offer: Offer, origin: str) -> None:
    """Raises `errors.Forbidden` for another site that neither the form nor the partner names.

    Blank is no other site.
    """
    if origin and origin not in offer.origins:
        raise errors.Forbidden(
            N_("This site may not send the form. Its origin has to be added to the form first.")
        )


def is_own(ground: Ground, url: str, origins: Collection[str]) -> bool:
    """Whether an address, or an origin, is this site's or one of some origins."""
    parts = urlsplit(url.lower())
    site = urlsplit(ground.settings.site.url.lower())
    named = f"{parts.scheme}://{parts.netloc}"
    return named == f"{site.scheme}://{site.netloc}" or named in origins


async def _topics_of(session: AsyncSession, form: Form | None) -> list[Topic]:
    shown = await topics.public(session)
    if form is None or not form.topics:
        return shown
    by_slug = {topic.slug: topic for topic in shown}
    return [by_slug[slug] for slug in form.topics if slug in by_slug]


async def _partner(session: AsyncSession, form: Form | None, key: str) -> Partner | None:
    if key:
        found = await partner_keys.owner(session, key)
        if found is not None:
            return found
    if form is None or form.partner_id is None:
        return None
    return await session.get(Partner, form.partner_id)


async def _checked(
    ground: Ground, session: AsyncSession, details: Details, *, besides: int | None
) -> dict[str, Any]:
    """The columns of a form, or `errors.Invalid` that names every wrong field."""
    problems: dict[str, errors.HandbillError] = {}
    if not _SLUG.fullmatch(details.slug) or details.slug in _RESERVED or len(details.slug) > 60:
        problems["slug"] = errors.Invalid(
            N_("Use lower-case letters, digits and hyphens, such as “boston-page”.")
        )
    elif await _is_taken(session, details.slug, besides=besides):
        problems["slug"] = errors.Invalid(N_("Another form has this name already."))
    if not details.name.strip():
        problems["name"] = errors.Invalid(N_("Fill this in."))
    offered_slugs = {topic.slug for topic in await topics.public(session)}
    unknown = [slug for slug in details.topics if slug not in offered_slugs]
    if unknown:
        problems["topics"] = topics.unknown(unknown)
    if set(details.asks) - set(PUBLIC_FIELDS):
        problems["asks"] = errors.Invalid(
            N_("A form can ask for %(names)s besides the address."),
            names=", ".join(PUBLIC_FIELDS),
        )
    partner = await session.get(Partner, details.partner_id) if details.partner_id else None
    if details.thanks_url and not _is_web_address(details.thanks_url):
        problems["thanks_url"] = errors.Invalid(
            N_("A web address starts with https:// or http://.")
        )
    elif details.thanks_url and not is_own(
        ground, details.thanks_url, [*details.origins, *(partner.origins if partner else ())]
    ):
        # Else whoever may edit a form could send all who trust ours to any page.
        problems["thanks_url"] = errors.Invalid(
            N_("This page has to be on our site, or on one of the form's or its partner's.")
        )
    if not all(_is_origin(origin) for origin in details.origins):
        problems["origins"] = errors.Invalid(
            N_("A web site's origin looks like https://www.example.org, without a path.")
        )
    if details.partner_id is not None and partner is None:
        problems["partner_id"] = errors.Invalid(N_("There is no such partner."))
    there = await session.scalars(
        sa.select(col(Partner.id)).where(col(Partner.id).in_(details.shares))
    )
    if set(details.shares) - set(there):
        problems["shares"] = errors.Invalid(N_("There is no such partner."))
    if problems:
        raise errors.Invalid(
            N_("Something needs to be mended before this can be kept."), fields=problems
        )
    return {
        "slug": details.slug,
        "name": details.name.strip(),
        "topics": list(dict.fromkeys(details.topics)),
        "asks": [name for name in PUBLIC_FIELDS if name in details.asks],
        "texts": {
            language: {part: text[part].strip() for part in TEXTS if text.get(part, "").strip()}
            for language, text in details.texts.items()
            if language in ground.catalog.languages
        },
        "thanks_url": details.thanks_url,
        "origins": list(dict.fromkeys(origin.lower() for origin in details.origins)),
        "partner_id": details.partner_id,
        "shares": list(dict.fromkeys(details.shares)),
        "is_active": details.is_active,
    }


async def _is_taken(session: AsyncSession, slug: str, *, besides: int | None) -> bool:
    statement = sa.select(col(Form.id)).where(col(Form.slug) == slug)
    found = await session.scalar(statement)
    return found is not None and found != besides


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and text.isprintable()
        and " " not in text
    )


def _is_origin(text: str) -> bool:
    if not _is_web_address(text):
        return False
    parts = urlsplit(text)
    return text == f"{parts.scheme}://{parts.netloc}"


async def _get(session: AsyncSession, form_id: int) -> Form:
    form = await session.get(Form, form_id)
    if form is None:
        raise errors.NotFound(N_("There is no such form."))
    return form


def _record(
    session: AsyncSession,
    ground: Ground,
    actor: Actor,
    action: str,
    form_id: int,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    audit.record(
        session,
        actor=actor,
        at=ground.clock.now(),
        action=action,
        object_kind="form",
        object_id=form_id,
        before=before,
        after=after,
    )
