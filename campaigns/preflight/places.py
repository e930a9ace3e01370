"""Where in the staff room something can be mended."""

import dataclasses
from collections.abc import Iterator

from campaigns.compiling import Compiled, Looked
from campaigns.findings import Finding
from campaigns.models import Campaign, Material
from campaigns.preflight.items import Place, Where


def block(bulletin_id: int, looked: Looked, number: int) -> Place:
    """A block's form; the bulletin where there is no such block."""
    blocks = looked.document.blocks
    if not 0 < number <= len(blocks):
        return bulletin(bulletin_id)
    path = f"/staff/bulletins/{bulletin_id}/blocks/{blocks[number - 1].id}"
    return Place(where=Where.BLOCK, path=path, name=str(number))


def head(bulletin_id: int, field: str = "subject", language: str = "") -> Place:
    """What stands outside the blocks, at one field of an edition."""
    anchor = f"#f-{field}-{language}" if language else ""
    return Place(where=Where.HEAD, path=f"/staff/bulletins/{bulletin_id}/head{anchor}")


def bulletin(bulletin_id: int) -> Place:
    """The bulletin as a whole."""
    return Place(where=Where.BULLETIN, path=f"/staff/bulletins/{bulletin_id}")


def audience(campaign: Campaign) -> Place:
    """The audience form."""
    return Place(where=Where.AUDIENCE, path=f"/staff/campaigns/{campaign.id}/edit#f-topics")


def sender(campaign: Campaign) -> Place:
    """Sender and relay, in the same form."""
    return Place(where=Where.SENDER, path=f"/staff/campaigns/{campaign.id}/edit#f-relay")


def campaign(campaign_id: int) -> Place:
    """Another campaign."""
    return Place(where=Where.CAMPAIGN, path=f"/staff/campaigns/{campaign_id}")


def handout(material: Material) -> Place:
    """A handout's page, where its files are put."""
    path = f"/staff/issues/{material.issue_id}/materials/{material.id}#files-title"
    return Place(where=Where.HANDOUT, path=path)


def setting(section: str, key: str) -> Place:
    """A setting, where the staff room explains all of them."""
    path = f"/staff/settings#{section}-{key}"
    return Place(where=Where.SETTING, path=path, name=f"[{section}] {key}")


_HEAD_CODES = {"no-subject": "subject", "no-preheader": "preheader", "missing-edition": "subject"}


def of_finding(bulletin_id: int, looked: Looked, finding: Finding) -> Place:
    """Where what the bulletin's own check found can be mended."""
    if finding.path:
        return Place(where=Where.TRANSLATION, path=finding.path)
    if finding.block:
        return block(bulletin_id, looked, finding.block)
    if finding.code in _HEAD_CODES:
        return head(bulletin_id, _HEAD_CODES[finding.code], finding.language)
    return bulletin(bulletin_id)


def holding(bulletin_id: int, looked: Looked, compiled: Compiled, words: str) -> Place:
    """The first place of an edition that holds some words, such as an address or a field's name."""
    edition = compiled.resolved.edition
    for field in ("subject", "preheader", "title"):
        if words in getattr(edition, field):
            return head(bulletin_id, field, edition.language)
    for number, each in compiled.blocks:
        if any(words in text for text in texts(each)):
            return block(bulletin_id, looked, number)
    return bulletin(bulletin_id)


def texts(part: object) -> Iterator[str]:
    """Every text of a block, those of what is in it too."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from texts(each)
    elif dataclasses.is_dataclass(part):
        for field in dataclasses.fields(part):
            if field.name not in ("shown_to", "zip_codes"):
                yield from texts(getattr(part, field.name))
