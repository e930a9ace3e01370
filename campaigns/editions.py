"""Turns a bulletin document into what the compiler takes: one resolved edition per language."""

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel.ext.asyncio.session import AsyncSession

from campaigns import block_content, documents, issues, mail_template_uses, resolving
from campaigns.findings import Finding
from foundation import errors
from foundation.frozen import frozen
from foundation.ground import Ground
from foundation.i18n import N_
from templates import content, problems


class BlockProblem(problems.ContentProblem):
    """What is wrong with one block, said with its place."""

    def __init__(self, problem: errors.HandbillError, *, number: int) -> None:
        super().__init__(
            N_("In %(place)s: %(problem)s"),
            place=problems.Where(msgid=N_("block %(number)s"), number=number),
            problem=problem,
        )
        self.problem = problem

    def say(self, speaks: errors.Speaks) -> str:
        """The message in the reader's language, the inner one too."""
        self.values["problem"] = self.problem.say(speaks)
        return super().say(speaks)


@frozen
class Resolved:
    """An edition ready to be compiled, and what was noticed on the way."""

    edition: content.Edition
    findings: Sequence[Finding]
    numbers: Sequence[int]
    """The document's number of each of the edition's blocks; some may have been left out, and
    what is near to some people may be there in several pieces."""

    def in_document(self, problem: problems.ContentProblem) -> problems.ContentProblem:
        """The compiler's error with the block's number as staff count them."""
        place = problem.place
        if isinstance(place, problems.Where) and place.number:
            place = replace(place, number=self.numbers[place.number - 1])
        values = {name: value for name, value in problem.values.items() if name != "place"}
        return type(problem)(problem.msgid, place=place, **values)

    def numbered(self, concern: problems.Concern) -> problems.Concern:
        """The compiler's concern with the block's number as staff count them."""
        number = concern.values.get("number")
        if not isinstance(number, int):
            return concern
        return replace(concern, values={**concern.values, "number": self.numbers[number - 1]})


async def resolve(
    ground: Ground,
    session: AsyncSession,
    document: documents.Document,
    *,
    language: str,
    campaign_name: str = "",
    origin: int = 0,
) -> Resolved:
    """The edition of `document` in `language`, with everything that it names looked up.

    `origin` is the bulletin by which its events are known; without one they lead to no calendar.
    Raises `errors.Invalid` for what is not there.
    """
    issue = await issues.by_slug(session, document.issue) if document.issue else None
    translator = ground.translator(language)
    resolver = resolving.Resolver(
        ground=ground,
        session=session,
        document=document,
        language=language,
        translator=translator,
        issue=issue,
        origin=origin,
    )
    first: list[tuple[int, content.Block]] = []
    here: list[tuple[int, content.Block]] = []
    for number, block in enumerate(document.blocks, start=1):
        resolver.number = number
        try:
            made = await block_content.made(resolver, block)
        except problems.ContentProblem:
            raise
        except (errors.Invalid, errors.NotFound) as problem:
            raise BlockProblem(problem, number=number) from problem
        if made is not None:
            first += [(number, each) for each in made.first]
            here += [(number, each) for each in made.here]
    own = await mail_template_uses.source(session, document)
    placed = [*first, *here]
    head = document.editions.get(language, documents.Edition())
    edition = content.Edition(
        language=language,
        direction=translator.direction,
        template=content.Template.BULLETIN if own else document.template,
        own_template=own,
        subject=head.subject,
        preheader=head.preheader,
        title=head.title or head.subject,
        date_label=translator.date(ground.clock.now()),
        issue_title=issues.title(ground, issue, language) if issue else "",
        campaign_name=campaign_name or document.name,
        blocks=tuple(each for _, each in placed),
    )
    numbers = [number for number, _ in placed]
    return Resolved(edition=edition, findings=tuple(resolver.findings), numbers=numbers)
