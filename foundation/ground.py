"""What every verb is handed: database, clock, settings, tokens, languages and the notice queue."""

from dataclasses import field

from foundation.clock import Clock
from foundation.config import Settings
from foundation.courtesy import Courtesy
from foundation.database import Database
from foundation.frozen import frozen
from foundation.i18n import Catalog, Translator
from foundation.notices import NoticeQueue
from foundation.outward import Outward
from foundation.together import Together
from foundation.tokens import Keyring, Purpose


@frozen
class Ground:
    """Built once by `handbill/app.py` and passed to every verb."""

    db: Database
    clock: Clock
    settings: Settings
    tokens: Keyring
    catalog: Catalog
    notices: NoticeQueue
    outward: Outward = field(default_factory=Outward)
    together: Together = field(init=False, compare=False, default_factory=Together)
    """What is done for many requests at once, in one transaction."""
    courtesy: Courtesy = field(init=False, compare=False, default_factory=Courtesy)
    """Who looks at pages goes before who sends."""

    def translator(self, language: str | None) -> Translator:
        """The texts for a reader who wishes `language`."""
        return self.catalog.translator(language)

    def url(self, path: str) -> str:
        """An absolute address on this site; `path` starts with a slash."""
        return self.settings.site.url.rstrip("/") + path

    def link(self, path: str, purpose: Purpose, *numbers: int) -> str:
        """An absolute address whose last part is a sealed token: `link("/unsubscribe", …)`."""
        return f"{self.url(path)}/{self.tokens.seal(purpose, *numbers)}"
