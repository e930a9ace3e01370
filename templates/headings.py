"""Which level each headline of a mail has, so that none is skipped, whoever sees which blocks.

Staff choose how large a heading looks; people who listen to a mail go from one level to the next
(WCAG 2.2, success criteria 1.3.1 and 2.4.10).
"""

from dataclasses import dataclass, field, replace

from templates import content, prose
from templates.conditions import Condition
from templates.weaving import Woven

_LOWEST = 6
_ITEM = 3
"""What an entry of a list has under the list's own title."""


def leveled(parts: tuple[Woven, ...], *, top: int) -> tuple[Woven, ...]:
    """The blocks with the levels of their headlines; `top` is that of the mail's title, or 0."""
    levels = _Levels(last={None: top})
    return tuple(_leveled(part, levels) for part in parts)


@dataclass(kw_only=True)
class _Levels:
    """The level of the last headline that heads what follows, for each kind of reader.

    For readers of whom a condition holds, what everybody sees and what is for them counts. What is
    for others may stand before or be left out, so it can only make the next headline a higher one.
    """

    last: dict[Condition | None, int] = field(default_factory=dict)

    def entry(self, condition: Condition | None) -> int:
        """For a headline that heads nothing but its own words."""
        return min(_ITEM, self._known(condition) + 1)

    def section(self, wished: int, condition: Condition | None) -> int:
        """For a headline that heads all that follows: as wished, or the next one there can be."""
        level = min(wished, self._known(condition) + 1)
        self.last.setdefault(condition, level)
        self.last = {
            reader: level if condition in (None, reader) else min(level, last)
            for reader, last in self.last.items()
        }
        return level

    def _known(self, condition: Condition | None) -> int:
        return self.last.get(condition, self.last[None])


def _leveled(part: Woven, levels: _Levels) -> Woven:
    block = part.block
    condition = getattr(block, "shown_to", None)
    match block:
        case content.Heading():
            return replace(part, level=levels.section(block.level, condition))
        case content.Developments() | content.Figures() | content.Links():
            level = levels.section(2, condition) if block.title else 0
            entry = levels.entry(condition)
            return replace(
                part, level=level, items=tuple(_entry(each, entry) for each in part.items)
            )
        case content.RichText() | content.Quote() | content.Columns():
            for text in (part, *part.items):
                for each in _headings(text.rich):
                    each.level = levels.section(int(each.tag[1:]), condition)
            return part
        case _:
            return _entry(part, levels.entry(condition))


def _entry(part: Woven, level: int) -> Woven:
    """A block with a headline of its own; those in its text are one below."""
    for each in _headings(part.rich):
        each.level = min(_LOWEST, level + 1)
    return replace(part, level=level)


def _headings(root: prose.Element | None) -> list[prose.Element]:
    """Those of a text, in order, also in quotations."""
    found: list[prose.Element] = []
    for child in root or ():
        if isinstance(child, prose.Element):
            found += [child] if child.tag in prose.HEADINGS else _headings(child)
    return found
