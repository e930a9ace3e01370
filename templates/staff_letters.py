"""What notices say to staff about how they sign in; `templates/notices.py` sets them."""

from foundation.i18n import N_
from templates.letters import Letter, Scribe


def password_reset(scribe: Scribe) -> Letter:
    """A link by which somebody chooses another password."""
    say = scribe.say
    minutes = int(scribe.values["minutes"])
    for_minutes = scribe.translator.ngettext(
        "The link works once, within %(minutes)s minute.",
        "The link works once, within %(minutes)s minutes.",
        minutes,
    )
    return Letter(
        subject=say(N_("Choose another password for %(site)s")),
        preheader=for_minutes % {"minutes": minutes},
        title=say(N_("Choose another password")),
        paragraphs=(
            say(N_("Somebody, probably you, said on the sign-in page that you forgot yours.")),
            for_minutes % {"minutes": minutes},
        ),
        label=say(N_("Choose a password")),
        url=scribe.values["reset_url"],
        after=(say(N_("If it was not you, do nothing: your password stays as it is.")),),
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )


def account_changed(scribe: Scribe) -> Letter:
    """Tells somebody that how they come in was changed, whoever did it."""
    say = scribe.say
    return Letter(
        subject=say(N_("How you sign in to %(site)s was changed")),
        preheader=scribe.values["change"],
        title=say(N_("How you sign in was changed")),
        paragraphs=(
            scribe.values["change"],
            say(N_("If that was you, all is well.")),
            say(
                N_(
                    "If it was not, choose another password at once, sign your other browsers out, "
                    "and tell an owner of the site."
                )
            ),
        ),
        label=say(N_("Look at your account")),
        url=scribe.values["url"],
        why=say(N_("You are getting this because you have a staff account at %(site)s.")),
    )
