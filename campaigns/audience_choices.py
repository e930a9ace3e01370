"""What can be chosen in the conditions of an audience: topics, campaigns, forms, segments…"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import audience_rules, campaign_views, segments, wording
from campaigns.audience_rules import Audience, Rules
from foundation.ground import Ground
from foundation.i18n import Translator
from subscribers import plainly, topics
from subscribers.models import Form, Partner

_EARLIER = 10
"""Campaigns that an audience can follow up are offered to so many."""
_MOST = 200
"""Forms and partners at most."""

Choices = Sequence[tuple[str, str]]
"""What is sent, and what is read."""


async def offered(
    ground: Ground, session: AsyncSession, rules: Audience | Rules, speaks: Translator
) -> dict[str, Choices]:
    """Kind of a condition → what there is; what `rules` name is among it."""
    of_campaigns = (audience_rules.Received, audience_rules.Opened, audience_rules.Clicked)
    everything = audience_rules.unfolded(rules).everything
    chosen = [n for each in everything if isinstance(each, of_campaigns) for n in each.campaigns]
    sent = await campaign_views.sent_lately(session, chosen=chosen, limit=_EARLIER)
    campaigns = [(str(each.id), each.name) for each in sent]
    forms = sa.select(col(Form.slug), col(Form.name)).order_by(col(Form.name), col(Form.id))
    partners = sa.select(col(Partner.id), col(Partner.name)).order_by(
        col(Partner.name), col(Partner.id)
    )
    return {
        "topic": [
            (each.slug, topics.name(each, speaks.language))
            for each in await topics.everything(session)
        ],
        "language": [
            (code, wording.language_name(code, speaks).capitalize())
            for code in ground.catalog.languages
        ],
        "member": [(duty.value, speaks.gettext(words)) for duty, words in plainly.DUTIES.items()],
        "form": [tuple(row) for row in await session.execute(forms.limit(_MOST))],
        "partner": [
            (str(number), name) for number, name in await session.execute(partners.limit(_MOST))
        ],
        "segment": [(str(each.id), each.name) for each in await segments.offered(session)],
        **dict.fromkeys(("received", "opened", "clicked"), campaigns),
    }
