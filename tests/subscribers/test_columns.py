import zipfile
from pathlib import Path

import pytest

from foundation import errors
from subscribers import columns
from subscribers.columns import Entry, Refusal, Status


def read(path: Path, **mapping: str) -> list[Entry | Refusal]:
    return list(columns.Reader(path, mapping=mapping).rows())


def write(folder: Path, text: str, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def only(rows: list[Entry | Refusal]) -> Entry:
    assert len(rows) == 1
    assert isinstance(rows[0], Entry)
    return rows[0]


def test_mailchimp_columns_are_understood_in_any_case(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "EMAIL ADDRESS,first name,Last Name,CONFIRM_TIME,TAGS\n"
        'Ana@Example.org,Ana,Peña,2024-05-01 10:00:00,"""Volunteer"",""North, Shore"""\n',
    )
    entry = only(read(path))
    assert entry.address.email == "Ana@example.org"
    assert (entry.first_name, entry.last_name) == ("Ana", "Peña")
    assert entry.tags == ["North, Shore", "Volunteer"]
    assert entry.agreed_at == "2024-05-01 10:00:00"


def test_mailchimp_zip_tells_who_had_left_and_gives_them_first(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("subscribed_members_1.csv", "Email Address\nana@example.org\n")
        bundle.writestr("unsubscribed_members_1.csv", "Email Address\nben@example.org\n")
        bundle.writestr("cleaned_members_1.csv", "Email Address\ncal@example.org\n")
        bundle.writestr("nonsubscribed_members_1.csv", "Email Address\ndee@example.org\n")
        bundle.writestr("__MACOSX/subscribed.csv", "junk")
    found = [(row.address.email, row.status) for row in read(path) if isinstance(row, Entry)]
    assert found[:2] == [("ben@example.org", Status.LEFT), ("cal@example.org", Status.LEFT)]
    assert set(found[2:]) == {
        ("ana@example.org", Status.SUBSCRIBED),
        ("dee@example.org", Status.NEVER),
    }


def test_action_network_columns_and_statuses_are_understood(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "email,first_name,zip_code,can2_user_tags,can2_subscription_status\n"
        'ana@example.org,Ana,02139,"vigil,phone bank",subscribed\n'
        "ben@example.org,Ben,02140,,spam complaint\n"
        "cal@example.org,Cal,02141,,bouncing\n",
    )
    ana, ben, cal = [row for row in read(path) if isinstance(row, Entry)]
    assert (ana.postal_code, ana.tags, ana.status) == (
        "02139",
        ["phone bank", "vigil"],
        Status.SUBSCRIBED,
    )
    assert ben.status is cal.status is Status.LEFT


def test_listmonk_columns_bring_attributes_along(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        '1,ana@example.org,Ana María Peña,"{""ward"": 7, ""vip"": true}",enabled,x,x\n'
        "2,ben@example.org,Ben,{},blocklisted,x,x\n",
    )
    ana, ben = [row for row in read(path) if isinstance(row, Entry)]
    assert (ana.first_name, ana.last_name) == ("Ana", "María Peña")
    assert ana.fields == {"ward": "7"}
    assert ben.status is Status.LEFT


def test_columns_of_other_names_are_mapped(tmp_path: Path) -> None:
    path = write(tmp_path, "Contact;Código Postal;Ward\nana@example.org;02139;7\n")
    entry = only(read(path, Contact="email", Ward="fields.ward"))
    assert (entry.address.email, entry.postal_code) == ("ana@example.org", "02139")
    assert entry.fields == {"ward": "7"}


@pytest.mark.parametrize(
    ("text", "mapping", "word"),
    [
        ("name\nAna\n", {}, "--map"),
        ("", {}, "--map"),
        ("email\nana@example.org\n", {"mail": "email"}, "mail"),
        ("email\nana@example.org\n", {"email": "shoe_size"}, "shoe_size"),
    ],
)
def test_file_that_can_not_be_read_says_how_to_mend_it(
    tmp_path: Path, text: str, mapping: dict[str, str], word: str
) -> None:
    with pytest.raises(errors.Invalid, match=word):
        read(write(tmp_path, text), **mapping)


def test_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("email,name\nana@example.org,Peña\n".encode("latin-1"))
    with pytest.raises(errors.Invalid, match="UTF-8"):
        read(path)


def test_wrong_rows_are_refused_one_by_one_with_their_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "email,first_name,status\n"
        "not an address,,\n"
        "ana@example.org,Ana,subscribed\n"
        f"ben@example.org,{'x' * 300},\n"
        "cal@example.org,Cal,sideways\n",
    )
    rows = read(path)
    refused = [row for row in rows if isinstance(row, Refusal)]
    assert [row.place.line for row in refused] == [2, 4, 5]
    assert len(rows) == 4


def test_line_breaks_in_a_name_become_spaces(tmp_path: Path) -> None:
    path = write(tmp_path, 'email,first_name\nana@example.org,"Ana\r\nBcc: all@example.org"\n')
    assert only(read(path)).first_name == "Ana Bcc: all@example.org"


def test_share_of_the_file_read_grows_to_one(tmp_path: Path) -> None:
    path = write(tmp_path, "email\n" + "".join(f"p{n}@example.org\n" for n in range(3000)))
    reader = columns.Reader(path, mapping={})
    rows = reader.rows()
    next(rows)
    early = reader.share
    assert sum(1 for _ in rows) == 2999
    assert early < reader.share == 1.0
