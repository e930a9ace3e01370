"""The command line in a process that does not look by itself for senders that are gone.

What they left is settled only where somebody is told that they are. A worker's own look, every half
minute, would settle it all the same before a test has waited for too long.
"""

import math

from delivery import shift
from handbill import cli


def main() -> None:
    """As `handbill`."""
    shift._RECOVER_EVERY_S = math.inf
    cli.main()
