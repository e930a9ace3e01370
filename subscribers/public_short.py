"""The sign-up form in short, for pages of ours that are about something else.

It asks for the address alone and is sent to `/subscribe` as any other form, so that everything that
holds there holds for it; whatever needs a second look is asked for there, in full.
"""

from collections.abc import Sequence

from aiohttp import web

from foundation.frozen import frozen
from foundation.tokens import Purpose
from foundation.web import kit, security
from subscribers import consent, forms, intake, received, topics, widget
from subscribers.forms import Offer


@frozen
class Short:
    """What the form in short says, and what it sends along."""

    offer: Offer
    action: str
    topic: str
    """The name of what is signed up for, as people read it; blank for the site's own choice."""
    words: str
    """What is agreed to."""
    hidden: Sequence[tuple[str, str]]
    honeypot: str


async def prepare(request: web.Request, *, topic: str, source: str, page: str) -> Short:
    """The form for a topic (its slug, or blank), on the page of ours at the path `page`.

    What the address says of where the reader came from stands before `source`.
    """
    ground, language = kit.ground(request), kit.translator(request).language
    async with ground.db.reading() as session:
        offer = await forms.about(session, topic=topic)
    about = next((each for each in offer.topics if each.slug == topic), None)
    chosen = about or next(iter(offer.topics), None)
    carried = received.carried(request, request.query)
    known = dict(carried)
    own = [(name, said) for name, said in (("source", source), ("page", page)) if name not in known]
    shown = ground.tokens.seal(Purpose.FORM_TIME, int(ground.clock.now().timestamp()))
    hidden = [*own, *carried, ("lang", language), (received.SHOWN, shown)]
    if chosen is not None:
        hidden.append(("topic", chosen.slug))
    return Short(
        offer=offer,
        action=f"/subscribe/{offer.slug}" if offer.slug else "/subscribe",
        topic=topics.name(chosen, language, default=ground.catalog.default) if chosen else "",
        words=consent.words(ground, consent.SIGNUP, language=language),
        hidden=hidden,
        honeypot=intake.HONEYPOT,
    )


def policy(request: web.Request, short: Short) -> str:
    """The page's Content-Security-Policy: the form may lead on to its own page of thanks."""
    form = short.offer.form
    targets = widget.form_targets(form.thanks_url if form else "")
    return security.content_policy(kit.context(request).nonce, form_action=targets)
