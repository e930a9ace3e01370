"""Makes the signatures under the coalition's statement, each confirmed by mail.

A member's name stands there at once; the office looks at the others, and one of them still waits.
"""

import functools
from datetime import timedelta

from foundation.accounts.models import Role
from handbill.demo.checking import token_in
from handbill.demo.scene import Scene
from subscribers import signing
from subscribers.signing import Signature

_MEMBERS_SIGN = 28
"""In days before the demo is started: by then the first members are approved."""
_DAYS_BETWEEN = 1.5


def plan_signatures(scene: Scene) -> None:
    """All of them, day by day."""
    sample = scene.sample.coalition
    approved = (each for each in sample.members if each.decision == "approved")
    for number, member in enumerate(approved):
        signature = _signature(
            organisation=member.name,
            town=member.town,
            name=member.contact_name,
            email=member.contact_email,
            language=member.language,
        )
        at = scene.ago(_MEMBERS_SIGN - number * _DAYS_BETWEEN)
        scene.timeline.add(at, functools.partial(_sign, scene, signature))
    for each in sample.signatories:
        signature = _signature(
            organisation=each.organisation,
            town=each.town,
            name=each.name,
            email=each.email,
            language=each.language,
        )
        at = scene.ago(each.days_ago)
        scene.timeline.add(at, functools.partial(_sign, scene, signature))
        if each.decision == "shown":
            show = functools.partial(_show, scene, each.organisation)
            scene.timeline.add(at + timedelta(hours=22), show)


def _signature(*, organisation: str, town: str, name: str, email: str, language: str) -> Signature:
    return Signature(
        organisation=organisation,
        town=town,
        name=name,
        email=email,
        agrees=True,
        version=1,
        language=language,
        network="203.0.113.0/24",
    )


async def _sign(scene: Scene, signature: Signature) -> None:
    await signing.sign(scene.ground, signature=signature)
    await scene.deliver()
    scene.timeline.after(timedelta(hours=1), functools.partial(_confirm, scene, signature.email))


async def _confirm(scene: Scene, email: str) -> None:
    path = "/statement/confirm/"
    mail = scene.catcher.mailbox.latest(email, having=path)
    await signing.confirm(scene.ground, token=token_in(mail, path))
    await scene.deliver()


async def _show(scene: Scene, organisation: str) -> None:
    """The office looks at a signature and puts it up."""
    waiting = await signing.everything(scene.ground)
    found = next(each for each in waiting if each.organisation == organisation)
    await signing.decide(
        scene.ground, actor=scene.staff[Role.EDITOR], sign_on_id=found.id, show=True
    )
