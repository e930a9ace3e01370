"""Letters to staff about a campaign on its way out: asked, returned, approved, begun, done."""

from foundation.i18n import N_
from templates.letters import Letter, Scribe


def review_requested(scribe: Scribe) -> Letter:
    """Asks an editor to read a campaign."""
    say = scribe.say
    return Letter(
        subject=say(N_("Please read: “%(campaign)s”")),
        preheader=say(N_("%(who)s asks for your approval.")),
        title=say(N_("Please read “%(campaign)s”")),
        paragraphs=(
            say(N_("%(who)s asks you to read it, and to approve it or send it back with remarks.")),
        ),
        quotation=scribe.values["note"],
        label=say(N_("Read it")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )


def review_returned(scribe: Scribe) -> Letter:
    """Tells the author that an editor wants something changed."""
    say = scribe.say
    return Letter(
        subject=say(N_("“%(campaign)s” came back to you")),
        preheader=say(N_("%(who)s would like something changed.")),
        title=say(N_("“%(campaign)s” came back to you")),
        paragraphs=(
            say(N_("%(who)s read it and sent it back. Remarks not settled yet: %(open)s.")),
        ),
        quotation=scribe.values["reason"],
        label=say(N_("See the remarks")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )


def review_approved(scribe: Scribe) -> Letter:
    """Tells the author that it may go out."""
    say = scribe.say
    return Letter(
        subject=say(N_("“%(campaign)s” is approved")),
        preheader=say(N_("It can be scheduled or sent.")),
        title=say(N_("“%(campaign)s” is approved")),
        paragraphs=(say(N_("Approved by %(who)s. It can be scheduled or sent now.")),),
        label=say(N_("Look at the campaign")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )


def alert_release(scribe: Scribe) -> Letter:
    """Asks a second person to release an alert."""
    say = scribe.say
    return Letter(
        subject=say(N_("At once, please: release the alert “%(campaign)s”")),
        preheader=say(N_("%(who)s has confirmed it; it needs a second person.")),
        title=say(N_("An alert waits for you")),
        paragraphs=(
            say(
                N_(
                    "%(who)s wants to send the alert “%(campaign)s” now. It goes out as soon as a "
                    "second person confirms it; after %(until)s it has to be begun anew."
                )
            ),
        ),
        label=say(N_("Read it and confirm")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )


def campaign_started(scribe: Scribe) -> Letter:
    """Tells whoever was named that a campaign begins to go out."""
    say = scribe.say
    return Letter(
        subject=say(N_("Going out now: “%(campaign)s”")),
        preheader=say(N_("People who get it: %(people)s.")),
        title=say(N_("“%(campaign)s” is going out")),
        paragraphs=(
            say(N_("People who get it: %(people)s. Started by %(who)s.")),
            say(N_("Its subject: %(subject)s")),
        ),
        label=say(N_("Look at the campaign")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because your address is named to be told at %(site)s.")),
    )


def campaign_done(scribe: Scribe) -> Letter:
    """Tells whoever was named that a campaign went out."""
    say = scribe.say
    return Letter(
        subject=say(N_("Sent: “%(campaign)s”")),
        preheader=say(N_("People who have it: %(sent)s of %(people)s.")),
        title=say(N_("“%(campaign)s” was sent")),
        paragraphs=(
            say(
                N_(
                    "People who have it: %(sent)s of %(people)s. It could not be brought to: "
                    "%(failed)s. Left before their turn: %(cancelled)s."
                )
            ),
        ),
        label=say(N_("Read the report")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because your address is named to be told at %(site)s.")),
    )
