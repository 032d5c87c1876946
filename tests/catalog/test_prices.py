"""One rent and one price from the many a card's file lists."""

from __future__ import annotations

import pytest

from planner.catalog import Catalog
from planner.catalog.prices import month_of, newest_price, rent_of, rents, rents_by_year
from planner.spec.card import Card, Price

H100 = Catalog.default().card("h100-sxm")


def price(low: float, high: float, date: str, basis: str = "on demand", verified: bool = True) -> Price:
    return Price(low=low, high=high, basis=basis, date=date, source="mercatus", verified=verified)


def card(*prices: Price) -> Card:
    return H100.model_copy(update={"rental_usd_per_hour": prices, "price_usd": prices})


def test_rent_is_the_median_of_a_year() -> None:
    rents = (price(2, 4, "2026-05"), price(1, 1, "2026-01"), price(5, 5, "2025-06"), price(90, 90, "2025-03"))
    assert rent_of(card(*rents)) == 3


def test_rents_of_a_year_or_month() -> None:
    one = card(price(2, 4, "2024-03"), price(1, 5, "2024-07..2025-02"), price(9, 9, "2023"), price(8, 8, "2025-06"))
    found = rents(one, "2024")
    assert found is not None
    assert (found.low, found.typical, found.high, found.offers) == (1, 3, 5, 2)
    assert (found.since, found.until) == ("2024-03", "2024-07..2025-02")
    assert rent_of(one, "high", "2025-01") == 5
    assert rent_of(one, "low", "2023-05") == 9
    assert rent_of(one, "low", "2022") == 0
    assert list(rents_by_year(one)) == ["2023", "2024", "2025"]


def test_h100_rents_as_the_table_has_them() -> None:
    # Epoch hardware prices: 1.99 to 5.00 in 2023, 2.99 to 3.99 in 2024; AIMultiple and Mercatus for 2026-05.
    years = rents_by_year(H100)
    assert (years["2023"].low, years["2023"].high) == (1.99, 5.0)
    assert (years["2024"].low, years["2024"].high) == (2.99, 3.99)
    assert (years["2026"].typical, years["2026"].high) == (2.95, 5.0)


@pytest.mark.parametrize(
    "ignored", [price(9, 9, "2026-05", "owner TCO hyperscaler"), price(9, 9, "2026-05", verified=False)]
)
def test_what_is_no_rent_does_not_count(ignored: Price) -> None:
    assert rent_of(card(ignored)) == 0
    assert rent_of(card(price(2, 2, "2024-01"), ignored)) == 2


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
