"""What the letters to the coalition's members say, and to who signed at a table on the street.

As in `letters.py`, which has the others.
"""

from foundation.i18n import N_
from templates.letters import Letter, Scribe


def join_question(scribe: Scribe) -> Letter:
    """Asks an organisation that applied something."""
    say = scribe.say
    return Letter(
        subject=say(N_("A question about the application of %(organisation)s")),
        preheader=say(N_("Your answer helps us to decide.")),
        title=say(N_("We have a question")),
        paragraphs=(
            say(
                N_(
                    "Thank you for wanting to join %(site)s. Before we decide on the application "
                    "of %(organisation)s, we would like to know:"
                )
            ),
        ),
        quotation=scribe.values["question"],
        label=say(N_("Write the answer")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you are the contact of %(organisation)s.")),
    )


def renew(scribe: Scribe) -> Letter:
    """Asks a member, once a year, whether it stays."""
    say = scribe.say
    return Letter(
        subject=say(N_("Is %(organisation)s still with us?")),
        preheader=say(N_("Once a year we ask every member. One press is enough.")),
        title=say(N_("Another year together?")),
        paragraphs=(
            say(
                N_(
                    "Once a year we ask every member of %(site)s whether it stays, and whether "
                    "what we know of it is still right."
                )
            ),
            say(N_("One press says yes for %(organisation)s; there you can also leave.")),
        ),
        label=say(N_("Answer for %(organisation)s")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you are the contact of %(organisation)s.")),
    )


def renew_reminder(scribe: Scribe) -> Letter:
    """The same once more, to who did not answer."""
    say = scribe.say
    return Letter(
        subject=say(N_("A reminder: is %(organisation)s still with us?")),
        preheader=say(N_("We have not heard from you yet.")),
        title=say(N_("We have not heard from you yet")),
        paragraphs=(
            say(
                N_(
                    "Some weeks ago we asked whether %(organisation)s stays a member of %(site)s, "
                    "and nobody has answered yet."
                )
            ),
            say(N_("Nothing happens by itself: without an answer, a person here will call you.")),
        ),
        label=say(N_("Answer for %(organisation)s")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you are the contact of %(organisation)s.")),
    )


def member_left(scribe: Scribe) -> Letter:
    """Tells the contacts that their organisation is a member no more."""
    say = scribe.say
    return Letter(
        subject=say(N_("%(organisation)s has left %(site)s")),
        preheader=say(N_("So that every contact knows.")),
        title=say(N_("Goodbye, and thank you")),
        paragraphs=(
            say(
                N_(
                    "%(organisation)s is no longer a member of %(site)s. It is not named on our "
                    "page of members any more, and mail for members no longer comes to you."
                )
            ),
            say(N_("If that was a mistake, write to us, and we take you in again.")),
        ),
        why=say(N_("You are getting this because you were the contact of %(organisation)s.")),
    )


def sign_on_confirm(scribe: Scribe) -> Letter:
    """Asks who signed the statement for an organisation whether it was them."""
    say = scribe.say
    return Letter(
        subject=say(N_("Please confirm: your organization signs the statement of %(site)s")),
        preheader=say(N_("One more step, and the signature is with us.")),
        title=say(N_("Is this you?")),
        paragraphs=(
            say(
                N_(
                    "Somebody, probably you, signed the statement of %(site)s for an organization "
                    "and gave this address."
                )
            ),
            say(N_("The link shows what was signed and for whom. Its button confirms it.")),
        ),
        label=say(N_("Look at the signature")),
        url=scribe.values["confirm_url"],
        after=(
            say(N_("Keep this mail: by the same link the signature can be taken back.")),
            say(N_("If you know nothing of this, do nothing, and nothing will happen.")),
        ),
        why=say(N_("You are getting this because your address was typed into our form.")),
    )


def confirm_at_table(scribe: Scribe) -> Letter:
    """Asks somebody who wrote their address down at a table whether they want to be on the list."""
    say = scribe.say
    return Letter(
        subject=say(N_("Please confirm: you signed up with us at %(event)s")),
        preheader=say(N_("One more step, and you are on the list.")),
        title=say(N_("You wrote your address on our list")),
        paragraphs=(
            say(
                N_(
                    "You wrote your address on our list at %(event)s, or somebody else did, to get "
                    "news from %(site)s."
                )
            ),
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
        why=say(
            N_("You are getting this because your address was written down at our table there.")
        ),
    )
