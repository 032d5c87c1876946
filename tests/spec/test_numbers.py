"""Arithmetic of the rules."""

import time

from planner.spec.rules.numbers import divisors


def test_all_divisors_are_found() -> None:
    for number in (*range(1, 1500), 7**6, 2 * 999_983**2, 1009 * 99_991):
        least = [n for n in range(1, min(number, 2_000_000) + 1) if number % n == 0]
        assert sorted({*least, *(number // n for n in least)}) == list(divisors(number))


def test_what_has_no_small_factor_does_not_take_seconds() -> None:
    begun = time.perf_counter()
    assert divisors(9_007_199_254_740_881) == (1, 9_007_199_254_740_881)  # the largest prime below 2^53
    assert time.perf_counter() - begun < 1.0
