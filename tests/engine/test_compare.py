"""Figures side by side."""

import pytest
from tests.plans import outcome

from planner.engine import compare


def test_relative_to_the_first() -> None:
    one, two = outcome(), outcome(workload__tokens=2e12)
    rows = {row.key: row for row in compare.figures([one, two])}
    assert rows["training_days"].relative[1] == pytest.approx(1.0, rel=1e-4)
    assert rows["mfu"].relative == (0.0, 0.0)
    assert "mfu" not in {row.key for row in compare.differing(list(rows.values()))}
    assert set(rows) == set(compare.FIGURES)


def test_an_unknown_price_is_no_figure() -> None:
    free, unpriced = outcome(cost__usd_per_card_hour=0.0), outcome(cluster__card="tpu-v5p")
    rows = {row.key: row for row in compare.figures([free, unpriced])}
    assert rows["cost_usd"].values == (0.0, None)
    assert rows["cost_usd"].relative == (None, None)
    assert rows["usd_per_million_tokens"].values == (0.0, None)
    assert None not in rows["training_days"].values


def test_parts_that_none_has_are_left_out() -> None:
    parts = {row.key: row for row in compare.step_parts([outcome(), outcome(strategy__pipeline=1)])}
    assert "expert" not in parts
    assert parts["pipeline_bubble"].values[1] == 0


def test_a_zero_has_no_relative() -> None:
    parts = {row.key: row for row in compare.step_parts([outcome(strategy__pipeline=1), outcome()])}
    assert parts["pipeline_bubble"].relative == (None, None)


@pytest.mark.parametrize(
    ("values", "differ"),
    [((1.0, 1.0), False), ((1.0, 1.0001), False), ((1.0, 1.01), True), (("a", "b"), True), ((8, 8), False)],
)  # fmt: skip
def test_what_a_reader_could_tell_apart(values: tuple[object, ...], *, differ: bool) -> None:
    assert compare.differs(values) == differ


def test_the_machine_behind_the_names() -> None:
    h800, h100 = (compare.machine_facts(outcome(cluster__card=card)) for card in ("h800-sxm", "h100-sxm"))
    # presets/cards: NVLink of the H800 is 400 GB/s both ways against 900, and nothing else differs.
    assert {key for key in h100 if h100[key] != h800[key]} == {"scale_up.gb_per_s"}
    assert (h800["scale_up.gb_per_s"], h100["scale_up.gb_per_s"]) == (200, 450)
