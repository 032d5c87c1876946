"""Pipeline schedules: bubbles, layers a stage, micro-batches in flight, against the papers' own figures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.floors import numbers, preset, with_layout, with_shape

from planner.engine.inputs import DUALPIPE, GPIPE, INTERLEAVED, ONE_F_ONE_B, SCHEDULES, ZERO_BUBBLE, Inputs
from planner.engine.memory import stage_layers
from planner.engine.reading import inputs_of
from planner.engine.schedule import bubble, in_flight, split

F, B, W = 1.0, 2.0, 1.0
"""Seconds of a stage's forward and backward pass, and of its weight gradients: equal thirds, as in the papers."""


def pipe(p: int, kind: int, chunks: int = 1, micro_batches: int = 64) -> Inputs:
    """Our plan with p equal stages."""
    x = with_shape(numbers(strategy__pipeline=1), layers=float(16 * p))
    data = 64 / (2 * p)
    return with_layout(x, pipeline=float(p), chunks=float(chunks), schedule=kind, global_batch=data * micro_batches)


def idle(p: int, kind: int, chunks: int = 1) -> float:
    return float(bubble(p * (F + B), F + B, F, B, W, pipe(p, kind, chunks)))


@pytest.mark.parametrize("p", [2, 4, 8, 16])
@pytest.mark.parametrize("kind", [GPIPE, ONE_F_ONE_B])
def test_gpipe_and_1f1b_idle_p_minus_one_passes(p: int, kind: int) -> None:
    assert idle(p, kind) == pytest.approx((p - 1) * (F + B))  # Narayanan 2021 (arXiv 2104.04473), section 2.2


@pytest.mark.parametrize("chunks", [2, 4, 8])
def test_interleaving_divides_the_bubble_by_the_chunks(chunks: int) -> None:
    assert idle(8, INTERLEAVED, chunks) == pytest.approx(7 * (F + B) / chunks)


@pytest.mark.parametrize(
    ("p", "v", "m", "step"), [(8, 4, 1, 24.0), (8, 4, 2, 24.75), (8, 4, 4, 26.25), (16, 4, 8, 53.25)]
)
def test_too_few_micro_batches_pass_all_chunks_one_after_the_other(p: int, v: int, m: int, step: float) -> None:
    # Megatron's order, played event by event: (v p + m - 1)(F + B) / v.
    waits = bubble(p * (F + B), F + B, F, B, W, pipe(p, INTERLEAVED, v, m))
    assert m * (F + B) + waits == pytest.approx(step)


@pytest.mark.parametrize("kind", [ZERO_BUBBLE, DUALPIPE])
def test_no_schedule_ends_before_a_micro_batch_has_passed_all_stages(kind: int) -> None:
    waits = bubble(8 * (F + B), F + B, F, B, W, pipe(8, kind, 2 if kind == ZERO_BUBBLE else 1, 2))
    assert 2 * (F + B) + waits >= 8 * F + 8 * (B - W) + W


def test_zero_bubble_schedules_of_the_paper() -> None:
    # Qi 2023 (arXiv 2401.10241), table 2: 1F1B (p - 1)(F + B + W), ZB-H1 (p - 1)(F + B - W), and ZB-V nothing,
    # with B there without weight gradients.
    assert idle(8, ONE_F_ONE_B) == 7 * 3
    assert idle(8, ZERO_BUBBLE) == 7 * 1
    assert idle(8, ZERO_BUBBLE, chunks=2) == 0


def test_dualpipe_of_its_readme() -> None:
    # (p / 2 - 1)(F&B + B - 3 W), F&B one forward and one backward pass together: for F = 1, B = 2, W = 1 two each.
    assert idle(16, DUALPIPE) == pytest.approx(7 * ((F + B) + B - 3 * W))


def test_one_stage_never_waits() -> None:
    for kind in range(len(SCHEDULES)):
        assert idle(1, kind) == 0


def test_moving_weight_gradients_never_idles_longer() -> None:
    # With no weight gradients to move, ZB-H1 and DualPipe are at most 1F1B.
    for kind in (ZERO_BUBBLE, DUALPIPE):
        assert bubble(8 * 3.0, 3.0, F, B, 0.0, pipe(8, kind)) <= 7 * 3


