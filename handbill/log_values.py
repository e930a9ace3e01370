"""Words for what the log finds in changes of campaigns, people and the rest, by kind of object."""

from campaigns import (
    archiving,
    developments,
    feed_sources,
    inbox_lists,
    series_pages,
    series_plans,
    series_words,
    transitions,
    trial_pages,
    welcome_words,
)
from campaigns.desk_pages import PART_WORDS
from campaigns.series_plans import Fallback
from foundation.accounts import log_fields, log_values
from foundation.i18n import N_
from subscribers import plainly

WORDS: log_values.Words = {
    **log_values.WORDS,
    "campaign": {
        "chooser": trial_pages.CHOOSER_WORDS,
        "state": transitions.STATE_WORDS,
        "visibility": archiving.VISIBILITY_WORDS,
        "what": trial_pages.WHAT_WORDS,
        "when_unclear": trial_pages.UNCLEAR_WORDS,
        "why": trial_pages.WHY_WORDS,
    },
    "development": {"kind": developments.KIND_WORDS},
    "form": {"asks": log_fields.FIELDS},
    "feed": {"state": feed_sources.STATE_WORDS},
    "inbox_rule": {"kind": developments.KIND_WORDS},
    "incoming": {
        "kind": developments.KIND_WORDS,
        "origin": inbox_lists.ORIGIN_WORDS,
        "state": inbox_lists.STATE_WORDS,
    },
    "issue": {"kind": {kind: words for kind, (words, _) in PART_WORDS.items()}},
    "member": {"duties": plainly.DUTIES, "state": plainly.MEMBER_STATES},
    "series": {
        "fallback": {
            Fallback.LABEL: N_("stands there in another language, which is said"),
            Fallback.LEAVE_OUT: N_("is left out of that edition"),
        },
        "kind": series_plans.SECTION_WORDS,
        "mode": series_plans.MODE_WORDS,
        "pattern": series_pages.PATTERNS,
        "state": series_words.STATES,
    },
    "sign-on": {"state": plainly.SIGN_ON_STATES},
    "welcome": {"kind": welcome_words.KIND_WORDS},
}
