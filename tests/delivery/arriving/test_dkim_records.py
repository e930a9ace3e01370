"""Published keys against ours: each way in which a record can be wrong, and its colour."""

import base64
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from delivery import dkim, signing_keys
from delivery.arriving import dkim_records
from foundation.config import Settings
from foundation.findings import Finding, Tone
from foundation.sections import Mail
from tests.delivery.arriving import zones
from tests.delivery.arriving.zones import DOMAIN, asked, said, tones, txt


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of keys: a strong one of each kind, and a weak one."""
    folder = tmp_path_factory.mktemp("keys")
    found = {
        key.algorithm.partition("-")[0]: path for key, path in signing_keys.create(folder, "autumn")
    }
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - weak on purpose
    found["weak"] = folder / "weak.pem"
    found["weak"].write_bytes(
        weak.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return found


def signing(*files: Path) -> Settings:
    """Settings that sign with these keys, as s1, s2…"""
    named = [f"s{number}={path}" for number, path in enumerate(files, start=1)]
    return Settings(mail=Mail(from_address=f"news@{DOMAIN}", dkim_keys=named))


async def look(settings: Settings, *published: str) -> Sequence[Finding]:
    """What is said when these stand at the first selector, and the others are as they should be."""
    (first, _), *others = dkim.records(settings)
    zone = {(first, "TXT"): [zones.strings(each) for each in published]} if published else {}
    zone |= {(name, "TXT"): [zones.strings(record)] for name, record in others}
    async with asked(zone) as names:
        return await dkim_records.examine(names, settings)


async def test_a_published_key_is_green_however_its_record_is_written(
    keys: dict[str, Path],
) -> None:
    settings = signing(keys["rsa"], keys["ed25519"])
    record = dkim.records(settings)[0][1]
    public = record.partition("p=")[2]
    assert tones(await look(settings, record)) == [("dkim", Tone.GOOD)] * 2
    spaced = f"p={public[:100]} {public[100:]};h=sha1:sha256;s=email;t=s"
    assert tones(await look(settings, spaced)) == [("dkim", Tone.GOOD)] * 2


@pytest.mark.parametrize(
    ("change", "tone", "words"),
    [
        (lambda _: "", Tone.BAD, "is not at s1"),
        (lambda record: record.partition("p=")[0] + "p=", Tone.BAD, "revoked"),
        (lambda record: record.replace("p=M", "p=N"), Tone.BAD, "another key"),
        (lambda record: record.replace("k=rsa", "k=ed25519"), Tone.BAD, "another key"),
        (lambda record: f"{record}; t=y:s", Tone.WARN, "trial"),
        (lambda record: f"{record}; h=sha1", Tone.BAD, "“h=sha1”"),
        (lambda record: f"{record}; s=tlsrpt", Tone.BAD, "“s=tlsrpt”"),
        (lambda record: record.replace("v=DKIM1", "v=DKIM2"), Tone.BAD, "“v=DKIM2”"),
        (lambda _: "v=spf1 -all", Tone.BAD, "is not at s1"),
    ],
)
async def test_each_fault_of_a_record_has_its_colour(
    keys: dict[str, Path], change: object, tone: Tone, words: str
) -> None:
    settings = signing(keys["rsa"])
    name, record = dkim.records(settings)[0]
    assert callable(change)
    published = change(record)
    (finding,) = await look(settings, *filter(None, [published]))
    assert finding.tone is tone
    assert words in said([finding])
    assert finding.publish is not None
    assert (finding.publish.name, finding.publish.content) == (name, record)


async def test_two_records_at_one_selector_are_red(keys: dict[str, Path]) -> None:
    settings = signing(keys["rsa"])
    record = dkim.records(settings)[0][1]
    (finding,) = await look(settings, record, record.replace("p=M", "p=N"))
    assert finding.is_bad


async def test_a_short_key_and_one_that_few_can_check_are_amber(keys: dict[str, Path]) -> None:
    settings = signing(keys["weak"])
    (weak,) = await look(settings, dkim.records(settings)[0][1])
    assert weak.tone is Tone.WARN
    assert "1,024" in said([weak])
    settings = signing(keys["ed25519"])
    found = await look(settings, dkim.records(settings)[0][1])
    assert tones(found) == [("dkim", Tone.GOOD), ("dkim", Tone.WARN)]


async def test_where_we_do_not_sign_the_relays_key_is_nobodys_guess() -> None:
    async with asked({(DOMAIN, "TXT"): txt("v=spf1 -all")}) as names:
        found = await dkim_records.examine(names, signing())
    assert tones(found) == [("dkim", Tone.NEUTRAL)]
    assert f"d={DOMAIN}" in said(found)


def test_the_key_in_a_record_is_the_one_that_signs(keys: dict[str, Path]) -> None:
    (key,) = dkim.keys(signing(keys["ed25519"]))
    assert len(base64.b64decode(key.record.partition("p=")[2])) == 32
