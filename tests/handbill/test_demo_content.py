"""The sample content is whole in both languages, dated, sourced, and in our own words."""

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from campaigns import documents
from handbill.demo import content, handouts
from handbill.demo.content import Content

TODAY = date(2026, 11, 24)
SHINGLE = 8
# Hashes of every run of eight words of the page that the facts were taken from.
FOREIGN = Path(__file__).with_name("reference_shingles.txt")


@pytest.fixture(scope="module")
def sample() -> Content:
    """The content as it looks on a fixed day."""
    return content.load(TODAY)


def shingles(text: str) -> Iterator[str]:
    """A short hash of every run of eight words, without markup and punctuation."""
    words = re.findall(r"\w+", re.sub(r"<[^>]+>", " ", text).lower())
    for start in range(len(words) - SHINGLE + 1):
        run = " ".join(words[start : start + SHINGLE])
        yield hashlib.sha256(run.encode()).hexdigest()[:16]


def editions(value: object) -> Iterator[tuple[object, object]]:
    """Every pair of texts by language in a bulletin document."""
    if isinstance(value, dict):
        if "en" in value or "es" in value:
            yield value.get("en"), value.get("es")
        for entry in value.values():
            yield from editions(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from editions(entry)


def test_no_text_is_blank(sample: Content) -> None:
    optional = ("key", "url", "reason", "partner", "place", "dropped_because")
    blank = [
        path
        for path, text in content.texts(sample)
        if not text.strip() and path.rpartition(".")[2] not in optional
    ]
    assert blank == []


def test_every_block_of_every_bulletin_is_in_both_languages(sample: Content) -> None:
    for document in sample.bulletins.values():
        assert document["editions"].keys() == {"en", "es"}
        for english, spanish in editions(document):
            assert isinstance(english, dict)
            assert isinstance(spanish, dict)
            assert english.keys() == spanish.keys()


def test_spanish_texts_are_not_the_english_ones(sample: Content) -> None:
    for question in sample.issue.questions:
        assert question.texts["en"]["body"] != question.texts["es"]["body"]
    for development in sample.developments:
        assert development.texts["en"]["headline"] != development.texts["es"]["headline"]


def test_there_are_ten_developments_or_more_in_order_and_none_in_the_future(
    sample: Content,
) -> None:
    dates = [development.date for development in sample.developments]
    assert len(dates) >= 10
    assert dates == sorted(dates)
    assert dates[-1] <= TODAY
    assert len({development.key for development in sample.developments}) == len(dates)
    assert all(development.place for development in sample.developments)


def test_every_source_is_named_and_secure(sample: Content) -> None:
    sources = [(entry.source_name, entry.source_url) for entry in sample.developments]
    sources += [(figure.source_name, figure.source_url) for figure in sample.issue.figures]
    for name, url in sources:
        assert name
        assert url.startswith("https://")
    for part in (*sample.issue.programs, *sample.issue.links):
        assert part.url == "" or part.url.startswith(("https://", "mailto:"))


def test_figures_are_those_of_the_nation_and_of_boston(sample: Content) -> None:
    found = {(figure.place, figure.value) for figure in sample.issue.figures}
    assert found == {("nation", "47%"), ("nation", "28%"), ("boston", "53%")}


def test_events_lie_ahead(sample: Content) -> None:
    blocks = [block for document in sample.bulletins.values() for block in document["blocks"]]
    events = [block for block in blocks if block["kind"] == "event"]
    assert events
    for event in events:
        assert TODAY.isoformat() < event["starts_at"] < event["ends_at"]
        assert event["zone"] == "America/New_York"


def test_bulletins_are_documents_without_a_mistake(sample: Content) -> None:
    for name, document in sample.bulletins.items():
        parsed = documents.parse(document, name=name)
        assert parsed.languages == ["en", "es"]


def test_bulletins_name_only_what_is_there(sample: Content) -> None:
    keys = {development.key for development in sample.developments}
    keys |= {figure.key for figure in sample.issue.figures}
    slugs = {material.slug for material in sample.materials}
    topics = {topic.slug for topic in sample.coalition.topics}
    for document in sample.bulletins.values():
        assert document["issue"] == sample.issue.slug
        assert set(document["audience"]["topics"]) <= topics
        for block in document["blocks"]:
            assert set(block.get("keys", ())) <= keys
            assert block["kind"] != "material" or block["material"] in slugs
    for form in sample.coalition.forms:
        assert set(form.topics) <= topics


def test_people_and_organizations_have_addresses_kept_for_examples(sample: Content) -> None:
    assert all(domain.startswith("example.") for domain in sample.people.domains)
    for member in sample.coalition.members:
        assert member.contact_email.endswith(".example")
        assert member.website.endswith(".example")


def test_words_are_our_own(sample: Content) -> None:
    foreign = set(FOREIGN.read_text(encoding="ascii").split())
    copied = [
        path
        for path, text in content.texts(sample)
        if any(shingle in foreign for shingle in shingles(text))
    ]
    assert copied == []


@pytest.mark.parametrize("language", content.LANGUAGES)
def test_each_handout_fits_on_one_page(sample: Content, language: str) -> None:
    for material in sample.materials:
        made = handouts.pdf(sample, material, language)
        assert made.startswith(b"%PDF-")


def test_the_picture_is_a_png_of_twice_the_width_of_a_mail(sample: Content) -> None:
    made = handouts.picture(sample)
    assert made.startswith(b"\x89PNG")
    assert int.from_bytes(made[16:20], "big") == 1200
