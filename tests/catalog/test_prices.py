"""One rent and one price from the many a card's file lists."""

from __future__ import annotations

import pytest

from planner.catalog import Catalog
from planner.catalog.prices import month_of, newest_price, typical_rent
from planner.spec.card import Card, Price

H100 = Catalog.default().card("h100-sxm")


def price(low: float, high: float, date: str, basis: str = "on demand", verified: bool = True) -> Price:
    return Price(low=low, high=high, basis=basis, date=date, source="mercatus", verified=verified)


def card(*prices: Price) -> Card:
    return H100.model_copy(update={"rental_usd_per_hour": prices, "price_usd": prices})


def test_rent_is_the_median_of_a_year() -> None:
    rents = (price(2, 4, "2026-05"), price(1, 1, "2026-01"), price(5, 5, "2025-06"), price(90, 90, "2025-03"))
    assert typical_rent(card(*rents)) == 3


@pytest.mark.parametrize(
    "ignored", [price(9, 9, "2026-05", "owner TCO hyperscaler"), price(9, 9, "2026-05", verified=False)]
)
def test_what_is_no_rent_does_not_count(ignored: Price) -> None:
    assert typical_rent(card(ignored)) == 0
    assert typical_rent(card(price(2, 2, "2024-01"), ignored)) == 2


def test_price_is_the_newest() -> None:
    assert newest_price(card(price(30, 40, "2023"), price(20, 28, "2025"), price(99, 99, "2025-03"))) == 24
    assert newest_price(card(price(30, 40, "2023"), price(99, 99, "2025", "per GPU, all-in cluster"))) == 35
    assert newest_price(card()) == 0


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("2024", "2025-01"), ("2025-2026", "2027-01"), ("2024-07..2025-02", "2025-03"), ("", "2000")],
)
def test_dates_are_ordered(earlier: str, later: str) -> None:
    assert month_of(earlier) < month_of(later)