def test_a_slow_stage_idles_the_others_not_itself() -> None:
    # Seven stages of 3 s and one of 5 s: the slow one waits for the fill and drain of the seven.
    assert bubble(7 * 3.0 + 5.0, 5.0, F, B, W, pipe(8, ONE_F_ONE_B)) == 21


def test_the_share_of_the_bubble_in_narayanan() -> None:
    # (p - 1) / m of the ideal time: p = 8, m = 64.
    assert idle(8, ONE_F_ONE_B) / (64 * (F + B)) == pytest.approx(7 / 64)


@pytest.mark.parametrize(
    ("kind", "chunks", "stage", "held"),
    [
        (GPIPE, 1, 0, 64), (GPIPE, 1, 7, 64),
        (ONE_F_ONE_B, 1, 0, 8), (ONE_F_ONE_B, 1, 7, 1),  # p - stage
        (INTERLEAVED, 2, 0, 8 * (1 + 7 / 16)), (INTERLEAVED, 4, 0, 8 * (1 + 7 / 32)),  # p (1 + (p - 1) / (p v))
        (ZERO_BUBBLE, 1, 0, 8), (ZERO_BUBBLE, 2, 0, 8), (ZERO_BUBBLE, 2, 7, 8),  # ZB-V: the same on all stages
        (DUALPIPE, 1, 0, 9), (DUALPIPE, 1, 7, 9),  # p + 1 (DualPipe README)
    ],
)  # fmt: skip
def test_micro_batches_in_flight(kind: int, chunks: int, stage: int, held: float) -> None:
    assert in_flight(float(stage), pipe(8, kind, chunks)) == pytest.approx(held)


def test_no_more_in_flight_than_there_are() -> None:
    assert in_flight(0.0, pipe(8, INTERLEAVED, 4, micro_batches=4)) == 4


def test_llama_405b_has_a_layer_fewer_at_both_ends() -> None:
    # arXiv 2407.21783, section 3.3.2: embedding and head take the place of a layer.
    parts = split(inputs_of(preset("llama-3.1-405b")))
    assert (parts.first, parts.full, parts.last) == (7, 8, 7)


def test_three_missing_layers_leave_two_fewer_at_the_head() -> None:
    # Megatron-Core's guide to pipeline layouts: 61 layers of DeepSeek-V3 on 16 stages, two and the head on the last.
    counts, _ = stage_layers(np.arange(16.0), with_layout(with_shape(numbers(), layers=61.0), pipeline=16.0))
    assert list(counts) == [3, *[4] * 14, 2]


def test_62_layers_of_deepseek_v3_on_16_stages() -> None:
    x = inputs_of(preset("deepseek-v3"))  # 61 layers and one of multi-token prediction
    counts, moe = stage_layers(np.arange(16.0), x)
    assert list(counts) == [3, *[4] * 14, 3]
    assert np.sum(moe) == pytest.approx(59)
    assert moe[0] == 0  # the three dense layers come first
    assert moe[1] == 4


@settings(max_examples=60)
@given(st.integers(1, 200), st.integers(1, 32), st.integers(0, 3))
def test_stages_hold_all_layers_and_only_the_last_holds_two_fewer(layers: int, stages: int, leading: int) -> None:
    x = with_shape(numbers(), layers=float(layers), first_dense=float(min(leading, layers - 1)), moe_layers=1.0)
    counts, _ = stage_layers(np.arange(float(stages)), with_layout(x, pipeline=float(stages)))
    counts = np.broadcast_to(counts, (stages,))
    assert counts.sum() == layers
    assert counts.max() - counts[:-1].min(initial=counts.max()) <= 1
    assert counts.max() - counts[-1] <= 2
    parts = split(with_layout(x, pipeline=float(stages)))
    assert counts.max() == (parts.full if stages > 1 else layers)
    assert counts[-1] == (parts.last if stages > 1 else layers)


def test_schedules_of_an_array_equal_each() -> None:
    kinds = np.array([GPIPE, ONE_F_ONE_B, ZERO_BUBBLE, DUALPIPE])
    x = with_layout(pipe(8, GPIPE), schedule=kinds)
    together = np.asarray(bubble(24.0, 3.0, F, B, W, x))
    assert list(together) == [idle(8, int(kind)) for kind in kinds]
    assert list(np.asarray(in_flight(0.0, x))) == [in_flight(0.0, pipe(8, int(kind))) for kind in kinds]
