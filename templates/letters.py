"""What each notice says: its texts, in the reader's language, as a letter without a form.

`templates/notices.py` sets a letter as HTML and text.
"""

from collections.abc import Mapping

from foundation import isolating
from foundation.frozen import frozen
from foundation.i18n import N_, Translator


@frozen
class Letter:
    """What a notice says, in the reader's language."""

    subject: str
    preheader: str
    title: str
    paragraphs: tuple[str, ...]
    why: str
    """Why this person gets this mail."""
    label: str = ""
    url: str = ""
    """The one button, if there is one."""
    quotation: str = ""
    """Words that somebody else wrote."""
    after: tuple[str, ...] = ()
    """Small print under the button."""
    unsubscribe_url: str = ""


@frozen
class Scribe:
    """What the writers of letters work with."""

    translator: Translator
    site: str
    values: Mapping[str, str]

    def say(self, msgid: str) -> str:
        """`msgid` in the reader's language, with the context's values and the site's name in it."""
        direction = self.translator.direction
        said = {"site": self.site, **self.values}
        return self.translator.gettext(msgid) % {
            name: isolating.apart(value, direction=direction) for name, value in said.items()
        }


def confirm(scribe: Scribe) -> Letter:
    """Asks somebody who signed up whether it was them."""
    say = scribe.say
    return Letter(
        subject=say(N_("Please confirm: news from %(site)s")),
        preheader=say(N_("One more step, and you are on the list.")),
        title=say(N_("Is this you?")),
        paragraphs=(
            say(N_("Somebody, probably you, asked for news from %(site)s at this address.")),
            say(N_("You would get: %(topics)s.")),
        ),
        label=say(N_("Yes, sign me up")),
        url=scribe.values["confirm_url"],
        after=(
            say(
                N_(
                    "If it was not you, do nothing: without your confirmation "
                    "we won't write to you again."
                )
            ),
        ),
        why=say(N_("You are getting this because your address was typed into our sign-up form.")),
    )


def welcome(scribe: Scribe) -> Letter:
    """Says after confirming what comes next."""
    say = scribe.say
    has_name = bool(scribe.values["first_name"])
    return Letter(
        subject=say(N_("Welcome: you are on the list of %(site)s")),
        preheader=say(N_("What you will get, and how to change it.")),
        title=say(N_("Welcome, %(first_name)s!")) if has_name else say(N_("Welcome!")),
        paragraphs=(
            say(N_("Thank you for confirming your address. You will get: %(topics)s.")),
            say(
                N_(
                    "You decide what we send you, in which language, and for how long. "
                    "A link to your choices stands under every mail."
                )
            ),
        ),
        label=say(N_("See your choices")),
        url=scribe.values["preferences_url"],
        why=say(N_("You are getting this because you signed up for news from %(site)s.")),
        unsubscribe_url=scribe.values["unsubscribe_url"],
    )


def signin(scribe: Scribe) -> Letter:
    """A one-time link for staff."""
    say = scribe.say
    minutes = int(scribe.values["minutes"])
    for_minutes = scribe.translator.ngettext(
        "The link works once, within %(minutes)s minute.",
        "The link works once, within %(minutes)s minutes.",
        minutes,
    )
    return Letter(
        subject=say(N_("Your sign-in link for %(site)s")),
        preheader=for_minutes % {"minutes": minutes},
        title=say(N_("Sign in to %(site)s")),
        paragraphs=(for_minutes % {"minutes": minutes},),
        label=say(N_("Sign in")),
        url=scribe.values["signin_url"],
        after=(
            say(
                N_(
                    "If you did not ask for it, somebody else typed your address. "
                    "They can't get in without this mail; you can delete it."
                )
            ),
        ),
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )


def invite(scribe: Scribe) -> Letter:
    """A first link for new staff."""
    say = scribe.say
    greeting = N_("Hello %(name)s,") if scribe.values["name"] else N_("Hello,")
    return Letter(
        subject=say(N_("%(inviter)s invites you to work on %(site)s")),
        preheader=say(N_("Your first sign-in link is in this mail.")),
        title=say(N_("You are invited")),
        paragraphs=(
            say(greeting),
            say(
                N_(
                    "%(inviter)s has opened an account for you, so that you can work "
                    "on the bulletins of %(site)s."
                )
            ),
        ),
        label=say(N_("Sign in for the first time")),
        url=scribe.values["signin_url"],
        after=(
            say(
                N_(
                    "The link works once. If it has run out, ask for a new one "
                    "on the sign-in page with this address."
                )
            ),
        ),
        why=say(N_("You are getting this because %(inviter)s entered your address.")),
    )


def join_confirm(scribe: Scribe) -> Letter:
    """Asks an organisation's contact to confirm its application."""
    say = scribe.say
    return Letter(
        subject=say(N_("Please confirm: %(organisation)s wants to join %(site)s")),
        preheader=say(N_("One more step before we can look at the application.")),
        title=say(N_("Confirm your application")),
        paragraphs=(
            say(
                N_(
                    "Thank you! %(organisation)s has applied to join %(site)s, "
                    "with you as its contact."
                )
            ),
            say(
                N_(
                    "Please confirm that this address is yours "
                    "and that your organization wants to apply."
                )
            ),
        ),
        label=say(N_("Confirm the application")),
        url=scribe.values["confirm_url"],
        after=(say(N_("If you know nothing of this, do nothing, and nothing will happen.")),),
        why=say(N_("You are getting this because your address stands in an application to join.")),
    )


