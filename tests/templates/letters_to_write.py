"""A believable context for every kind of notice."""

from templates import notices

_VALUES = {
    "confirm_url": "https://c.example/confirm/abc",
    "topics": "Secure Communities, Action alerts",
    "first_name": "Ana",
    "preferences_url": "https://c.example/preferences/abc",
    "unsubscribe_url": "https://c.example/unsubscribe/abc",
    "signin_url": "https://c.example/staff/signin/abc",
    "reset_url": "https://c.example/staff/signin/password/abc",
    "minutes": "60",
    "change": "Your password was changed.",
    "name": "Lucía",
    "inviter": "Owner",
    "organisation": "Casa & Co",
    "reason": "We meet on Tuesdays.\n\nSee you there.",
    "question": "Whom do you help?",
    "event": "Spring fair, Lowell",
    "campaign": "November",
    "subject": "The town’s meeting",
    "who": "Marisol",
    "note": "Please look at the dates.",
    "open": "3",
    "until": "16:30",
    "people": "1,204",
    "sent": "1,180",
    "failed": "20",
    "cancelled": "4",
    "series": "Our fortnight",
    "feed": "The town’s news",
    "url": "https://c.example/staff/campaigns/1",
}


def context(kind: notices.Kind, **changes: str) -> dict[str, str]:
    """What a notice of `kind` needs."""
    return {key: changes.get(key, _VALUES[key]) for key in notices.keys(kind)}
