"""Who sees a section: places as people write them, members, and everybody but those."""

from dataclasses import dataclass

import pytest

from templates import conditions
from templates.conditions import Condition


@dataclass(frozen=True)
class Person:
    """What can be asked about somebody."""

    town: str = ""
    postal_code: str = ""
    is_member: bool = False


def holds(condition: Condition, person: Person) -> bool:
    (answer,) = conditions.compiled([condition])(person)
    return answer


@pytest.mark.parametrize("town", ["Worcester", "worcester", " WORCESTER ", "Worcester\n"])
def test_a_town_is_known_however_it_is_written(town: str) -> None:
    assert holds(Condition(towns=("Boston", "Worcester")), Person(town=town))


def test_a_town_is_the_same_in_either_form_of_its_letters() -> None:
    assert holds(Condition(towns=("Córdoba",)), Person(town="CO\u0301RDOBA"))
    assert holds(Condition(towns=("San  Juan",)), Person(town="san juan"))


@pytest.mark.parametrize("town", ["", "West Worcester", "Worcester County", "Boston"])
def test_another_town_is_another(town: str) -> None:
    assert not holds(Condition(towns=("Worcester",)), Person(town=town))


@pytest.mark.parametrize("code", ["01609", "01609-1234", "016", " 01610 "])
def test_a_postal_code_stands_for_all_that_begin_with_it(code: str) -> None:
    assert holds(Condition(postal_codes=("016",)), Person(postal_code=code))


def test_blanks_hyphens_and_small_letters_in_a_postal_code_do_not_matter() -> None:
    assert holds(Condition(postal_codes=("k1a 0b",)), Person(postal_code="K1A0B1"))
    assert holds(Condition(postal_codes=("01609-12",)), Person(postal_code="016091234"))


@pytest.mark.parametrize("code", ["", "01", "02016", "1609"])
def test_another_postal_code_is_another(code: str) -> None:
    assert not holds(Condition(postal_codes=("016",)), Person(postal_code=code))


def test_one_of_the_things_named_is_enough() -> None:
    condition = Condition(towns=("Worcester",), postal_codes=("021",), members=True)
    assert holds(condition, Person(town="Worcester"))
    assert holds(condition, Person(postal_code="02134"))
    assert holds(condition, Person(is_member=True))
    assert not holds(condition, Person(town="Lowell", postal_code="01850"))


def test_members_alone_are_meant_only_where_they_are_named() -> None:
    assert not holds(Condition(towns=("Worcester",)), Person(is_member=True))


def test_reversed_is_everybody_else_also_those_of_whom_nothing_is_known() -> None:
    condition = Condition(towns=("Worcester",), members=True, is_reversed=True)
    assert holds(condition, Person())
    assert holds(condition, Person(town="Boston"))
    assert not holds(condition, Person(town="worcester"))
    assert not holds(condition, Person(town="Boston", is_member=True))


def test_answers_stand_in_the_order_of_the_conditions() -> None:
    ask = conditions.compiled([Condition(members=True), Condition(towns=("Lynn",))])
    assert ask(Person(town="Lynn")) == (False, True)
    assert ask(Person(is_member=True)) == (True, False)


def test_without_conditions_nothing_is_asked() -> None:
    assert conditions.compiled([])(Person(town="Lynn")) == ()


AROUND = Condition(zip_codes="016010160801609")


@pytest.mark.parametrize("code", ["01608", "01609-1234", " 016091234", "01601"])
def test_whoever_has_one_of_many_zip_codes_is_near(code: str) -> None:
    assert holds(AROUND, Person(postal_code=code))
    assert not holds(
        Condition(zip_codes=AROUND.zip_codes, is_reversed=True), Person(postal_code=code)
    )


@pytest.mark.parametrize(
    "code", ["", "016", "0160", "02134", "01608-9", "016081", "K1A0B1", "１６０１"]
)
def test_without_one_of_them_nobody_is_near(code: str) -> None:
    assert not holds(AROUND, Person(postal_code=code))
    assert holds(Condition(zip_codes=AROUND.zip_codes, is_reversed=True), Person(postal_code=code))


@pytest.mark.parametrize("is_reversed", [False, True])
def test_what_has_to_hold_as_well_has_to_hold_either_way(is_reversed: bool) -> None:
    rule = Condition(
        zip_codes=AROUND.zip_codes, is_reversed=is_reversed, also=Condition(members=True)
    )
    assert rule.asks_membership
    code = "02134" if is_reversed else "01608"
    assert holds(rule, Person(postal_code=code, is_member=True))
    assert not holds(rule, Person(postal_code=code))
