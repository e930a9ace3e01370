"""What each role is called, and what it may do, in words."""

from foundation.accounts.models import Role
from foundation.i18n import N_

ROLE_WORDS = {
    Role.OWNER: (N_("Owner"), N_("Everything, the team included")),
    Role.EDITOR: (N_("Editor"), N_("Approves and sends; people, members and forms")),
    Role.AUTHOR: (N_("Author"), N_("Writes developments and bulletins")),
    Role.TRANSLATOR: (N_("Translator"), N_("Puts bulletins into another language")),
    Role.VIEWER: (N_("Viewer"), N_("Looks, changes nothing")),
}
"""Of the office: people of a partner have no choice."""
