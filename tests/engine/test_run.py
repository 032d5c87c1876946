"""Run length, failures and goodput against published runs and against brute force."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.engine import run
from planner.engine.num import Num

DAY = 86_400.0

# Llama 3 405B: arXiv 2407.21783, section 3.3.4 and table 5; storage (2 TB/s sustained) section 3.3.1.
LLAMA: dict[str, Num] = {
    "global_batch": 2048.0,
    "sequence_length": 8192.0,
    "cards": 16_384.0,
    "total_params": 405.85e9,
    "mtbf_card_hours": 50_600.0,
    "restart_s": 600.0,
    "checkpoint_gb_per_s": 2000.0,
    "checkpoint_every_s": 0.0,
}


def llama(**changes: Num) -> run.RunLength:
    values = LLAMA | {"tokens": 15.6e12, "step_time_s": 5.0} | changes
    return run.run_length(**values)


def test_llama_3_interruptions_in_54_days() -> None:
    # 419 unexpected interruptions in a 54-day window on 16,384 cards, one per 3.1 hours.
    length = llama()
    window = length.interruptions * 54 * DAY / length.wall_seconds
    assert window == pytest.approx(419, rel=0.003)
    assert length.wall_seconds / length.interruptions / 3600 == pytest.approx(3.1, abs=0.02)


@pytest.mark.parametrize("storage", [200.0, 2000.0])
def test_llama_3_effective_time_above_90_percent(storage: float) -> None:
    assert 0.90 < llama(checkpoint_gb_per_s=storage).goodput < 0.96


def test_goodput_to_first_order() -> None:
    # Daly 2006: M = 3.1 h, stall 5 s, restart and detection 12 min give an interval of 5.6 min and G = 0.91.
    mean = 3.1 * 3600
    every = run.optimum_interval(5.0, mean)
    assert every / 60 == pytest.approx(5.6, abs=0.1)
    assert 1 / run.slowdown(5.0, every, 720.0, mean) == pytest.approx(0.91, abs=0.01)
    first_order = (1 - 5.0 / (every + 5.0)) / (1 + (every / 2 + 720.0) / mean)
    assert 1 / run.slowdown(5.0, every, 720.0, mean) == pytest.approx(first_order, rel=0.005)


@pytest.mark.parametrize(
    ("stall", "mean_hours", "waste"),
    [(30.0, 3.09, 0.073), (5.0, 3.09, 0.030), (10.0, 0.23, 0.155)],
)
def test_waste_at_the_optimum(stall: float, mean_hours: float, waste: float) -> None:
    # Young 1974, Daly 2006: C / T + T / (2 M), before restart time. Exact and first order differ by half its square.
    mean = mean_hours * 3600
    every = run.optimum_interval(stall, mean)
    assert run.slowdown(stall, every, 0.0, mean) - 1 == pytest.approx(waste, abs=0.006 + waste**2 / 2)


@given(stall=st.floats(0.1, 500), mean=st.floats(300, 1e6), recovery=st.floats(0, 2000))
def test_the_optimum_wastes_least(stall: float, mean: float, recovery: float) -> None:
    every = run.optimum_interval(stall, mean)
    intervals = np.geomspace(every / 30, every * 30, 2001)
    least = np.min(run.slowdown(stall, intervals, recovery, mean))
    assert run.slowdown(stall, every, recovery, mean) <= least * 1.01


def test_longer_write_than_twice_the_mean_time_uses_the_mean_time() -> None:
    assert run.optimum_interval(100.0, 40.0) == 40.0


@given(
    cards=st.floats(8, 1e7),
    mtbf=st.floats(1, 1e7),
    restart=st.floats(0, 1e5),
    storage=st.floats(0.1, 1e5),
    every=st.one_of(st.just(0.0), st.floats(1, 1e6)),
)
def test_goodput_is_a_share_and_the_parts_add_up(
    cards: float, mtbf: float, restart: float, storage: float, every: float
) -> None:
    length = llama(
        cards=cards,
        mtbf_card_hours=mtbf,
        restart_s=restart,
        checkpoint_gb_per_s=storage,
        checkpoint_every_s=every,
    )
    assert 0 < length.goodput <= 1
    stalls = length.train_seconds / length.checkpoint_every_s * length.checkpoint_stall_s
    parts = length.train_seconds + stalls + length.interruptions * length.lost_s_per_failure
    assert parts == pytest.approx(length.wall_seconds, rel=1e-6)


@given(storage=st.floats(1, 1e5), more=st.floats(1, 100), every=st.one_of(st.just(0.0), st.floats(30, 1e5)))
def test_faster_storage_is_never_slower(storage: float, more: float, every: float) -> None:
    slow = llama(checkpoint_gb_per_s=storage, checkpoint_every_s=every)
    fast = llama(checkpoint_gb_per_s=storage * more, checkpoint_every_s=every)
    assert fast.wall_seconds <= slow.wall_seconds * (1 + 1e-3)


def test_lost_work_is_about_half_an_interval_and_the_restart() -> None:
    length = llama(checkpoint_every_s=1800.0)
    expected = 1800 / 2 + 600 + length.checkpoint_write_s
    assert length.lost_s_per_failure == pytest.approx(expected, rel=0.1)


def test_interval_shorter_than_the_write_stalls_for_the_rest() -> None:
    length = llama(checkpoint_gb_per_s=10.0, checkpoint_every_s=100.0)
    assert length.checkpoint_every_s == 100.0
    assert length.checkpoint_stall_s == pytest.approx(length.checkpoint_write_s - 100.0)


def test_checkpoint_of_deepseek_v3() -> None:
    # 14 bytes a parameter (Rajbhandari 2019), 671 G parameters: 9.4 TB, 47 s at 200 GB/s.
    length = llama(total_params=671e9, checkpoint_gb_per_s=200.0)
    assert length.checkpoint_bytes == pytest.approx(9.394e12)
    assert length.checkpoint_write_s == pytest.approx(46.97)


def test_checkpoint_by_precision() -> None:
    assert run.checkpoint_bytes_per_param(full_precision=False) == 14
    assert list(run.checkpoint_bytes_per_param(np.array([True, False]))) == [12, 14]


def test_steps_are_whole() -> None:
    # DeepSeek-V3: 14.8 T tokens in batches of 15,360 x 4,096.
    length = llama(tokens=14.8e12, global_batch=15_360.0, sequence_length=4096.0)
    assert length.steps == 235_240


def test_spares_are_whole_nodes_and_grow_with_the_cluster() -> None:
    spares = run.spare_cards(np.array([8.0, 2048.0, 16_384.0, 100_000.0]), 50_600.0)
    assert np.all(spares % 8 == 0)
    assert np.all(np.diff(spares) > 0)
    # OPT-175B lost two machines a day of 124 (metaseq chronicles); back after one day.
    mtbf = 992 * 24 * run.HARDWARE_SHARE / 2
    assert run.spare_cards(992.0, mtbf) == 8 * np.ceil(2 + 2.326 * np.sqrt(2))


def test_arrays_give_what_floats_give() -> None:
    cards = np.array([1024.0, 16_384.0, 131_072.0])
    both = llama(cards=cards)
    for index, count in enumerate(cards):
        one = llama(cards=float(count))
        for field in dataclasses.fields(one):
            got = np.broadcast_to(getattr(both, field.name), cards.shape)[index]
            assert got == pytest.approx(getattr(one, field.name), rel=1e-12), field.name


def test_an_interval_longer_than_the_run_loses_no_more_than_the_run() -> None:
    once = llama(tokens=1e11)
    assert llama(tokens=1e11, checkpoint_every_s=once.train_seconds).wall_seconds == pytest.approx(
        llama(tokens=1e11, checkpoint_every_s=100 * once.train_seconds).wall_seconds, rel=0.02
    )
