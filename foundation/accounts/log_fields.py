"""What the log calls the fields that differ: `texts.en.title` is “Texts · English · Title”.

A field has its words here; one that is new shows as it is called in the data until then.
"""

from collections.abc import Mapping, Sequence

from foundation import changeable
from foundation.config import Settings
from foundation.i18n import N_, Translator

FIELDS: Mapping[str, str] = {
    "address": N_("Address"),
    "agreed_on": N_("Agreed on"),
    "alts": N_("Words for who can’t see it"),
    "because": N_("Because"),
    "by": N_("By"),
    "bulletin_version": N_("Version of the bulletin"),
    "campaign_id": N_("Campaign"),
    "city": N_("Town"),
    "code": N_("Code"),
    "contact": N_("Contact"),
    "contact_email": N_("Contact’s e-mail address"),
    "contact_name": N_("Contact’s name"),
    "count": N_("How many"),
    "day": N_("Day"),
    "development_id": N_("Development"),
    "email": N_("E-mail address"),
    "every_minutes": N_("Minutes between two looks"),
    "fields": N_("Fields"),
    "file_name": N_("Name of the file"),
    "first_name": N_("First name"),
    "happened_on": N_("Day that it happened"),
    "headline": N_("Headline"),
    "hold_until": N_("Held until"),
    "html": N_("Words"),
    "image": N_("Picture"),
    "is_active": N_("In use"),
    "is_decorative": N_("Only to look at"),
    "is_paused": N_("Paused"),
    "is_pinned": N_("Pinned"),
    "is_published": N_("Public"),
    "issue_id": N_("Issue"),
    "key": N_("Name in addresses"),
    "kind": N_("Kind"),
    "language": N_("Language"),
    "languages": N_("Languages"),
    "last_name": N_("Last name"),
    "miles": N_("Miles around"),
    "name": N_("Name"),
    "not_before": N_("Not before"),
    "note": N_("Note"),
    "organisation": N_("Organization"),
    "origins": N_("Pages where it may stand"),
    "partner_id": N_("Partner"),
    "people": N_("People"),
    "place": N_("Place"),
    "position": N_("Place in the list"),
    "postal_code": N_("ZIP code"),
    "problem": N_("Trouble"),
    "question": N_("Question"),
    "reason": N_("Reason"),
    "role": N_("Role"),
    "same_as_id": N_("The same as"),
    "scheduled_at": N_("Time of sending"),
    "scopes": N_("What it may do"),
    "slug": N_("Name in addresses"),
    "source_name": N_("Source"),
    "source_url": N_("Address of the source"),
    "state": N_("State"),
    "step": N_("Step"),
    "subject": N_("Subject"),
    "summary": N_("Summary"),
    "tags": N_("Tags"),
    "tell": N_("Who is told"),
    "text": N_("Text"),
    "texts": N_("Texts"),
    "title": N_("Title"),
    "topics": N_("Topics"),
    "topic": N_("Topic"),
    "town": N_("Town"),
    "url": N_("Address"),
    "version": N_("Version"),
    "visibility": N_("Who sees it"),
    "way": N_("Way"),
    "zone": N_("Time zone"),
}


def said(path: Sequence[str], speaks: Translator, settings: Settings) -> str:
    """A field in words, with those that it stands in."""
    return " · ".join(_one(name, speaks, settings) for name in path)


def _one(name: str, speaks: Translator, settings: Settings) -> str:
    if name in FIELDS:
        return speaks.gettext(FIELDS[name])
    language = speaks.locale.languages.get(name)
    if language and len(name) == len("en"):
        return f"{language[:1].upper()}{language[1:]}"
    offers = (offer for group in changeable.groups(settings) for offer in group.offers)
    offer = next((each for each in offers if each.name == name), None)
    if offer is None:
        return name.replace("_", " ")
    words = speaks.gettext(offer.label)
    return words % offer.values if offer.values else words
