"""What resolves the blocks of one edition: what it is made of, and what is noticed on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import block_models, documents, links, pictures
from campaigns.findings import Finding
from campaigns.left_behind import Behind
from campaigns.models import Issue
from campaigns.picture_making import Shape
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from templates import content

PICTURE_WIDTH = 552
"""The widest a picture stands in a mail, in pixels."""


@dataclass(kw_only=True)
class Resolver:
    """Resolves the blocks of one document in one language."""

    ground: Ground
    session: AsyncSession
    document: documents.Document
    language: str
    translator: Translator
    issue: Issue | None
    origin: int = 0
    """The bulletin by which its events are known; 0 for one that is not kept yet."""
    findings: list[Finding] = field(default_factory=list)
    number: int = 0
    """The block at hand, counted from 1."""

    def note(
        self,
        code: str,
        msgid: str,
        *,
        is_blocking: bool = False,
        language_values: Sequence[str] = (),
        path: str = "",
        **values: str,
    ) -> None:
        """Report something about the block at hand."""
        self.findings.append(
            Finding(
                code=code,
                msgid=msgid,
                values={"number": self.number, **values},
                is_blocking=is_blocking,
                language=self.language,
                block=self.number,
                language_values=language_values,
                path=path,
            )
        )

    def note_behind(self, kind: str, number: int, behind: Behind, name: str) -> None:
        """Report that what the block shows was left behind by its source in this language."""
        if self.language in behind:
            self.note(
                "translation-behind",
                N_(
                    "Block %(number)s: the source of “%(name)s” was changed, "
                    "but %(language)s was not."
                ),
                language_values=("language",),
                path=f"/staff/translations/{kind}/{number}?language={self.language}",
                language=self.language,
                name=name,
            )

    def text(self, texts: Mapping[str, block_models.Piece], need: str) -> Any | None:
        """The block's text in this edition's language; None, and a finding, where there is none."""
        found = texts.get(self.language)
        if found is not None and _is_there(getattr(found, need)):
            return found
        if self.language in self.document.editions and self._is_written_elsewhere(texts, need):
            self.note(
                "block-without-text",
                N_("Block %(number)s has no text in %(language)s and is left out there."),
                language=self.language,
                language_values=("language",),
            )
        else:
            self.note("empty-block", N_("Block %(number)s is still empty and is left out."))
        return None

    def url(self, own: str, shared: str) -> str:
        """A link of the block: its language's own, else the one for all."""
        return links.absolute(self.ground, own or shared)

    def _is_written_elsewhere(self, texts: Mapping[str, block_models.Piece], need: str) -> bool:
        return any(_is_there(getattr(each, need)) for each in texts.values())


def _is_there(said: str | Sequence[object]) -> bool:
    """Whether a text holds words, or a list entries."""
    return bool(said.strip() if isinstance(said, str) else said)


async def uploaded(
    to: Resolver,
    name: str,
    *,
    alt: str,
    caption: str = "",
    width: int | None = None,
    url: str = "",
    shape: Shape = Shape.AS_IS,
) -> content.Image:
    """A picture that was uploaded, by digest or file name. Raises `errors.Invalid`.

    Where `alt` is blank, it says what was said of the picture once for all bulletins.
    """
    picture = await pictures.find(to.session, name)
    if picture is None:
        raise errors.Invalid(N_("There is no picture “%(name)s”."), name=name[:80])
    cut = await pictures.in_shape(to.session, picture, shape)
    return content.Image(
        src=to.ground.url(pictures.path(cut)),
        alt=alt or picture.alts.get(to.language, ""),
        is_decorative=picture.is_decorative,
        caption=caption,
        width=min(width or cut.width, cut.width, PICTURE_WIDTH),
        url=url,
    )
