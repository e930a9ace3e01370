"""Makes what partners' pages brought, and what went wrong on some of them.

Lynn Legal's form is seen every day, and people may join its own list by it. Casa Abierta took the
form off its page nine days ago. Merrimack's code was copied to a site that nobody wrote down.
"""

import functools
from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col

from foundation.accounts.models import Role
from foundation.frozen import frozen
from foundation.tokens import Purpose
from handbill.demo.content import Member
from handbill.demo.scene import Scene
from subscribers import handing_on, members, partnering, partners, preferences, widget_health
from subscribers.models import Form, Partner, Subscriber
from subscribers.partner_models import Sharing, Step
from subscribers.steps import Steps

TAKEN_UP = 30
QUIET_SINCE = 9
"""In days before the demo is started, as all of these."""
_FETCHED = 10
_TAKEN_BACK = 6
_COPIED = 3
_LOOKED_AT = 0.5
_COPY = "https://merrimack-events.example"
_EVERY_SO_MANY_BEGIN = 6


@frozen
class _Use:
    """How a partner's form is used."""

    key: str
    pages: Sequence[str]
    seen_a_day: int
    from_days_ago: int = TAKEN_UP
    until_days_ago: int = 1


QUIET = _Use(
    key="casa-abierta-de-chelsea", pages=["/boletin"], seen_a_day=11, until_days_ago=QUIET_SINCE
)
_COPIED_FROM = _Use(key="merrimack-newcomers-center", pages=["/news"], seen_a_day=6)


def plan_partners(scene: Scene, *, own: Partner, from_days_ago: int) -> None:
    """All of it, from the first day of `own`, whose page the demo shows, to the last look."""
    usual = _Use(
        key=own.key,
        pages=["/", "/appointments", "/your-rights"],
        seen_a_day=34,
        from_days_ago=from_days_ago,
    )
    scene.timeline.add(scene.ago(TAKEN_UP), functools.partial(_take_up, scene, own))
    for day in range(from_days_ago, 0, -1):
        uses = [
            use
            for use in (usual, QUIET, _COPIED_FROM)
            if use.from_days_ago >= day >= use.until_days_ago
        ]
        # A little later than those who are partners from that day.
        scene.timeline.add(scene.ago(day - 0.05), functools.partial(_look_at_forms, scene, uses))
    scene.timeline.add(scene.ago(_COPIED), functools.partial(_copy, scene))
    scene.timeline.add(scene.ago(_FETCHED), functools.partial(_fetch_list, scene, own))
    scene.timeline.add(scene.ago(_TAKEN_BACK), functools.partial(_take_back, scene, own))
    scene.timeline.add(scene.ago(_LOOKED_AT), functools.partial(_find_troubles, scene))


async def _take_up(scene: Scene, own: Partner) -> None:
    """Members become partners by one press; each names somebody to write to."""
    said = {each.name: each for each in scene.sample.coalition.members}
    for member in (await members.listed(scene.ground)).members:
        about = said[member.name]
        if member.name == own.name:
            await _write_down(scene, own, about, member_id=member.id)
        elif partnering.key_of(member.name) in (QUIET.key, _COPIED_FROM.key):
            made = await partnering.become_partner(
                scene.ground, actor=scene.staff[Role.EDITOR], member_id=member.id
            )
            await _write_down(scene, made, about, member_id=member.id)


async def _write_down(scene: Scene, partner: Partner, about: Member, *, member_id: int) -> None:
    details = partners.Details(
        name=partner.name,
        key=partner.key,
        origins=partner.origins,
        languages=partner.languages,
        contact_name=about.contact_name,
        contact_email=about.contact_email,
        agreed_on=scene.clock.now().date(),
        member_id=member_id,
    )
    await partners.update(
        scene.ground, actor=scene.staff[Role.EDITOR], partner_id=partner.id, details=details
    )


async def _look_at_forms(scene: Scene, uses: Sequence[_Use]) -> None:
    """One day's readers see the forms; some of them begin to type."""
    places = await _places(scene)
    steps = Steps(scene.ground)
    for use in uses:
        partner_id, form_id = places[use.key]
        for reader in range(scene.random.randint(use.seen_a_day // 2, use.seen_a_day * 3 // 2)):
            page, language = scene.random.choice(use.pages), scene.random.choice(("en", "en", "es"))
            for step in (Step.SEEN, Step.STARTED)[: 1 if reader % _EVERY_SO_MANY_BEGIN else 2]:
                steps.count(
                    step,
                    partner_id=partner_id,
                    form_id=form_id,
                    page=page,
                    language=language,
                    network=f"198.51.{reader}.0/24",
                )
    await steps.write()


async def _copy(scene: Scene) -> None:
    """Somebody put the code on another site, too."""
    partner = await by_key(scene, _COPIED_FROM.key)
    steps = Steps(scene.ground)
    for _ in range(7):
        steps.stray(partner_id=partner.id, origin=_COPY)
    await steps.write()


async def _fetch_list(scene: Scene, own: Partner) -> None:
    """The partner downloads who joined its own list so far."""
    await handing_on.take(scene.ground, actor=scene.staff[Role.EDITOR], partner_id=own.id)


async def _take_back(scene: Scene, own: Partner) -> None:
    """The first of them thinks better of it."""
    statement = (
        sa.select(col(Subscriber.id))
        .join(Sharing, col(Sharing.subscriber_id) == col(Subscriber.id))
        .where(col(Sharing.partner_id) == own.id)
        .order_by(col(Sharing.id))
        .limit(1)
    )
    async with scene.ground.db.reading() as session:
        person = (await session.scalars(statement)).one()
    await preferences.take_back(
        scene.ground,
        token=scene.ground.tokens.seal(Purpose.PREFERENCES, person),
        partner_id=own.id,
        network="198.51.100.0/24",
    )


async def _find_troubles(scene: Scene) -> None:
    """Partners and staff get a mail about what needs a look."""
    await widget_health.watch(scene.ground)
    await scene.deliver()


async def by_key(scene: Scene, key: str) -> Partner:
    """A partner that there is."""
    known = [each.partner for each in await partners.listed(scene.ground)]
    return next(each for each in known if each.key == key)


async def _places(scene: Scene) -> dict[str, tuple[int, int]]:
    """Key → the numbers of the partner and of its form; 0 for who shows the site's own."""
    first = sa.select(sa.func.min(col(Form.id))).where(col(Form.partner_id) == col(Partner.id))
    statement = sa.select(
        col(Partner.key), col(Partner.id), sa.func.coalesce(first.scalar_subquery(), 0)
    )
    async with scene.ground.db.reading() as session:
        found = await session.execute(statement.order_by(col(Partner.id)))
    return {key: (partner_id, form_id) for key, partner_id, form_id in found}
