"""Which Handbill this is."""

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """The installed version, or that of the source tree."""
    try:
        return metadata.version("handbill")
    except metadata.PackageNotFoundError:
        return "0.1.0"
