"""Prints every US ZIP code with its place: code, latitude, longitude, towns and state, one a line.

A program of its own, which `campaigns/zips.py` runs once: the package that holds the table keeps
50 MB of it for as long as its process lives, and what is printed here is 2 MB.
"""

import sys

_COUNTRY = "US"


def lines() -> list[str]:
    """The table; what has no place, such as military post offices, is not in it."""
    import zipcodes

    return [
        "\t".join(
            (
                each["zip_code"],
                each["lat"],
                each["long"],
                each["state"],
                each["city"],
                *each["acceptable_cities"],
            )
        )
        for each in zipcodes.list_all()
        if each["country"] == _COUNTRY and each["lat"] and float(each["lat"])
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()))
