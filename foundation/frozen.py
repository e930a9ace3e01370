"""Frozen dataclasses that share their methods, for the hundreds of them that a service has loaded.

The standard library writes, compiles and keeps six functions for each; most classes make no
instance in most processes, and few instances are ever compared. Here `__init__` is written when a
class makes its first instance, and the other methods are the same for all. What reads dataclasses
(`fields`, `replace`, `asdict`, `pickle`, `match`) reads these, too.
"""

import dataclasses
import functools
import operator
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError
from typing import Any, NoReturn, TypeVar, dataclass_transform

Kind = TypeVar("Kind", bound=type[Any])


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(dataclasses.field, Field)
)
def frozen(kind: Kind) -> Kind:
    """As `@dataclass(frozen=True, kw_only=True, slots=True)`: a value that has parts by name.

    What the class says of its own (`__eq__`, `__hash__`, `__repr__`) stays as it is.
    """
    own = vars(kind).keys()
    made: Any = dataclasses.dataclass(
        init=False, repr=False, eq=False, frozen=True, kw_only=True, slots=True
    )(kind)
    made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
    if "__init__" not in own:
        made.__init__ = _first_init(made)
    for name, method in _SHARED.items():
        if name not in own:
            setattr(made, name, method)
    return made  # type: ignore[no-any-return]


def _first_init(kind: Any) -> Callable[..., None]:
    """The `__init__` of a class that has not made an instance yet."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - what it is called
        kind.__init__ = written = _written_init(kind)
        written(self, *args, **kwargs)

    return __init__


def _written_init(kind: Any) -> Callable[..., None]:
    """A parameter for each part, but for those with `init=False`, then `__post_init__`."""
    names: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    by_place: list[str] = ["self"]
    by_name: list[str] = []
    lines = []
    for part in dataclasses.fields(kind):
        default, taken = f"_of_{part.name}", part.name
        value: str | None = part.name if part.init else None
        if part.default is not MISSING:
            names[default] = part.default
            taken += f"={default}"
            value = value or default
        elif part.default_factory is not MISSING:
            names[default] = part.default_factory
            taken += "=_missing"
            value = f"{default}() if {value} is _missing else {value}" if value else f"{default}()"
        if part.init:
            # Only a base that is another kind of dataclass takes some by their place.
            (by_name if part.kw_only else by_place).append(taken)
        if value:
            lines.append(f"    _set(self, {part.name!r}, {value})")
    if hasattr(kind, "__post_init__"):
        lines.append("    self.__post_init__()")
    head = ", ".join(by_place + ["*"] * bool(by_name) + by_name)
    written = "\n".join([f"def __init__({head}):", *lines, "    return"])
    exec(written, names)  # noqa: S102 - as dataclasses does; only names of parts are in it
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    return made


def _refuse_to_set(_self: Any, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = _compared(self.__class__)
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    return hash(_compared(self.__class__)(self))


def _repr(self: Any) -> str:
    shown = [part.name for part in dataclasses.fields(self) if part.repr]
    parts = [f"{name}={getattr(self, name)!r}" for name in shown]
    return f"{self.__class__.__qualname__}({', '.join(parts)})"


@functools.cache
def _compared(kind: type[Any]) -> Callable[[Any], object]:
    """Gives of an instance what counts when two are compared."""
    names = [part.name for part in dataclasses.fields(kind) if part.compare]
    return operator.attrgetter(*names) if names else lambda _: ()


_SHARED = {"__eq__": _eq, "__hash__": _hash, "__repr__": _repr}
