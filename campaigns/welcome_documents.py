"""The bulletins of the welcome that nobody writes: an issue's page, or a handout, as a mail."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from campaigns import documents
from campaigns.block_models import KINDS, AnyBlock
from campaigns.documents import Document
from campaigns.models import Issue, IssuePart, Material, PartKind
from campaigns.welcome_models import WelcomeStep
from foundation import errors
from foundation.ground import Ground
from foundation.i18n import N_, Translator
from subscribers import topics
from subscribers.models import Topic

_EXPLAINED = N_("%(issue)s: what you should know")
_CLOSING = N_(
    "This is one of a few mails with which we welcome you to “%(topic)s”. After them you get its "
    "bulletins, and you can stop any of it whenever you like."
)
_LONGEST_LINE = 300
_FIGURES = 12
"""As many as a block of them takes."""

_SECTIONS: Sequence[tuple[PartKind, str]] = (
    (PartKind.PROCESS, N_("How it works")),
    (PartKind.FIGURE, N_("What the figures say")),
    (PartKind.POSITION, N_("Where we stand")),
    (PartKind.REASON, ""),
    (PartKind.QUESTION, N_("Questions and answers")),
)
"""Kinds of parts in the order of the page, each with the headline above it."""


def explainer(
    ground: Ground, topic: Topic, step: WelcomeStep, issue: Issue, parts: Sequence[IssuePart]
) -> Document:
    """An issue's page as a mail, in the languages that the issue has a title in.

    Raises `errors.Invalid` for an issue that only staff may see.
    """
    if not issue.is_published:
        raise errors.Invalid(N_("The issue is not published."))
    speakers = _speakers(ground, (code for code, each in issue.texts.items() if each.get("title")))
    subjects = {
        code: speaks.gettext(_EXPLAINED) % {"issue": issue.texts[code]["title"]}
        for code, speaks in speakers.items()
    }
    leads = {code: issue.texts[code].get("summary", "") for code in speakers}
    address = ground.url(f"/issues/{issue.slug}")
    labels = {
        code: {"label": speaks.gettext(N_("Read the whole page"))}
        for code, speaks in speakers.items()
    }
    blocks = [
        _lead(step, leads),
        *_sections(speakers, parts),
        _block("action", url=address, texts=labels),
    ]
    return _made(ground, topic, step, issue, speakers, subjects, leads, blocks)


def handout(
    ground: Ground, topic: Topic, step: WelcomeStep, material: Material, issue: Issue
) -> Document:
    """A handout as a mail, in the languages that it has a title in."""
    speakers = _speakers(
        ground, (code for code, each in material.texts.items() if each.get("title"))
    )
    subjects = {code: material.texts[code]["title"] for code in speakers}
    leads = {code: material.texts[code].get("description", "") for code in speakers}
    blocks = [_lead(step, {}), _block("material", material=material.slug)]
    return _made(ground, topic, step, issue, speakers, subjects, leads, blocks)


def closed(ground: Ground, topic: Topic, document: Document) -> Document:
    """A document that says at its end why it comes."""
    said = {
        code: {"html": f"<p>{escape(_closing(ground.translator(code), topic), quote=False)}</p>"}
        for code in document.editions
    }
    kept = document.blocks[: documents.MAX_BLOCKS - 1]
    return documents.with_ids(document.with_blocks([*kept, _block("rich_text", texts=said)]))


def _made(
    ground: Ground,
    topic: Topic,
    step: WelcomeStep,
    issue: Issue,
    speakers: Mapping[str, Translator],
    subjects: Mapping[str, str],
    leads: Mapping[str, str],
    blocks: Sequence[AnyBlock | None],
) -> Document:
    own = step.texts
    editions = {
        code: documents.Edition(
            subject=(own.get(code, {}).get("subject") or subjects[code])[:_LONGEST_LINE],
            preheader=" ".join(leads[code].split())[:_LONGEST_LINE],
        )
        for code in speakers
    }
    site = ground.settings.site.language
    made = Document(
        name=step.name[:200] or issue.slug,
        issue=issue.slug,
        default_language=site if site in editions else next(iter(editions), ""),
        editions=editions,
        blocks=[block for block in blocks if block is not None],
    )
    return closed(ground, topic, made)


def _speakers(ground: Ground, codes: Iterable[str]) -> dict[str, Translator]:
    there = set(codes)
    return {code: ground.translator(code) for code in ground.catalog.languages if code in there}


def _lead(step: WelcomeStep, leads: Mapping[str, str]) -> AnyBlock | None:
    """Staff's own first words, else those of the thing itself."""
    words = {
        code: step.texts.get(code, {}).get("lead") or leads.get(code, "")
        for code in {*step.texts, *leads}
    }
    texts = {code: {"html": _paragraphs(said)} for code, said in words.items() if said}
    return _block("rich_text", texts=texts) if texts else None


def _sections(speakers: Mapping[str, Translator], parts: Sequence[IssuePart]) -> Iterable[AnyBlock]:
    for kind, headline in _SECTIONS:
        is_figure = kind is PartKind.FIGURE
        there = [each for each in parts if each.kind == kind and (each.key or not is_figure)]
        if there and headline:
            said = {code: {"text": speaks.gettext(headline)} for code, speaks in speakers.items()}
            yield _block("heading", level=2, texts=said)
        if is_figure:
            if there:
                yield _block("figures", keys=[each.key for each in there][:_FIGURES])
            continue
        for part in there:
            yield from _part(part)


def _part(part: IssuePart) -> Iterable[AnyBlock]:
    titles = {code: {"text": each["title"]} for code, each in part.texts.items() if _has(each)}
    if titles:
        yield _block("heading", level=3, texts=titles)
    bodies = {code: {"html": each["body"]} for code, each in part.texts.items() if each.get("body")}
    if bodies:
        yield _block("rich_text", texts=bodies)


def _has(texts: Mapping[str, str]) -> bool:
    return bool(texts.get("title", "").strip()) and len(texts["title"]) <= _LONGEST_LINE


def _block(kind: str, **values: Any) -> AnyBlock:
    return KINDS[kind].model_validate(values)  # type: ignore[return-value]


def _paragraphs(said: str) -> str:
    parts = (" ".join(part.split()) for part in said.split("\n\n"))
    return "".join(f"<p>{escape(part, quote=False)}</p>" for part in parts if part)


def _closing(speaks: Translator, topic: Topic) -> str:
    return speaks.gettext(_CLOSING) % {"topic": topics.name(topic, speaks.language)}
