"""Mailboxes of throw-away mail services, by the list that their watchers keep.

What happens to such addresses is a setting: they are taken, held for staff, or refused.
"""

import functools

from foundation.addresses import Address
from foundation.sections import SignupSettings


def is_disposable(address: Address, *, settings: SignupSettings) -> bool:
    """Whether the address's domain, or one above it, is of such a service."""
    if settings.disposable == "take":
        return False
    names = _with_parents(address.domain)
    if not names.isdisjoint(settings.welcome_domains):
        return False
    return not names.isdisjoint(settings.disposable_domains) or not names.isdisjoint(_known())


@functools.lru_cache(maxsize=4096)
def _with_parents(domain: str) -> frozenset[str]:
    labels = domain.split(".")
    return frozenset(".".join(labels[start:]) for start in range(max(1, len(labels) - 1)))


@functools.cache
def _known() -> frozenset[str]:
    # Thousands of names: read when the first form is sent, not by every process.
    import disposable_email_domains

    return frozenset(disposable_email_domains.blocklist)
