"""What can be chosen in the fields of blocks that need nothing of their bulletin."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import block_forms, pictures, snippets
from foundation.errors import Speaks
from foundation.i18n import N_

Options = list[tuple[str, str, str]]
KINDS = frozenset({"heading", "columns", "image", "snippet"})


async def of(
    session: AsyncSession, speaks: Speaks, kind: str, chosen: Sequence[str]
) -> dict[str, Options]:
    """Field → value, words and hint of each choice; `chosen` are there whatever they are."""
    if kind == "heading":
        return {
            "level": [(str(level), speaks.gettext(word), "") for level, word in block_forms.LEVELS]
        }
    if kind == "image":
        return {
            "shape": [(value.value, speaks.gettext(word), "") for value, word in block_forms.SHAPES]
        }
    if kind == "snippet":
        found = await snippets.listed(session)
        choose = ("", speaks.gettext(N_("Choose…")), "")
        return {"snippet": [choose, *((each.key, each.name, "") for each in found)]}
    if kind == "columns":
        return await _pictures(session, speaks, chosen)
    return {}


async def _pictures(
    session: AsyncSession, speaks: Speaks, chosen: Sequence[str]
) -> dict[str, Options]:
    """The newest pictures for either column, and those that stand there."""
    found = await pictures.recent(session)
    names = {each.digest: each.file_name for each in found}
    names |= {each: each for each in chosen if each and each not in names}
    choices = [("", speaks.gettext(N_("No picture")), "")]
    choices += [(digest, name, "") for digest, name in names.items()]
    return {"first_picture": choices, "second_picture": choices}
