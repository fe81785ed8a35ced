"""How a total is split into instalments: pure arithmetic, to the minor unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

# An amount in minor units, a percentage of the total, or None: an equal part of what is left.
Share = int | Decimal | None

# Of one invoice: five years by the month.
MOST_INSTALMENTS = 60


def shared_out(total_minor: int, shares: Sequence[Share]) -> list[int]:
    """The amounts of the shares, in minor units.

    A percentage is rounded half up; the shares of what is left get equal parts, the first ones a
    minor unit more. Percentages that make 100 make the total: the last takes what rounding leaves.
    Else the amounts come to what they come to, and `total_minor` less their sum is the caller's to
    refuse.
    """
    amounts = [_amount(total_minor, share) for share in shares]
    equal = [place for place, share in enumerate(shares) if share is None]
    left = total_minor - sum(amounts)
    for place, minor in zip(equal, equal_parts(left, len(equal)), strict=True):
        amounts[place] = minor
    percents = [share for share in shares if isinstance(share, Decimal)]
    if percents and len(percents) == len(shares) and sum(percents) == 100:
        amounts[-1] += left
    return amounts


def _amount(total_minor: int, share: Share) -> int:
    if share is None:
        return 0
    if isinstance(share, int):
        return share
    return int((total_minor * share / 100).to_integral_value(ROUND_HALF_UP))


def equal_parts(total_minor: int, n: int) -> list[int]:
    """`n` parts of the total that differ by one minor unit at most, the larger ones first."""
    if not n:
        return []
    part, rest = divmod(total_minor, n)
    return [part + (place < rest) for place in range(n)]


def by_day(dues: Iterable[tuple[date, int]]) -> list[tuple[date, int]]:
    """In the order of their days, one for each; those of nothing are left out."""
    found: dict[date, int] = {}
    for day, minor in dues:
        found[day] = found.get(day, 0) + minor
    return [(day, minor) for day, minor in sorted(found.items()) if minor]
