"""Values that have parts by name behave as frozen dataclasses do, and share their methods."""

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from foundation.frozen import frozen


@frozen
class Stamp:
    """What it says on a letter."""

    country: str
    cents: int = 95
    marks: list[str] = field(default_factory=list)


@frozen
class Special(Stamp):
    """Another default, and one part more."""

    cents: int = 120
    motif: str


@frozen
class Weighed:
    """Makes some of its parts itself; one of them neither shows nor counts."""

    grams: int
    unit: str = field(init=False, default="g", repr=False)
    notes: list[str] = field(init=False, compare=False, repr=False, default_factory=list)
    is_heavy: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.grams < 0:
            raise ValueError("nothing weighs less than nothing")
        object.__setattr__(self, "is_heavy", self.grams > 500)


@dataclass(frozen=True, slots=True)
class Place:
    """A dataclass of the standard library."""

    town: str


@frozen
class Address(Place):
    """Takes the part of its base by its place."""

    street: str


@frozen
class Nothing:
    """Has no parts."""


@frozen
class Loose:
    """Has its own mind about who is equal."""

    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loose) and self.name.lower() == other.name.lower()

    def __hash__(self) -> int:
        return hash(self.name.lower())

    def __repr__(self) -> str:
        return f"<{self.name}>"


def test_parts_have_the_values_that_were_given_and_defaults_otherwise() -> None:
    first, second = Stamp(country="us"), Stamp(country="mx", cents=20, marks=["torn"])
    assert (first.country, first.cents, first.marks) == ("us", 95, [])
    assert (second.country, second.cents, second.marks) == ("mx", 20, ["torn"])
    assert Stamp(country="us").marks is not first.marks
    assert Nothing() == Nothing()


def test_a_class_may_have_the_parts_of_another_before_either_made_an_instance() -> None:
    @frozen
    class Base:
        name: str

    @frozen
    class Wider(Base):
        size: int

    assert (Wider(name="a", size=2).name, Wider(name="b", size=3).size) == ("a", 3)
    assert Base(name="c").name == "c"
    assert Special(country="us", motif="bird").cents == 120
    assert Address("Boston", street="Main").town == "Boston"


@pytest.mark.parametrize("given", [{}, {"country": "us", "colour": "red"}])
def test_what_is_missing_or_unknown_is_refused_the_first_time_and_later(
    given: dict[str, str],
) -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match=r"Stamp\.__init__\(\)"):
            Stamp(**given)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Stamp("us")  # type: ignore[call-arg]


def test_what_a_class_does_after_its_parts_have_values_is_done() -> None:
    assert Weighed(grams=900).is_heavy
    assert (Weighed(grams=900).unit, Weighed(grams=900).notes) == ("g", [])
    assert not Weighed(grams=20).is_heavy
    assert repr(Weighed(grams=20)) == "Weighed(grams=20)"
    with pytest.raises(ValueError, match="nothing"):
        Weighed(grams=-1)


def test_no_part_can_be_set_or_deleted_and_there_is_no_room_for_others() -> None:
    stamp = Special(country="us", motif="bird")
    for name in ("country", "motif", "colour"):
        with pytest.raises(FrozenInstanceError):
            setattr(stamp, name, "x")
    with pytest.raises(FrozenInstanceError):
        del stamp.cents
    assert not hasattr(stamp, "__dict__")


def test_two_are_equal_where_their_kind_and_all_that_counts_of_them_are() -> None:
    assert Stamp(country="us") == Stamp(country="us", cents=95)
    assert Stamp(country="us") != Stamp(country="us", cents=96)
    assert Stamp(country="us") != Special(country="us", cents=95, motif="")
    assert Stamp(country="us") != object()
    assert {Weighed(grams=1), Weighed(grams=1), Weighed(grams=2)} == {
        Weighed(grams=2),
        Weighed(grams=1),
    }
    with pytest.raises(TypeError, match="unhashable"):
        hash(Stamp(country="us"))


def test_what_a_class_says_of_its_own_stays() -> None:
    assert Loose(name="Ana") == Loose(name="ANA")
    assert hash(Loose(name="Ana")) == hash(Loose(name="ANA"))
    assert repr(Loose(name="Ana")) == "<Ana>"


def test_what_reads_dataclasses_reads_them() -> None:
    stamp = Stamp(country="us", marks=["torn"])
    assert [part.name for part in dataclasses.fields(stamp)] == ["country", "cents", "marks"]
    assert dataclasses.asdict(stamp) == {"country": "us", "cents": 95, "marks": ["torn"]}
    assert dataclasses.replace(stamp, cents=1) == Stamp(country="us", cents=1, marks=["torn"])
    assert pickle.loads(pickle.dumps(stamp)) == stamp  # noqa: S301 - our own
    assert copy.deepcopy(stamp) == stamp
    assert repr(stamp) == "Stamp(country='us', cents=95, marks=['torn'])"


def test_classes_share_all_methods_but_the_one_that_makes_them() -> None:
    for name in ("__eq__", "__hash__", "__repr__", "__setattr__", "__delattr__"):
        assert getattr(Stamp, name) is getattr(Weighed, name)
