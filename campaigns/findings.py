"""What should be looked at before a bulletin goes out, or has to be mended first."""

from collections.abc import Sequence

from campaigns import wording
from foundation import errors
from foundation.frozen import frozen
from foundation.i18n import Translator
from templates import problems


@frozen
class Finding(problems.Concern):
    """Something about a bulletin that should be looked at, or has to be mended first."""

    is_blocking: bool = False
    """Whether the bulletin can't go out like this."""
    language: str = ""
    """The edition that it is about; blank for all."""
    block: int = 0
    """The block's number, counted from 1; 0 outside the blocks."""
    language_values: Sequence[str] = ()
    """Which of `values` are languages, to be named in the reader's."""
    path: str = ""
    """The page where it is mended, if that is not the block's."""
    problem: errors.HandbillError | None = None
    """The error that stopped the compiler, where there was one."""

    def say(self, speaks: errors.Speaks) -> str:
        """The finding in the reader's language."""
        if self.problem is not None:
            return self.problem.say(speaks)
        named = dict(self.values)
        if isinstance(speaks, Translator):
            for name in self.language_values:
                named[name] = wording.language_name(str(self.values[name]), speaks)
        return speaks.gettext(self.msgid) % named
