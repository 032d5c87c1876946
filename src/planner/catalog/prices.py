"""One figure from the prices a card's file lists: what it usually rents for, and what it costs."""

from __future__ import annotations

import re
from statistics import median

from planner.spec.card import Card, Price

FRESH_MONTHS = 12
"""Rents this much older than the newest one no longer count."""

_DATE = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?!\d))?")


def typical_rent(card: Card) -> float:
    """What a card usually rents for, USD an hour; 0 where no source says.

    The median of the midpoints of verified rents, those no older than a year before the newest. What an owner pays
    ("owner TCO") is no rent.
    """
    rents = [p for p in card.rental_usd_per_hour if p.verified and "owner TCO" not in p.basis]
    newest = max((month_of(p.date) for p in rents), default=0)
    fresh = [_midpoint(p) for p in rents if month_of(p.date) >= newest - FRESH_MONTHS]
    return round(median(fresh), 4) if fresh else 0.0


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


def _midpoint(price: Price) -> float:
    return (price.low + price.high) / 2
