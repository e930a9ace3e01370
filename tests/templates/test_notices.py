"""Every notice speaks both languages, holds its links, and can't be made to say something else."""

import email
import email.policy

import pytest

from templates import notices, problems
from templates.notices import Kind
from tests.templates import editions, letters_to_write


def written(kind: Kind, language: str = "en", **changes: str) -> notices.Rendered:
    return notices.render_notice(
        kind,
        translator=editions.CATALOG.translator(language),
        context=letters_to_write.context(kind, **changes),
        brand=editions.BRAND,
    )


def paragraphs(text: str) -> set[str]:
    return {" ".join(each.split()).removeprefix("> ") for each in text.split("\n\n")}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", list(Kind))
def test_notice_is_whole_in_each_language(kind: Kind, language: str) -> None:
    made = written(kind, language)
    document = editions.tree(made.html)
    first = editions.body_of(made.html)[0]
    assert (document.get("lang"), document.get("dir")) == (language, "ltr")
    assert (first.get("lang"), first.get("dir")) == (language, "ltr")
    context = letters_to_write.context(kind)
    hrefs = {a.get("href") for a in document.iter("a")}
    for key, value in context.items():
        assert not key.endswith("url") or (value in hrefs and value in made.text)
    assert "%(" not in made.subject + made.html + made.text
    assert editions.BRAND.postal_address in made.text
    assert len(made.html.encode()) < 30_000


@pytest.mark.parametrize("kind", list(Kind))
def test_spanish_notice_has_no_english_left(kind: Kind) -> None:
    english, spanish = written(kind, "en"), written(kind, "es")
    values = set(letters_to_write.context(kind).values())
    known = {line for value in values for line in value.splitlines()} | {
        editions.BRAND.site_name,
        f"{editions.BRAND.site_name} {editions.BRAND.postal_address}",
        "-" * 72,
    }
    assert (paragraphs(english.text) & paragraphs(spanish.text)) <= known
    assert english.subject != spanish.subject


@pytest.mark.parametrize("kind", list(Kind))
def test_body_is_what_the_parts_say(kind: Kind) -> None:
    made = written(kind, "es")
    head = f"MIME-Version: 1.0\r\nContent-Type: {made.content_type_header}\r\n\r\n"
    message = email.message_from_bytes(head.encode() + made.body, policy=email.policy.default)
    text, html = message.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == made.text
    assert html.get_content().replace("\r\n", "\n") == made.html


@pytest.mark.parametrize("kind", list(Kind))
def test_missing_and_unknown_keys_are_named(kind: Kind) -> None:
    translator = editions.CATALOG.translator("en")
    context = letters_to_write.context(kind)
    one = min(context)
    less = {key: value for key, value in context.items() if key != one}
    with pytest.raises(problems.NoticeProblem, match=f"needs {one}"):
        notices.render_notice(kind, translator=translator, context=less, brand=editions.BRAND)
    more = {**context, "surprise": "x"}
    with pytest.raises(problems.NoticeProblem, match="does not know surprise"):
        notices.render_notice(kind, translator=translator, context=more, brand=editions.BRAND)


def test_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(problems.NoticeProblem, match="confirm, welcome"):
        notices.render_notice(
            "hello", translator=editions.CATALOG.translator("en"), context={}, brand=editions.BRAND
        )


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", "https://a.example/ b", "/confirm/x"])
def test_what_is_no_address_can_not_be_a_notices_link(url: str) -> None:
    with pytest.raises(problems.NoticeProblem, match="confirm_url"):
        written(Kind.CONFIRM, confirm_url=url)


def test_values_can_not_bring_markup_headers_or_template_code() -> None:
    made = written(
        Kind.JOIN_CONFIRM, organisation="<b>Evil</b>\r\nBcc: x@example.org\r\n{{ 7*7 }} 100%"
    )
    assert made.subject.splitlines() == [made.subject]
    assert "<b>Evil" not in made.html
    assert "&lt;b&gt;Evil" in made.html
    assert "{{ 7*7 }} 100%" in made.html


def test_mail_to_an_unconfirmed_address_says_nothing_that_its_sender_typed() -> None:
    assert notices.keys(Kind.CONFIRM) == {"confirm_url", "topics"}


def test_blank_name_leaves_no_gap() -> None:
    assert "Welcome!" in written(Kind.WELCOME, first_name=" ").text
    assert "Hello,\n" in written(Kind.INVITE, name="").text


@pytest.mark.parametrize(
    ("minutes", "words"), [("1", "within 1 minute."), ("30", "within 30 minutes.")]
)
def test_minutes_are_counted_right(minutes: str, words: str) -> None:
    assert words in written(Kind.SIGNIN, minutes=minutes).text


def test_no_reason_leaves_no_empty_quotation() -> None:
    made = written(Kind.JOIN_DECLINED, reason="")
    assert "<blockquote" not in made.html
    assert "\n>" not in made.text
