"""One row of the table: phrases that mean the same."""

from delivery.bounces.reasons import KINDS, BounceReason
from delivery.models import BounceKind
from foundation.frozen import frozen


@frozen
class Row:
    """Phrases that mean the same."""

    name: str
    reason: BounceReason
    who: str
    """Whose words these are."""
    says: tuple[str, ...]
    is_vague: bool
    """Whether an enhanced code that says more is believed instead."""

    @property
    def kind(self) -> BounceKind:
        """What it means while the server speaks for good."""
        return KINDS[self.reason]


def row(name: str, reason: BounceReason, who: str, says: str, *, is_vague: bool = False) -> Row:
    """A row as the files of the table write it: phrases with ` | ` between them."""
    return Row(name=name, reason=reason, who=who, says=phrases(says), is_vague=is_vague)


def phrases(text: str) -> tuple[str, ...]:
    """Phrases with ` | ` between them; line ends in them are spaces."""
    return tuple(" ".join(phrase.split()) for phrase in text.split(" | "))
