"""A mail that shows what mails look like: a little of everything, in the words of nobody.

The pages of the look and of own templates show it; nothing of it is kept or sent.
"""

from foundation.i18n import N_, Translator
from templates import compiler, content
from templates.plan import Plan

_HERE = "https://example.org/"


def edition(speaks: Translator, *, template: str = content.Template.BULLETIN) -> content.Edition:
    """A bulletin in the translator's language."""
    say = speaks.gettext
    return content.Edition(
        language=speaks.language,
        direction=speaks.direction,
        template=template,
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
                        headline=say(N_("The council votes against the program")),
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
                    content.Figure(value="39", label=say(N_("towns have said no"))),
                )
            ),
            content.Quote(
                html="<p>{}</p>".format(say(N_("My neighbors stood up, and so did I."))),
                by="Marta",
            ),
            content.Action(
                lead=say(N_("A call takes three minutes.")),
                label=say(N_("Call your council")),
                url=_HERE,
            ),
        ),
        campaign_name="",
    )


def plan(brand: content.Brand, speaks: Translator) -> Plan:
    """The sample in a look."""
    return compiler.compile_edition(
        edition(speaks), brand, archive_url=f"{_HERE}archive", translator=speaks
    )
