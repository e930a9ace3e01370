"""Compiles an edition into a message plan: blocks → Jinja → MJML → HTML, and text beside it.

`campaigns` calls this before a campaign is approved and once more when it starts; what comes out
is frozen with the dispatch. Nothing that staff typed is ever evaluated as template code.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from foundation import errors, isolating
from foundation.frozen import frozen
from foundation.i18n import N_, Translator
from templates import (
    block_weaving,
    folding,
    headings,
    marks,
    plan,
    problems,
    prose,
    sheets,
    slots,
    text,
    typesetting,
    weaving,
)
from templates.content import Brand, Edition, Template

GMAIL_CLIPS_AT_BYTES = 102 * 1024
"""Gmail hides what comes after this much HTML, and the unsubscribe link with it."""
_SLOT_BYTES = 90
"""About what a slot's value takes; most are addresses with a token."""


@frozen
class Spoken:
    """An edition, who speaks its language, and how the site looks and what it says in it."""

    edition: Edition
    translator: Translator
    brand: Brand


def compile_edition(
    edition: Edition,
    brand: Brand,
    *,
    archive_url: str,
    translator: Translator,
    first_link: int = 1,
    folder: Path = typesetting.MAIL,
) -> plan.Plan:
    """The plan of one edition, in the edition's language.

    `archive_url` is where this bulletin will stand in the public archive. `translator` speaks the
    edition's language. Links are numbered from `first_link`, so that the editions of one campaign
    can have numbers of their own. Raises `MergeFieldProblem` and `ContentProblem` for what staff
    have to mend, `TemplateProblem` for a broken template.
    """
    return compile_stacked(
        [Spoken(edition=edition, translator=translator, brand=brand)],
        archive_url=archive_url,
        first_link=first_link,
        folder=folder,
    )


def compile_stacked(
    spoken: Sequence[Spoken],
    *,
    archive_url: str,
    first_link: int = 1,
    folder: Path = typesetting.MAIL,
) -> plan.Plan:
    """The plan of several editions under one another, for readers of all their languages.

    The subject is the first one's. Inboxes show the others' subjects behind it, before the first
    one's own preheader; a line above the first says what follows. Raises as `compile_edition`.
    """
    made = marks.Marks()
    weaver = weaving.Weaver(marks=made, statics={}, first_link=first_link)
    sheaf = [_sheets(each, archive_url, weaver) for each in spoken]
    layers = _layered(sheaf, _below(spoken[1:]))
    html = typesetting.typeset_stacked(
        [
            typesetting.Layer(
                template=_template(each.edition.template),
                language=frame.language,
                direction=frame.direction,
                values={"frame": frame, "page": page, "translator": each.translator},
                source=each.edition.own_template,
            )
            for each, (frame, page) in zip(spoken, layers, strict=True)
        ],
        folder=folder,
    )
    html = isolating.in_html(html)
    words = "\n\n".join(
        text.bulletin(frame, page, each.translator)
        for each, (frame, page) in zip(spoken, layers, strict=True)
    )
    first = spoken[0].edition
    compiled = plan.Plan(
        language=first.language,
        subject_segments=tuple(slots.shown(made.cut(sheaf[0].subject, marks.Part.SUBJECT), None)),
        text_segments=made.cut(words, marks.Part.TEXT),
        html_segments=made.cut(folding.fold(html, keep=made.pattern), marks.Part.HTML),
        links=tuple(weaver.links),
        conditions=tuple(weaver.conditions),
    )
    return replace(
        compiled, concerns=(*weaver.concerns, *_concerns(first, spoken[0].brand, compiled))
    )


@frozen
class _Sheets:
    """What one edition's templates are handed, and its subject."""

    subject: str
    frame: sheets.Frame
    page: sheets.Bulletin


def _layered(
    sheaf: Sequence[_Sheets], below: tuple[sheets.Below, ...]
) -> list[tuple[sheets.Frame, sheets.Bulletin]]:
    """The sheets as they stand under one another: one preheader for all, one image that counts."""
    first, *others = sheaf
    glimpse = filter(None, (*(each.subject for each in others), first.frame.preheader))
    return [
        (
            replace(first.frame, preheader=" · ".join(glimpse)),
            replace(first.page, below=below),
        ),
        *((replace(each.frame, preheader=""), replace(each.page, pixel="")) for each in others),
    ]