def contact_confirm(scribe: Scribe) -> Letter:
    """Asks somebody whom an organisation or the staff named as its contact."""
    say = scribe.say
    return Letter(
        subject=say(N_("Please confirm: you speak for %(organisation)s at %(site)s")),
        preheader=say(N_("Until you do, nothing else comes to this address.")),
        title=say(N_("Are you this organization's contact?")),
        paragraphs=(
            say(N_("You were named to %(site)s as a contact person of %(organisation)s.")),
            say(
                N_(
                    "Please confirm that this address is yours and that you want to get "
                    "the coalition's mail for its members."
                )
            ),
        ),
        label=say(N_("Yes, this is me")),
        url=scribe.values["confirm_url"],
        after=(say(N_("If you know nothing of this, do nothing, and nothing will happen.")),),
        why=say(N_("You are getting this because somebody named you as a contact person.")),
    )


def join_received(scribe: Scribe) -> Letter:
    """Says that an application is being looked at."""
    say = scribe.say
    return Letter(
        subject=say(N_("We have the application of %(organisation)s")),
        preheader=say(N_("A person will read it and write back to you.")),
        title=say(N_("Thank you, we have your application")),
        paragraphs=(
            say(N_("The application of %(organisation)s is confirmed.")),
            say(N_("A person will read it and write back to you at this address.")),
        ),
        why=say(N_("You are getting this because you are the contact of %(organisation)s.")),
    )


def join_approved(scribe: Scribe) -> Letter:
    """Welcomes a member."""
    say = scribe.say
    return Letter(
        subject=say(N_("Welcome: %(organisation)s is a member of %(site)s")),
        preheader=say(N_("Your application was approved.")),
        title=say(N_("Welcome to the coalition")),
        paragraphs=(
            say(
                N_("%(organisation)s is now a member of %(site)s. We are glad to have you with us.")
            ),
        ),
        quotation=scribe.values["reason"],
        label=say(N_("Your organization's page")),
        url=scribe.values["url"],
        after=(
            say(
                N_(
                    "There you choose whether we name you in public, send us your logo, and can "
                    "leave at any time. Keep this mail: its link is the key."
                )
            ),
        ),
        why=say(N_("You are getting this because you are the contact of %(organisation)s.")),
    )


def join_declined(scribe: Scribe) -> Letter:
    """Says no to an applicant."""
    say = scribe.say
    return Letter(
        subject=say(N_("About the application of %(organisation)s")),
        preheader=say(N_("We have read your application to join %(site)s.")),
        title=say(N_("About your application")),
        paragraphs=(
            say(
                N_(
                    "Thank you for wanting to join %(site)s. We have read the application "
                    "of %(organisation)s, and we can't accept it at this time."
                )
            ),
        ),
        quotation=scribe.values["reason"],
        why=say(N_("You are getting this because you are the contact of %(organisation)s.")),
    )


def partner_pages(scribe: Scribe) -> Letter:
    """Tells a partner and staff that something is wrong with its form."""
    say = scribe.say
    return Letter(
        subject=say(N_("The sign-up form of %(organisation)s needs a look")),
        preheader=say(N_("Something changed on a page with our form.")),
        title=say(N_("Please look at the form")),
        paragraphs=(say(N_("This is what we noticed. We write once about each:")),),
        quotation=scribe.values["reason"],
        label=say(N_("Look at the numbers")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you look after our form at %(organisation)s.")),
    )


def campaign_needs_attention(scribe: Scribe) -> Letter:
    """Tells staff that a campaign stopped."""
    say = scribe.say
    return Letter(
        subject=say(N_("“%(campaign)s” needs your attention")),
        preheader=say(N_("It waits for a person.")),
        title=say(N_("“%(campaign)s” waits for you")),
        paragraphs=(say(N_("The campaign has stopped by itself. The reason:")),),
        quotation=scribe.values["reason"],
        label=say(N_("Look at the campaign")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )


def series_needs_attention(scribe: Scribe) -> Letter:
    """Tells staff that an edition could not be drafted."""
    say = scribe.say
    return Letter(
        subject=say(N_("“%(series)s” needs your attention")),
        preheader=say(N_("Its next edition could not be drafted.")),
        title=say(N_("The next edition of “%(series)s” could not be drafted")),
        paragraphs=(say(N_("It will be tried again, but not for ever. The reason:")),),
        quotation=scribe.values["reason"],
        label=say(N_("Look at the series")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )


def feed_needs_attention(scribe: Scribe) -> Letter:
    """Tells staff that a feed is not read any more."""
    say = scribe.say
    return Letter(
        subject=say(N_("“%(feed)s” is not read any more")),
        preheader=say(N_("The feed waits for a person.")),
        title=say(N_("“%(feed)s” is not read any more")),
        paragraphs=(say(N_("Nothing comes in by this feed until somebody mends it. The reason:")),),
        quotation=scribe.values["reason"],
        label=say(N_("Look at the feed")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )
