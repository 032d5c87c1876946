"""Times of GEMMs, attention and memory-bound work against arithmetic by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.floors import C, numbers, preset, with_layout, with_machine, with_shape, with_software
from tests.plans import resolved

from planner.engine.inputs import ARCHITECTURES, ATTENTION_KERNELS, FUSIONS
from planner.engine.kernels import (
    GEMM_STREAM,
    attention,
    fusion,
    gemm,
    grouped,
    linear,
    linear_rate,
    mean_span,
    rate16,
    stream,
    wide_rate,
)
from planner.engine.reading import inputs_of

H100 = numbers()
HOPPER = ARCHITECTURES.index("hopper")


def test_sustained_rate_is_the_measured_ceiling_under_load() -> None:
    # ml-engineering: H100 SXM reaches 794.5 TFLOP/s in BF16, 1,402.6 in FP8.
    hopper = H100.machine.architecture
    assert rate16(H100.machine, C) == pytest.approx(794.5e12 * C.gemm16[hopper])
    fp8 = numbers(workload__precision="fp8")
    assert linear_rate(fp8.machine, fp8.layout, C) == pytest.approx(1402.6e12 * C.gemm16[hopper] * C.gemm8[hopper])


def test_older_software_has_the_kernels_of_its_time() -> None:
    nemo, now = numbers(strategy__stack="nemo"), numbers(strategy__stack="megatron")
    longer = attention(nemo, C)[0] - C.attention_fixed, attention(now, C)[0] - C.attention_fixed
    assert longer[1] / longer[0] == pytest.approx(C.attention_older[now.machine.architecture])
    ampere = {"cluster__card": "a100-sxm-80"}
    same = numbers(strategy__stack="nemo", **ampere), numbers(strategy__stack="megatron", **ampere)
    assert attention(same[0], C) == attention(same[1], C)  # FlashAttention-2 before and after


def test_a_card_nobody_measured_gets_its_architectures_ceiling() -> None:
    x = numbers(cluster__card="h800-sxm")
    assert x.machine.ceiling16 == 0
    hopper = x.machine.architecture
    assert rate16(x.machine, C) == pytest.approx(989e12 * C.ceiling16[hopper] * C.gemm16[hopper], rel=0.001)


def test_less_board_power_means_a_lower_rate() -> None:
    x = with_machine(numbers(cluster__card="h800-sxm"), tdp_w=500.0)
    full = numbers(cluster__card="h800-sxm")
    # H100 capped at 500 W of 700 W runs at about 0.82 to 0.9 of the rate (assumed from reports).
    assert rate16(x.machine, C) / rate16(full.machine, C) == pytest.approx((5 / 7) ** C.power_exponent)


def test_a_measurement_of_ones_own_counts_in_every_precision() -> None:
    for precision in ("bf16", "fp8"):
        x = numbers(workload__precision=precision)
        usual = linear_rate(x.machine, x.layout, C)
        own = with_machine(x, under_load16=0.8 * rate16(x.machine, C))
        assert linear_rate(own.machine, x.layout, C) == pytest.approx(0.8 * usual)


def test_narrow_formats_follow_their_peaks() -> None:
    x = numbers(cluster__card="gb200-nvl72", workload__precision="nvfp4")
    eight = linear_rate(x.machine, replace(x.layout, four_bit=False), C)
    assert linear_rate(x.machine, x.layout, C) / eight == pytest.approx(2.0 * C.four_bit, rel=0.01)
    micro = linear_rate(x.machine, replace(x.layout, four_bit=False, microscaled=True), C)
    assert micro / eight == pytest.approx(C.microscaled)


def test_tf32_slows_everything_the_matrix_units_do() -> None:
    # H100: TF32 494.5 of BF16's 989 TFLOP/s. Head, router and attention have no narrower copy to run on.
    wide = numbers(workload__precision="tf32")
    assert wide_rate(wide.machine, wide.layout, C) == pytest.approx(0.5 * rate16(wide.machine, C), rel=0.001)
    assert attention(wide, C)[0] > 1.9 * (attention(H100, C)[0] - C.attention_fixed)


def test_a_large_gemm_by_hand() -> None:
    # 8192^3: 64 x 32 tiles on 132 SMs are 15.5 waves, 16 whole ones; operands and result are 3 x 8192^2 x 2 bytes.
    rate = 700e12
    waves = 64 * 32 / 132
    math_s = 2 * 8192**3 / rate * (1 + C.wave * (16 / waves - 1))
    memory_s = 3 * 2 * 8192**2 / (GEMM_STREAM * 3.35e12)
    expected = math_s + C.epilogue * memory_s
    assert gemm(8192.0, 8192.0, 8192.0, rate, 2.0, 2.0, H100.machine, C) == pytest.approx(expected)


def test_a_gemm_that_fills_a_part_of_the_card_takes_a_wave() -> None:
    # One tile of 128 x 256 on 132 SMs: half of the idle units are wasted with the wave constant at one half.
    one = gemm(128.0, 256.0, 65_536.0, 700e12, 0.0, 0.0, H100.machine, C)
    assert one == pytest.approx(2 * 128 * 256 * 65_536 / 700e12 * (1 + C.wave * 131))


@settings(max_examples=60)
@given(
    st.integers(1, 64), st.integers(1, 64), st.integers(1, 256), st.floats(1.0, 3.0),
    st.sampled_from(["rate", "memory_bandwidth"]),
)  # fmt: skip
def test_a_faster_card_is_never_slower_at_a_gemm(m: int, n: int, k: int, factor: float, better: str) -> None:
    shape = (m * 128.0, n * 96.0, k * 64.0)
    rate = 600e12 * (factor if better == "rate" else 1.0)
    grown = with_machine(H100, memory_bandwidth=3.35e12 * (factor if better == "memory_bandwidth" else 1.0))
    slow = gemm(*shape, 600e12, 2.0, 7.0, H100.machine, C)
    assert gemm(*shape, rate, 2.0, 7.0, grown.machine, C) <= slow * (1 + 1e-12)


def test_weight_gradients_of_a_skinny_layer_are_bound_by_their_accumulation() -> None:
    one = linear(64.0, 8192.0, 8192.0, H100, C)
    # Read and written in FP32, seven bytes a weight on average: 8192^2 x 7 over HBM.
    assert one.weight_gradient == pytest.approx(7 * 8192**2 / (GEMM_STREAM * 3.35e12), rel=0.1)


def test_grouped_gemm_with_few_rows_reads_all_local_weights() -> None:
    x = numbers()
    read = 2 * 32 * 2048 * 7168 / (GEMM_STREAM * 3.35e12)  # 32 experts, though eight rows need at most eight
    assert read < grouped(8.0, 32.0, 2048.0, 7168.0, x, C).forward < 1.15 * read


def test_grouped_gemm_reaches_half_its_rate_at_the_half_point() -> None:
    x = with_machine(numbers(), memory_bandwidth=1e18)  # no memory time
    rows = C.grouped_rows
    seconds = grouped(rows, 1.0, 4096.0, 4096.0, x, C).forward
    rate = linear_rate(x.machine, x.layout, C) * C.grouped
    assert seconds == pytest.approx(2 * rows * 4096**2 / (0.5 * rate), rel=1e-4)


def test_attention_by_hand() -> None:
    # 8192 tokens, 32 heads of 128 over tensor 2, causal: 2 x T x 16 x (128 + 128) x s/2 FLOPs forward, 2.5 times back
    # (FlashAttention-2, arXiv 2307.08691, section 3.1).
    flops = 2 * 8192 * 16 * 256 * 4096
    rate = 989e12 * C.attention[HOPPER] * 8192 / (8192 + C.attention_ramp[HOPPER])
    forward, backward = attention(H100, C)
    assert forward == pytest.approx(flops / rate + C.attention_fixed, rel=1e-3)
    assert backward == pytest.approx(2.5 * flops / (rate * C.attention_backward) + C.attention_fixed, rel=1e-3)


def test_attention_of_flashattention_3_on_a_long_sequence() -> None:
    # FlashAttention-3 (arXiv 2407.08608, figure 5): causal, width 128, 16 k: about 600 TFLOP/s forward on a cool card.
    x = numbers(workload__sequence_length=16_384)
    flops = 2 * 16_384 * 16 * 256 * 8192
    assert 400e12 < flops / attention(x, C)[0] < 650e12


@pytest.mark.parametrize(("kernel", "slower"), [("flash2", 1.3), ("triton", 1.5), ("flash1", 1.5)])
def test_older_kernels_are_slower_on_hopper(kernel: str, slower: float) -> None:
    x = numbers(strategy__attention_kernel=kernel)
    assert attention(x, C)[0] > slower * attention(H100, C)[0]


def test_unfused_attention_moves_the_whole_score_matrix() -> None:
    # Two full, non-causal products at 0.75 of the GEMM rate, and 13 bytes a score forward (Korthikanti 2022).
    x = numbers(strategy__attention_kernel="unfused")
    scores = 8192 * 16 * 8192
    products = 2 * 8192 * 16 * 256 * 8192 / (0.75 * rate16(x.machine, C))
    moved = C.score_traffic * 13 * scores / (C.hbm * 3.35e12)
    assert attention(x, C)[0] == pytest.approx(products + moved)
    fused = numbers(strategy__attention_kernel="fused-softmax")
    assert attention(fused, C)[0] == pytest.approx(products + 0.6 * moved)


def test_windows_shorten_what_a_query_sees() -> None:
    # Half of the layers see a window of 1,024 of 8,192 tokens, the others half the sequence on average.
    x = with_shape(H100, window=1024.0, windowed_share=0.5)
    seen = np.minimum(np.arange(8192), 1024).mean()
    assert mean_span(x) == pytest.approx(0.5 * 4096 + 0.5 * seen, rel=1e-3)
    assert mean_span(with_shape(x, window=8192.0)) == 4096


def test_context_parallelism_splits_attention_evenly_into_shorter_kernels() -> None:
    half = with_layout(H100, context=2.0)
    fixed, ramp, s = C.attention_fixed, C.attention_ramp[HOPPER], H100.layout.sequence
    shorter = (1 + ramp / (s / 2)) / (1 + ramp / s)
    assert attention(half, C)[0] - fixed == pytest.approx(0.5 * shorter * (attention(H100, C)[0] - fixed))


def test_a_systolic_array_wider_than_a_head_is_partly_idle() -> None:
    # TPU v6e multiplies 256 x 256 values at once, v5p 128 x 128 (JAX scaling book, TPU chapter); heads are 128 wide.
    v5p, v6e = (numbers(cluster__card=f"tpu-{name}", cluster__cards=256) for name in ("v5p", "v6e"))
    seconds = [attention(x, C)[0] * x.machine.peak16 for x in (v5p, v6e)]
    assert seconds[1] / seconds[0] == pytest.approx(2.0, rel=0.1)


def test_cut_down_tensor_cores_keep_their_clocks() -> None:
    # H20: a quarter of the H100's tensor rate a unit at 400 of 700 W; nothing throttles it, and softmax weighs less.
    h100, h20 = numbers(), numbers(cluster__card="h20")
    assert h20.machine.tensor_share == pytest.approx(0.25, abs=0.01)
    assert rate16(h100.machine, C) / h100.machine.peak16 < 0.75
    assert 0.9 < rate16(h20.machine, C) / h20.machine.peak16 <= 0.95
    share = [attention(x, C)[0] * x.machine.peak16 for x in (h100, h20)]
    assert 0.7 < share[1] / share[0] < 0.85
    assert inputs_of(preset("llama-3.1-405b")).machine.tensor_share == 1


def test_a_power_limit_slows_measured_cards_too() -> None:
    whole, capped = (numbers(cluster__card={"base": "h100-sxm", "tdp_w": watts}).machine for watts in (700, 500))
    assert rate16(whole, C) == rate16(numbers().machine, C)
    assert rate16(capped, C) / rate16(whole, C) == pytest.approx((5 / 7) ** C.power_exponent)


@pytest.mark.parametrize("card", ["a100-sxm-80", "h100-sxm", "b200-sxm", "gb300-nvl72", "mi300x"])
def test_no_older_kernel_is_faster_than_flash_attention_2(card: str) -> None:
    old, second = (
        attention(numbers(cluster__card=card, strategy__attention_kernel=kernel), C)[0]
        for kernel in ("flash1", "flash2")
    )
    assert old >= second


def test_flash_attention_2_is_the_kernel_of_the_day_where_there_is_no_newer_one() -> None:
    for card, factor in (("mi300x", 1.0), ("a100-sxm-80", 1.0), ("h100-sxm", C.attention_flash2[HOPPER])):
        old, new = (
            attention(numbers(cluster__card=card, strategy__attention_kernel=kernel), C)[0] - C.attention_fixed
            for kernel in ("flash2", "flash")
        )
        assert new / old == pytest.approx(factor)


def test_narrow_heads_are_slower_but_not_on_a100() -> None:
    for card, factor in (("h100-sxm", C.narrow_head[HOPPER]), ("a100-sxm-80", 1.0)):
        x = numbers(cluster__card=card)
        wide = attention(with_shape(x, qk_dim=65.0, v_dim=63.0), C)[0] - C.attention_fixed
        narrow = attention(with_shape(x, qk_dim=64.0, v_dim=64.0), C)[0] - C.attention_fixed
        assert wide / narrow == pytest.approx(factor)


def test_streaming_runs_at_a_share_of_the_data_sheet() -> None:
    assert stream(3.35e12, H100, C) == pytest.approx(1 / C.hbm)


def test_fusion_classes_in_order() -> None:
    factors = [fusion(with_software(H100, fusion=FUSIONS.index(name)), C) for name in FUSIONS]
    assert factors == [C.fused, C.compiled, C.eager, C.eager]


@pytest.mark.parametrize("card", ["v100-sxm2-32", "l40s", "mi300x", "tpu-v5p", "gaudi2", "rubin-vr-nvl72", "h20"])
def test_every_kind_of_card_has_sensible_rates(card: str) -> None:
    precision = "fp16" if card.startswith("v100") else "bf16"
    x = numbers(cluster__card=card, workload__precision=precision)
    assert 0.4 * x.machine.peak16 < rate16(x.machine, C) < x.machine.peak16
    assert all(math.isfinite(part) and part > 0 for part in attention(x, C))


def test_arrays_of_kernels_equal_each() -> None:
    plans = [resolved(strategy__attention_kernel=name) for name in ATTENTION_KERNELS]
    x = with_software(H100, attention_kernel=np.arange(len(ATTENTION_KERNELS)))
    forward = np.asarray(attention(x, C)[0])
    assert forward == pytest.approx([attention(inputs_of(r), C)[0] for r in plans], rel=1e-12)


def test_deepseek_attention_is_of_its_latent_widths() -> None:
    # 128 heads of 192 (query, key) and 128 (value): 2 x 4096 x 128 x 320 x 2048 FLOPs (arXiv 2412.19437).
    x = inputs_of(preset("deepseek-v3"))
    hopper = x.machine.architecture
    rate = x.machine.peak16 * C.attention[hopper] * C.attention_older[hopper] * 4096 / (4096 + C.attention_ramp[hopper])
    assert attention(x, C)[0] == pytest.approx(2 * 4096 * 128 * 320 * 2048 / rate + C.attention_fixed)
