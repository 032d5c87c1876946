"""Numbers as people type them."""

import pytest

from planner.exchange.typed import number_or_word, parse_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2,048", 2048), ("14.8T", 14.8e12), ("14.8 T", 14.8e12), ("14 800 B", 14.8e12), ("$2.50", 2.5), ("1e12", 1e12),
        ("64k", 64_000), (".5", 0.5), ("-1", -1), ("1_000_000", 1e6), ("2'048", 2048), ("15,360", 15_360),
    ],
)  # fmt: skip
def test_numbers_are_read(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["14,8T", "4,09", "1,2,3", "12,3456", "", "b", "1.5TB", "1e999", "14.8  T"])
def test_a_comma_is_no_decimal_point_and_words_are_no_numbers(text: str) -> None:
    with pytest.raises(ValueError, match=r"number such as 2,048, 14\.8T or 1e12"):
        parse_number(text)


def test_what_is_no_number_stays_a_word() -> None:
    assert number_or_word("gb200-nvl72") == "gb200-nvl72"
    assert type(number_or_word("1e3")) is int


def test_beyond_what_is_exact_a_number_stays_a_float() -> None:
    assert type(number_or_word("1e18")) is float
