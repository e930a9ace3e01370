import json
import re
from pathlib import Path

import pytest

from campaigns import block_models, documents
from foundation import errors

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "bulletin-documents.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(?:toml|json)\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_guide_is_read(example: str) -> None:
    document = documents.parse(example)
    assert document.blocks or document.editions


def test_the_guide_describes_every_kind_of_block_and_every_key() -> None:
    described = re.findall(r"^### (\w+)$", GUIDE, re.MULTILINE)
    assert sorted(described) == sorted(block_models.KINDS)
    models: list[type[block_models.Piece]] = [documents.Document, documents.Edition]
    for model in [*models, *block_models.KINDS.values()]:
        for key in model.model_fields:
            assert re.search(rf"`?\b{key}\b`?", GUIDE), f"{model.__name__}.{key}"


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_written_out_is_read_back_the_same(example: str) -> None:
    document = documents.parse(example)
    assert documents.parse(documents.dump(document)) == document
    assert documents.parse(documents.as_json(document)) == document


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('name = "x"\ncolour = 1', "colour", "there is no key “colour”"),
        ('name = "x"\n[editions.en]\nsubjct = "a"', "editions.en.subjct", "Allowed: preheader"),
        (
            (
                'name="x"\n[[blocks]]\nkind="divider"\n[[blocks]]\nkind="rich_text"\n'
                '[blocks.texts.es]\nhtm="x"'
            ),
            "blocks[2].texts.es.htm",
            "Allowed: html",
        ),
        ('name = "x"\n[[blocks]]\nkind = "movie"', "blocks[1].kind", "one of: heading"),
        ('name = "x"\n[[blocks]]\ntext = "?"', "blocks[1].kind", "one of: heading"),
        ("issue = 'a'", "name", "missing"),
        ('name = "x"\nissue = "Not A Slug"', "issue", "small letters"),
        ('name = "x"\n[editions.en]\nsubject = "a\\nb"', "editions.en.subject", "line breaks"),
        ('name="x"\n[[blocks]]\nkind="event"\nzone="Mars/Base"', "blocks[1].zone", "time zone"),
        (
            'name="x"\n[[blocks]]\nkind="divider"\nonly_to={town=["a"]}',
            "blocks[1].only_to.town",
            "Allowed: members, postal_codes, towns",
        ),
        (
            'name="x"\n[[blocks]]\nkind="divider"\nonly_to={}',
            "blocks[1].only_to",
            "name towns, postal_codes or members",
        ),
        (
            'name="x"\n[[blocks]]\nkind="divider"\nonly_to={members=true}\nall_but={members=true}',
            "blocks[1]",
            "choose one of only_to and all_but",
        ),
        (
            'name="x"\n[[blocks]]\nkind="divider"\nonly_to={fields=["visa"]}',
            "blocks[1].only_to.fields",
            "there is no key",
        ),
        (
            'name="x"\n[[blocks]]\nkind="developments"\nsince=2026-10-01\nsince_days=3',
            "blocks[1]",
            "choose one of",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, place: str, words: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        documents.parse(text, name="october.toml")
    assert place in caught.value.fields
    assert words in str(caught.value.fields[place])
    assert "october.toml" in str(caught.value)


@pytest.mark.parametrize("text", ["name = ", '{"name": ', "[1, 2]", '{"a"', "\x00"])
def test_what_is_neither_toml_nor_json_is_refused_with_a_clear_word(text: str) -> None:
    with pytest.raises(errors.Invalid):
        documents.parse(text)


def test_blocks_without_a_name_get_one_and_keep_it() -> None:
    blocks = [{"kind": "divider"}, {"kind": "divider", "id": "mine"}, {"kind": "divider"}]
    document = documents.parse({"name": "x", "blocks": blocks})
    ids = [block.id for block in document.blocks]
    assert ids[1] == "mine"
    assert len(set(ids)) == 3
    again = documents.parse(json.loads(documents.as_json(document)))
    assert [block.id for block in again.blocks] == ids


def test_two_blocks_of_one_name_are_told_apart() -> None:
    blocks = [{"kind": "divider", "id": "same"}, {"kind": "divider", "id": "same"}]
    document = documents.parse({"name": "x", "blocks": blocks})
    assert document.blocks[0].id == "same" != document.blocks[1].id
