"""A mail that shows what mails look like: a little of everything, in the words of nobody.

The pages of the look and of own templates show it; nothing of it is kept or sent.
"""

from foundation.i18n import N_, Translator
from templates import compiler, content
from templates.plan import Plan

_HERE = "https://example.org/"
_HEADLINE = N_("The council votes against the program")
_COUNTED = N_("towns have said no")
_SAID = N_("My neighbors stood up, and so did I.")
_ASKED = N_("Call your council")
WORDS = (_HEADLINE, _COUNTED, _SAID, _ASKED)
"""Something out of every block but the first, to see that each is there."""


def edition(speaks: Translator, *, own_template: str = "") -> content.Edition:
    """A bulletin in the translator's language, in our template or in the source of another."""
    say = speaks.gettext
    return content.Edition(
        language=speaks.language,
        direction=speaks.direction,
        own_template=own_template,
        subject=say(N_("What happened this month")),
        title=say(N_("What happened this month")),
        preheader=say(N_("A council voted, and there is a new handout.")),
        issue_title=say(N_("Neighbors and police")),
        blocks=(
            content.RichText(
                html="<p>{} <a href='{}'>{}</a></p>".format(
                    say(N_("Dear reader, this is how a bulletin looks.")),
                    _HERE,
                    say(N_("And this is a link.")),
                )
            ),
            content.Developments(
                items=(
                    content.DevelopmentItem(
                        kind="news",
                        kind_label=say(N_("News")),
                        date_label="",
                        headline=say(_HEADLINE),
                        summary_html="<p>{}</p>".format(
                            say(N_("Sixty people came, and nine of eleven members voted for it."))
                        ),
                        url=_HERE,
                        source_name=say(N_("A newspaper")),
                    ),
                )
            ),
            content.Figures(
                items=(
                    content.Figure(value="53%", label=say(N_("had no conviction at all"))),
                    content.Figure(value="39", label=say(_COUNTED)),
                )
            ),
            content.Quote(
                html=f"<p>{say(_SAID)}</p>",
                by="Marta",
            ),
            content.Action(
                lead=say(N_("A call takes three minutes.")),
                label=say(_ASKED),
                url=_HERE,
            ),
        ),
        campaign_name="",
    )


def plan(brand: content.Brand, speaks: Translator, *, own_template: str = "") -> Plan:
    """The sample in a look, and perhaps in another template than ours."""
    return compiler.compile_edition(
        edition(speaks, own_template=own_template),
        brand,
        archive_url=f"{_HERE}archive",
        translator=speaks,
    )
