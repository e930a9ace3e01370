"""How much two shares differ, and how sure that is: intervals for proportions. Pure.

Wilson's score interval (E. B. Wilson, “Probable inference, the law of succession, and statistical
inference”, Journal of the American Statistical Association 22, 1927, pp. 209–212) for one share;
for the difference of two, Newcombe's, which is made of it: method 10 of R. G. Newcombe, “Interval
estimation for the difference between independent proportions: comparison of eleven methods”,
Statistics in Medicine 17, 1998, pp. 873–890. Both hold for few people and for shares near nothing,
where the usual “plus or minus two standard errors” promises too much.
"""

import math
import statistics

from foundation.frozen import frozen

SURE = 0.95
"""Of a hundred such intervals, so many hold the true value."""
_Z = statistics.NormalDist().inv_cdf((1 + SURE) / 2)


@frozen
class Interval:
    """An estimate, and between what the true value lies."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether nothing, as a difference, can be ruled out."""
        return self.low > 0 or self.high < 0


def share(count: int, total: int) -> Interval:
    """How large a share is: `count` of `total`; of nobody, it may be anything."""
    if total == 0:
        return Interval(value=0.0, low=0.0, high=1.0)
    found = count / total
    spread = _Z * math.sqrt(found * (1 - found) / total + _Z**2 / (4 * total**2))
    middle = found + _Z**2 / (2 * total)
    scale = 1 + _Z**2 / total
    return Interval(
        value=found,
        low=max(0.0, (middle - spread) / scale),
        high=min(1.0, (middle + spread) / scale),
    )


def difference(first: Interval, second: Interval) -> Interval:
    """By how much the first share is larger than the second."""
    found = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(value=found, low=found - below, high=found + above)
