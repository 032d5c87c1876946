"""One figure from the prices a card's file lists: what it usually rents for, and what it costs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import median

from planner.spec.card import Card, Price
from planner.spec.plan import RentLevel

FRESH_MONTHS = 12
"""Rents this much older than the newest one no longer count."""

_DATE = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?!\d))?")


@dataclass(frozen=True, slots=True)
class Rents:
    """What a card rents for at one time, USD an hour."""

    low: float
    typical: float
    """Median of the midpoints of the offers."""
    high: float
    since: str
    """Date of the oldest offer counted, as its source has it."""
    until: str
    """Of the newest."""
    offers: int


def rents(card: Card, date: str = "") -> Rents | None:
    """What a card rents for; None where no source says.

    Only verified offers count. What an owner pays ("owner TCO") is no rent.

    Args:
        card: the card.
        date: a year or month whose offers count; empty: those no older than a year before the newest.
    """
    known = [p for p in card.rental_usd_per_hour if p.verified and "owner TCO" not in p.basis]
    if date:
        start, end = _first_month(date), month_of(date)
        counted = [p for p in known if _first_month(p.date) <= end and month_of(p.date) >= start]
    else:
        newest = max((month_of(p.date) for p in known), default=0)
        counted = [p for p in known if month_of(p.date) >= newest - FRESH_MONTHS]
    if not counted:
        return None
    return Rents(
        low=min(p.low for p in counted),
        typical=round(median(_midpoint(p) for p in counted), 4),
        high=max(p.high for p in counted),
        since=min((p.date for p in counted), key=_first_month),
        until=max((p.date for p in counted), key=month_of),
        offers=len(counted),
    )


def rents_by_year(card: Card) -> dict[str, Rents]:
    """What a card rented for in each year there are offers of."""
    dates = [p.date for p in card.rental_usd_per_hour if month_of(p.date)]
    years = {year for date in dates for year in range((_first_month(date) - 1) // 12, (month_of(date) - 1) // 12 + 1)}
    found = {str(year): rents(card, str(year)) for year in sorted(years)}
    return {year: each for year, each in found.items() if each}


def rent_of(card: Card, level: RentLevel = "typical", date: str = "") -> float:
    """One rent of a card, USD an hour; 0 where no source says.

    Args:
        card: the card.
        level: which of the offers of that time.
        date: as `rents` takes it.
    """
    found = rents(card, date)
    return float(getattr(found, level)) if found else 0.0


def newest_price(card: Card) -> float:
    """What one card costs, USD; 0 where no source says.

    The midpoint of the newest verified price; the median where several are as new. Prices of whole clusters
    ("all-in") are no card prices.
    """
    prices = [p for p in card.price_usd if p.verified and "all-in" not in p.basis]
    newest = max((month_of(p.date) for p in prices), default=0)
    latest = [_midpoint(p) for p in prices if month_of(p.date) == newest]
    return round(median(latest), 2) if latest else 0.0


def month_of(date: str) -> int:
    """The last month a date or range of dates reaches, counted from year 0; a year alone reaches its December.

    >>> month_of("2025-03") - month_of("2024-07..2025-02")
    1
    >>> month_of("2022..2025") == month_of("2025-12")
    True
    """
    found = _DATE.findall(date)
    if not found:
        return 0
    year, month = found[-1]
    return int(year) * 12 + int(month or 12)


def _first_month(date: str) -> int:
    """The first month a date or range of dates reaches; a year alone starts in its January."""
    found = _DATE.findall(date)
    if not found:
        return 0
    year, month = found[0]
    return int(year) * 12 + int(month or 1)


def _midpoint(price: Price) -> float:
    return (price.low + price.high) / 2
