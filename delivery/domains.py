"""Which host's limit an address falls under: a group of domains, or its own domain.

Groups are the tables `[[domain_limit]]`; `*` among a table's domains stands for every domain that
no other table names, each with a limit of its own.
"""

from collections.abc import Iterable

from delivery.allowances import Terms
from delivery.limit import Limit
from foundation import rates, relaying
from foundation.config import Settings
from foundation.relaying import DomainLimit

GROUP = "domains:"
"""What the name of a group's limit starts with."""
ONE = "domain:"
"""What the name of a single domain's limit starts with."""
_MANY = 5000
"""Single domains that are remembered, if they are not in use."""


def names(settings: Settings) -> dict[str, str]:
    """Domain → the name of the limit that it shares with others."""
    return {
        domain: f"{GROUP}{table.name}"
        for table in settings.domain_limit
        for domain in table.domains
        if domain != relaying.OTHERS
    }


class Groups:
    """Every limit by recipients' domains that one worker knows."""

    def __init__(self, settings: Settings) -> None:
        self._full = _full(settings)
        self._tables = settings.domain_limit
        self._groups: dict[str, Limit] = {}
        self._others: DomainLimit | None = None
        self._single: dict[str, Limit] = {}
        for table in settings.domain_limit:
            limit = self._limit(table, f"{GROUP}{table.name}")
            for domain in table.domains:
                if domain == relaying.OTHERS:
                    self._others = table
                else:
                    self._groups[domain] = limit

    def take(self, settings: Settings) -> bool:
        """The limits as the settings have them now; returns whether any differs."""
        full = _full(settings)
        if self._tables == settings.domain_limit and self._full == full:
            return False
        self._tables, self._full = settings.domain_limit, full
        for table in settings.domain_limit:
            for domain in table.domains:
                if domain == relaying.OTHERS:
                    self._others = table
                    for limit in self._single.values():
                        self._set(limit, table)
                else:
                    self._set(self._groups[domain], table)
        return True

    def of(self, address: str) -> Limit | None:
        """The limit of an address; None when there is none."""
        domain = address.rpartition("@")[2].lower()
        return self._groups.get(domain) or (self._other(domain) if self._others else None)

    def watched(self, address: str) -> Limit:
        """The limit of an address; made, without any rate, when there is none."""
        domain = address.rpartition("@")[2].lower()
        limit = self.of(address)
        if limit is None:
            terms = Terms(name=f"{ONE}{domain}")
            limit = self._groups[domain] = Limit(terms, full=self._full)
        return limit

    def known(self, names: Iterable[str]) -> list[Limit]:
        """Every limit that there is by now, and those of single domains among `names`."""
        for name in names:
            if name.startswith(ONE):
                self.watched(name.removeprefix(ONE))
        return [*dict.fromkeys(self._groups.values()), *self._single.values()]

    def _other(self, domain: str) -> Limit | None:
        found = self._single.get(domain)
        if found is None and self._others is not None:
            if len(self._single) >= _MANY:
                self._single = {
                    name: limit for name, limit in self._single.items() if limit.is_in_use
                }
            found = self._single[domain] = self._limit(self._others, f"{ONE}{domain}")
        return found

    def _set(self, limit: Limit, table: DomainLimit) -> None:
        terms = Terms(name=limit.terms.name, rates=rates.parse_all(table.rates))
        if limit.terms != terms:
            limit.set_terms(terms)
        limit.set_width(table.connections, full=self._full, backs_off=table.back_off)

    def _limit(self, table: DomainLimit, name: str) -> Limit:
        return Limit(
            Terms(name=name, rates=rates.parse_all(table.rates)),
            width=table.connections,
            full=self._full,
            backs_off=table.back_off,
        )


def _full(settings: Settings) -> int:
    """How many messages are under way at once, at most."""
    return sum(relay.connections for relay in settings.relay)
