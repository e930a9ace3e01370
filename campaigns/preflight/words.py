"""What is written: lengths of subject and preheader, and what was still to be filled in."""

import re
from collections.abc import Mapping, Sequence

from campaigns.compiling import Compiled, Looked
from campaigns.models import Bulletin
from campaigns.preflight import items, places
from campaigns.preflight.items import Item, Place
from foundation.i18n import N_
from templates import content, mergefields, prose

SUBJECT = 60
"""Characters of a subject that inboxes on a desktop show; phones show about forty."""
PREHEADER = (30, 130)
"""Characters of a preheader: so many at least are worth having, more are shown nowhere."""
_NAME = "Alejandra"
"""What a personal field takes about as much room as."""

# Square brackets around a word that asks to be filled in; others, such as [sic], are words.
_FILL_IN = (
    r"(?:insert|add|your|enter|tbd|tk)\b[^\]\n]{0,60}|(?:full |first |last |event |link |street )?"
    r"(?:date|day|time|place|location|venue|name|city|town|link|url|address|number|amount|title|"
    r"headline|phone|email|month|year|speaker|quote|photo|image|text)(?: here| goes here)?|"
    r"(?:insertar|añadir|agregar|poner|completar|rellenar|su|tu)\b[^\]\n]{0,60}|"
    r"(?:fecha|día|hora|lugar|sede|nombre|ciudad|enlace|vínculo|dirección|número|cantidad|monto|"
    r"título|titular|teléfono|correo|mes|año|orador|cita|foto|imagen|texto|traducir|traducción)"
    r"(?: aquí)?|"
    r"(?:inserir|adicionar|preencher|seu|sua)\b[^\]\n]{0,60}|"
    r"(?:data|dia|local|lugar|nome|cidade|endereço|quantia|valor|telefone|mês|ano|palestrante|"
    r"imagem|traduzir|tradução)(?: aqui)?"
)
SURE = (
    re.compile(r"\blorem ipsum\b|\bdolor sit amet\b", re.IGNORECASE),
    re.compile(rf"\[\s*(?:{_FILL_IN})\s*\]", re.IGNORECASE),
    re.compile(r"\bTK(?:TK)*\b"),
    re.compile(
        r"\b(?:texto de (?:relleno|prueba|ejemplo)|(?:placeholder|dummy|sample) text|"
        r"(?:text|texto) (?:goes here|aquí|aqui)|falta (?:el )?texto|por traducir|a traduzir)\b",
        re.IGNORECASE,
    ),
    re.compile(r"\bTODO:|\bFIXME\b|\bPENDIENTE:"),
)
"""What nobody means to send."""
DOUBTFUL = (
    # Two of them may be a century (siglo XX), so not without what they stand for.
    re.compile(r"\bX{3,}\b|\bXX(?= de [a-z]|[:/.]XX)|(?<=\$)X+\b"),
    re.compile(r"\bTB[DA]\b|\bpor (?:definir|determinar|confirmar)\b", re.IGNORECASE),
    re.compile(r"\?{3,}|_{4,}"),
)
"""What may be meant."""

_ATTACHED: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(r"\b(?:attached|attachments?|enclosed)\b", re.IGNORECASE),
    "es": re.compile(
        r"\b(?:adjunt[oa]s?|adjunt(?:amos|é|ando)|anexamos|anex[oa]s?)\b", re.IGNORECASE
    ),
    "pt": re.compile(r"\b(?:anex[oa]s?|anexad[oa]s?|anexamos|em anexo)\b", re.IGNORECASE),
}
"""What promises an attachment; of other languages nobody has written it down."""


def look(bulletin: Bulletin, looked: Looked) -> list[Item]:
    """Everything about the words of every edition."""
    lengths = [item for each in looked.editions.values() for item in _lengths(bulletin, each)]
    left = [item for each in looked.editions.values() for item in _left(bulletin, looked, each)]
    attached = [
        item for each in looked.editions.values() for item in _attached(bulletin, looked, each)
    ]
    if not looked.editions:
        return []
    return [
        *(lengths or [items.good("lengths", N_("Subjects and preheaders have a good length."))]),
        *(left or [items.good("placeholders", N_("Nothing is left to be filled in."))]),
        *attached,
    ]