def _below(others: Sequence[Spoken]) -> tuple[sheets.Below, ...]:
    """What stands further down, said in the language that it is in."""
    return tuple(
        sheets.Below(
            language=each.edition.language,
            direction=each.edition.direction,
            words=each.translator.gettext(sheets.BELOW) % {"language": each.translator.name},
        )
        for each in others
    )


def _statics(edition: Edition, brand: Brand, archive_url: str) -> dict[str, str]:
    """What the merge fields stand for that are the same for everybody."""
    return {
        "archive_url": archive_url,
        "site.name": brand.site_name,
        "site.postal_address": brand.postal_address,
        "campaign.name": edition.campaign_name,
        "issue.title": edition.issue_title,
    }


def _template(name: str) -> str:
    try:
        return Template(name).value
    except ValueError as problem:
        raise errors.Invalid(
            N_("There is no mail template “%(name)s”. There are: %(valid)s."),
            name=name,
            valid=", ".join(each.value for each in Template),
        ) from problem


def _subject(edition: Edition, weaver: weaving.Weaver) -> str:
    where = problems.Where(msgid=N_("the subject"))
    subject = slots.clean(weaver.text(edition.subject, where))
    if not subject:
        raise problems.ContentProblem(N_("In %(place)s: there is nothing yet."), place=where)
    return subject


def _sheets(spoken: Spoken, archive_url: str, weaver: weaving.Weaver) -> _Sheets:
    edition, brand = spoken.edition, spoken.brand
    weaver.direction, weaver.language = edition.direction, edition.language
    weaver.site = brand.site_url if brand.language not in ("", edition.language) else ""
    weaver.statics = _statics(edition, brand, weaver.ours(archive_url))
    brand = replace(
        brand,
        site_name=weaver.apart(brand.site_name),
        postal_address=weaver.apart(brand.postal_address),
    )
    subject = _subject(edition, weaver)
    title = weaver.text(edition.title, problems.Where(msgid=N_("the title")))
    preheader = weaver.text(edition.preheader, problems.Where(msgid=N_("the preheader")))
    parts = block_weaving.weave(edition.blocks, weaver)
    frame = sheets.Frame(
        language=edition.language,
        direction=edition.direction,
        title=title or brand.site_name,
        preheader=preheader,
        brand=brand,
    )
    page = sheets.Bulletin(
        title=title,
        date_label=edition.date_label,
        issue_title=edition.issue_title,
        parts=headings.leveled(parts, top=1 if title else 0),
        footer=_footer(brand, weaver),
        unsubscribe_url=weaver.marks.make("unsubscribe_url"),
        preferences_url=weaver.marks.make("preferences_url"),
        view_url=weaver.marks.make("view_url"),
        pixel=weaver.marks.make("open_pixel_url", role=marks.Role.PIXEL),
    )
    return _Sheets(subject=subject, frame=frame, page=page)


def _footer(brand: Brand, weaver: weaving.Weaver) -> prose.Element | None:
    """What the site says at the foot; its links are counted after those of the blocks."""
    where = problems.Where(msgid=N_("the footer of the look"))
    return weaver.rich(brand.footer_html, where) if brand.footer_html.strip() else None


def _concerns(edition: Edition, brand: Brand, compiled: plan.Plan) -> list[problems.Concern]:
    found: list[problems.Concern] = []
    if not brand.postal_address.strip():
        found.append(
            problems.Concern(
                code="no-postal-address",
                msgid=N_("No postal address is set; the law wants one under every bulletin."),
            )
        )
    if not edition.preheader.strip():
        found.append(
            problems.Concern(
                code="no-preheader",
                msgid=N_(
                    "There is no preheader; inboxes will show the first words they find "
                    "behind the subject."
                ),
            )
        )
    if not edition.blocks:
        found.append(
            problems.Concern(code="no-blocks", msgid=N_("There is nothing under the title yet."))
        )
    size = _html_bytes(compiled)
    if size > GMAIL_CLIPS_AT_BYTES:
        found.append(
            problems.Concern(
                code="too-large",
                msgid=N_(
                    "The mail has %(size)s KB of HTML. Gmail hides what comes after 102 KB, "
                    "and the unsubscribe link with it."
                ),
                values={"size": round(size / 1024)},
            )
        )
    return found


def _html_bytes(compiled: plan.Plan) -> int:
    return sum(
        len(part.encode()) if isinstance(part, str) else _SLOT_BYTES
        for part in slots.shown(compiled.html_segments, compiled.everything)
    )