def _lengths(bulletin: Bulletin, compiled: Compiled) -> list[Item]:
    edition, language = compiled.resolved.edition, compiled.language
    subject, preheader = _length(edition.subject), _length(edition.preheader)
    found: list[Item] = []

    def add(code: str, field: str, msgid: str, count: int) -> None:
        place = places.head(bulletin.id, field, language)
        found.append(
            items.warn(code, msgid, place=place, about=language, language=language, count=count)
        )

    if subject > SUBJECT:
        add(
            "subject-long",
            "subject",
            N_(
                "The subject in %(language)s has %(count)s characters; inboxes show about 60, "
                "phones 40."
            ),
            subject,
        )
    if 0 < preheader < PREHEADER[0]:
        add(
            "preheader-short",
            "preheader",
            N_(
                "The preheader in %(language)s has only %(count)s characters; "
                "there is room for about 90."
            ),
            preheader,
        )
    if preheader > PREHEADER[1]:
        add(
            "preheader-long",
            "preheader",
            N_(
                "The preheader in %(language)s has %(count)s characters; "
                "inboxes show 130 at most, phones 90."
            ),
            preheader,
        )
    if edition.preheader and edition.preheader.strip() == edition.subject.strip():
        add(
            "preheader-repeats",
            "preheader",
            N_("The preheader in %(language)s only repeats the subject."),
            preheader,
        )
    return found


def _length(text: str) -> int:
    """Characters, with a name in place of each field that nothing stands in for."""
    shown = mergefields.at_a_glance(text)
    return len(re.sub(r"\[subscriber\.[\w.]+\]", _NAME, shown).replace("[", "").replace("]", ""))


def _left(bulletin: Bulletin, looked: Looked, compiled: Compiled) -> list[Item]:
    """What somebody meant to fill in, each words once."""
    found: dict[str, Item] = {}
    for place, text in _passages(bulletin, looked, compiled):
        for tone, patterns in ((items.bad, SURE), (items.warn, DOUBTFUL)):
            for words in _matches(patterns, text):
                found.setdefault(
                    words,
                    tone(
                        "placeholder",
                        N_("“%(typed)s” in %(language)s looks as if it was to be filled in."),
                        place=place,
                        about=f"{compiled.language}:{words}",
                        typed=words,
                        language=compiled.language,
                    ),
                )
    return list(found.values())


def _matches(patterns: Sequence[re.Pattern[str]], text: str) -> list[str]:
    return [match[0][:60] for pattern in patterns for match in pattern.finditer(text)]


def _attached(bulletin: Bulletin, looked: Looked, compiled: Compiled) -> list[Item]:
    """A word that promises an attachment, in an edition without a handout."""
    blocks = compiled.resolved.edition.blocks
    pattern = _ATTACHED.get(compiled.language.partition("-")[0])
    if pattern is None or any(isinstance(each, content.Material) for each in blocks):
        return []
    for place, text in _passages(bulletin, looked, compiled):
        match = pattern.search(text)
        if match:
            return [
                items.warn(
                    "attached",
                    N_(
                        "It says “%(typed)s” in %(language)s, but there is no handout in it, "
                        "and nothing is attached to bulletins."
                    ),
                    place=place,
                    about=compiled.language,
                    typed=match[0],
                    language=compiled.language,
                )
            ]
    return []


def _passages(bulletin: Bulletin, looked: Looked, compiled: Compiled) -> list[tuple[Place, str]]:
    """The words of an edition, each with where they are written; addresses are no words."""
    edition = compiled.resolved.edition
    found = [
        (places.head(bulletin.id, field, edition.language), _words(getattr(edition, field)))
        for field in ("subject", "preheader", "title")
    ]
    for number, block in compiled.blocks:
        place = places.block(bulletin.id, looked, number)
        found += [(place, _words(text)) for text in places.texts(block)]
    return found


def _words(text: str) -> str:
    if re.match(r"(?:https?:|mailto:)\S*$", text):
        return ""
    return mergefields.without_fields(prose.plain(text) if "<" in text else text)
