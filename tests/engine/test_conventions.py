"""FLOPs against published figures, and step times from whatever figure a source printed."""

import itertools
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from planner.catalog import Catalog
from planner.data_files import data_root
from planner.engine.conventions import flops_per_token, measured_step_time
from planner.engine.flops import (
    flops_6nd_per_token,
    forward_flops_parts,
    model_flops_per_token,
    recomputed_flops_per_token,
    visible_tokens,
)
from planner.spec.model import Hybrid, Mla, Model, Moe
from planner.spec.plan import Cluster, Plan, RecomputeModule, Resolved, Strategy, Workload
from planner.spec.runs import Run

GIGA = 1e9


def llama(name: str, layers: int, hidden: int, ffn: int, heads: int) -> Model:
    return Model(name=name, layers=layers, hidden=hidden, ffn_hidden=ffn, heads=heads, kv_heads=8, vocab=128256)


LLAMA_8B = llama("Llama 3 8B", 32, 4096, 14336, 32)
LLAMA_70B = llama("Llama 3 70B", 80, 8192, 28672, 64)
LLAMA_405B = llama("Llama 3.1 405B", 126, 16384, 53248, 128)
LATENT = Mla(q_lora=1536, kv_lora=512, qk_nope=128, qk_rope=64, v_head=128)
DEEPSEEK_V3 = Model(
    name="DeepSeek-V3", layers=61, hidden=7168, ffn_hidden=18432, heads=128, kv_heads=128, vocab=129280,
    attention="mla", mla=LATENT, moe=Moe(experts=256, topk=8, shared=1, expert_ffn=2048, first_k_dense=3),
)  # fmt: skip
KIMI_K2 = DEEPSEEK_V3.model_copy(
    update={
        "heads": 64, "kv_heads": 64, "vocab": 163840,
        "moe": Moe(experts=384, topk=8, shared=1, expert_ffn=2048, first_k_dense=1),
    }
)  # fmt: skip
QWEN3_30B = Model(
    name="Qwen3-30B-A3B", layers=48, hidden=2048, heads=32, kv_heads=4, head_dim=128, vocab=151936,
    moe=Moe(experts=128, topk=8, expert_ffn=768),
)  # fmt: skip
QWEN3_235B = Model(
    name="Qwen3-235B-A22B", layers=94, hidden=4096, heads=64, kv_heads=4, head_dim=128, vocab=151936,
    moe=Moe(experts=128, topk=8, expert_ffn=1536),
)  # fmt: skip
GPT_OSS_120B = Model(
    name="GPT-OSS-120B", layers=36, hidden=2880, heads=64, kv_heads=8, head_dim=64, vocab=201088, window=128,
    window_every=2, moe=Moe(experts=128, topk=4, expert_ffn=2880),
)  # fmt: skip
GPT_175B = Model(
    name="GPT-3 175B", layers=96, hidden=12288, ffn_hidden=49152, gated=False, heads=96, kv_heads=96, vocab=51200,
    tied=True, attention="mha",
)  # fmt: skip
NEMOTRON_NANO = Model(
    name="Nemotron 3 Nano", layers=52, hidden=2688, heads=32, kv_heads=2, head_dim=128, vocab=131072, gated=False,
    moe=Moe(experts=128, topk=6, shared=1, expert_ffn=1856, shared_ffn=3712),
    hybrid=Hybrid(
        pattern="MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME", mamba_heads=64, mamba_head_dim=64,
        mamba_state=128, mamba_groups=8,
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("model", "sequence_length", "published", "within"),
    [
        (LLAMA_8B, 8192, 51.47, 0.001),
        (LLAMA_70B, 8192, 449.2, 0.001),
        (LLAMA_405B, 8192, 2524.0, 0.001),
        (DEEPSEEK_V3.model_copy(update={"mtp_depth": 1}), 4096, 260.0, 0.001),
        (DEEPSEEK_V3, 4096, 249.7, 0.004),
        (QWEN3_30B, 4096, 23.0, 0.004),
        (QWEN3_235B, 4096, 148.1, 0.002),
        (KIMI_K2, 4096, 204.6, 0.005),
        (GPT_OSS_120B, 4096, 32.6, 0.004),
    ],
    ids=lambda value: value.name if isinstance(value, Model) else None,
)
def test_causal_flops_are_those_of_megatron_bridge(
    model: Model, sequence_length: int, published: float, within: float
) -> None:
    """TFLOP/s over tokens/s of NVIDIA's performance summaries, GFLOP a token."""
    assert model_flops_per_token(model, sequence_length) / GIGA == pytest.approx(published, rel=within)
    assert flops_per_token(model, sequence_length, "causal") == model_flops_per_token(model, sequence_length)


def test_deepseek_s_own_figure() -> None:
    """DeepSeek's ISCA paper: 385 TFLOP/s causal at 19.926 s a step on 2,048 H800, without the MTP layer."""
    tokens = 15360 * 4096
    tflops = model_flops_per_token(DEEPSEEK_V3, 4096) * tokens / (2048 * 19.926) / 1e12
    assert tflops == pytest.approx(385, rel=0.004)


def test_the_full_square_reads_higher() -> None:
    """Llama 3 8B at 8k: 57.9 instead of 51.5; 70B at 128k differs by 1.55."""
    assert flops_per_token(LLAMA_8B, 8192, "full-square") / GIGA == pytest.approx(57.9, abs=0.05)
    assert flops_per_token(LLAMA_8B, 8192, "megatron") == flops_per_token(LLAMA_8B, 8192, "full-square")
    long = 131072
    ratio = flops_per_token(LLAMA_70B, long, "full-square") / flops_per_token(LLAMA_70B, long, "causal")
    assert ratio == pytest.approx(1.55, abs=0.01)


def test_closed_forms_of_the_papers() -> None:
    h, s, layers, vocab = 12288, 2048, 96, 51200
    korthikanti = 72 * layers * h**2 * (1 + s / (6 * h) + vocab / (12 * layers * h))
    narayanan = 96 * layers * h**2 * (1 + s / (6 * h) + vocab / (16 * layers * h))
    assert flops_per_token(GPT_175B, s, "megatron") == pytest.approx(korthikanti)
    assert flops_per_token(GPT_175B, s, "hardware") == pytest.approx(korthikanti)
    assert flops_per_token(GPT_175B, s, "hardware", Strategy(recompute="full")) == pytest.approx(narayanan)


def test_6nd_counts_matrix_parameters_and_the_output_head_alone() -> None:
    norms = 2 * 4096 * 32 + 4096
    expected = 6 * (LLAMA_8B.total_params - 128256 * 4096 - norms)
    assert flops_6nd_per_token(LLAMA_8B) == pytest.approx(expected)
    assert flops_per_token(LLAMA_8B, 10**6, "6nd") == flops_6nd_per_token(LLAMA_8B)
    assert flops_6nd_per_token(DEEPSEEK_V3) == flops_6nd_per_token(DEEPSEEK_V3.model_copy(update={"mtp_depth": 1}))


def test_parts_add_up_and_take_arrays() -> None:
    lengths = np.array([2048.0, 8192.0, 131072.0])
    for model in (LLAMA_8B, DEEPSEEK_V3, GPT_OSS_120B, NEMOTRON_NANO):
        many = model_flops_per_token(model, lengths)
        one = [model_flops_per_token(model, float(length)) for length in lengths]
        assert many == pytest.approx(one)
        parts = forward_flops_parts(model, 8192)
        total = parts.linears + parts.attention + parts.logits + parts.moe + parts.mamba
        assert 3 * total == pytest.approx(model_flops_per_token(model, 8192))


def test_windowed_layers_see_the_window() -> None:
    # A windowed layer's query i sees min(i, 128) tokens: 128 - 128^2 / (2 x 4096) on average.
    assert visible_tokens(GPT_OSS_120B, 4096) == pytest.approx(0.5 * 2048 + 0.5 * 126)
    assert visible_tokens(GPT_OSS_120B, 100) == pytest.approx(50)
    assert visible_tokens(GPT_OSS_120B, 4096, full_square=True) == pytest.approx(0.5 * 4096 + 0.5 * 128)


def test_mamba_layers_cost_their_projections_and_scan() -> None:
    inner, groups = 64 * 64, 8 * 128
    layer = 2 * 2688 * (2 * inner + 2 * groups + 64) + 7 * inner * 128 + 2 * inner * 2688
    assert forward_flops_parts(NEMOTRON_NANO, 4096).mamba == pytest.approx(23 * layer)
    assert forward_flops_parts(LLAMA_8B, 4096).mamba == 0


def test_recompute_repeats_what_it_names() -> None:
    parts = forward_flops_parts(DEEPSEEK_V3, 4096)

    def again(**keys: object) -> float:
        return float(recomputed_flops_per_token(DEEPSEEK_V3, 4096, Strategy.model_validate(keys)))

    assert again() == 0
    assert again(recompute="full") == pytest.approx(parts.total - parts.logits)
    assert again(recompute="full", pipeline=16, recompute_layers=1) == pytest.approx((parts.total - parts.logits) / 4)
    assert again(recompute="selective") == pytest.approx(parts.attention)
    up = again(recompute="selective", recompute_modules=["mla_up"])
    assert up == pytest.approx(2 * 61 * (512 * 128 * 256 + 1536 * 128 * 192))
    both = again(recompute="selective", recompute_modules=["mla_up", "mlp"])
    assert both == pytest.approx(up + 2 * 3 * 7168 * (3 * 18432 + 58 * 2048))
    assert again(recompute="selective", recompute_modules=["norm", "moe_activation"]) == 0


@pytest.mark.parametrize("model", [LLAMA_8B, DEEPSEEK_V3, NEMOTRON_NANO])
def test_what_two_modules_share_is_recomputed_once(model: Model) -> None:
    def again(*modules: str) -> float:
        strategy = Strategy.model_validate({"recompute": "selective", "recompute_modules": modules})
        return float(recomputed_flops_per_token(model, 4096, strategy))

    whole = float(recomputed_flops_per_token(model, 4096, Strategy(recompute="full")))
    assert again("attention", "core_attention") == again("attention", "mla_up") == again("attention")
    assert again("all_but_linears", "core_attention") == again("all_but_linears")
    assert again("half_linears", "mlp") < again("half_linears") + again("mlp")
    names = get_args(RecomputeModule)
    for first, second in itertools.combinations(names, 2):
        both, one, other = again(first, second), again(first), again(second)
        assert max(one, other) <= both <= (one + other) * (1 + 1e-12)
    assert max(map(again, names)) < again(*names) <= whole


def test_half_the_products_of_a_hybrid_are_those_of_its_mamba_layers_too() -> None:
    strategy = Strategy(recompute="selective", recompute_modules=("half_linears", "all_but_linears"))
    parts = forward_flops_parts(NEMOTRON_NANO, 4096)
    scans = 23 * 7 * 64 * 64 * 128
    expected = 0.5 * (parts.linears + parts.moe + parts.mamba - scans) + scans + parts.attention
    assert recomputed_flops_per_token(NEMOTRON_NANO, 4096, strategy) == pytest.approx(expected)


def resolved(model: Model, cards: int = 64) -> Resolved:
    cluster, work = Cluster(card="h100-sxm", cards=cards), Workload(model="llama3-8b", tokens=1e9)
    plan = Plan(cluster=cluster, workload=work, strategy=Strategy())
    return replace(Catalog(data_root() / "presets").resolve(plan), model=model)


def run(convention: str = "causal", **measured: float) -> Run:
    return Run.model_validate(
        {
            "id": "r", "group": "g", "flops_convention": convention, "measured": measured,
            "cluster": {"card": "h100-sxm", "cards": 64},
            "workload": {"model": "llama", "sequence_length": 8192, "global_batch": 128},
        }
    )  # fmt: skip


TOKENS = 128 * 8192
STEP = 4.0
BF16_PEAK = resolved(LLAMA_8B).card.peak("bf16")
CAUSAL_TFLOPS = 51.470401536e9 * TOKENS / STEP / 64 / 1e12


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (run(step_time_s=STEP, tokens_per_s=1.0, mfu=0.9), "step time"),
        (run(tokens_per_s=TOKENS / STEP, model_tflops_per_card=1.0), "tokens per second"),
        (run(tokens_per_s_per_card=TOKENS / STEP / 64, mfu=0.9), "tokens per second and card"),
        (run(samples_per_s=128 / STEP), "sequences per second"),
        (run(model_tflops_per_card=CAUSAL_TFLOPS, mfu=0.9), "FLOP/s, counted causal"),
        (run("unstated", mfu=CAUSAL_TFLOPS / BF16_PEAK), "utilization, counted unstated, taken as causal"),
        (run("full-square", model_tflops_per_card=CAUSAL_TFLOPS * 57.91285248 / 51.470401536), "full-square"),
        (
            run(hfu=CAUSAL_TFLOPS / BF16_PEAK * 57.91285248 / 51.470401536),
            "counted hardware, taken as without recomputation",
        ),
        (run("hardware", hardware_tflops_per_card=CAUSAL_TFLOPS * 57.91285248 / 51.470401536), "counted hardware"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_same_step_from_any_figure(given: Run, says: str) -> None:
    seconds, how = measured_step_time(given, resolved(LLAMA_8B))
    assert seconds == pytest.approx(STEP)
    assert says in how


def test_without_a_figure_of_speed_there_is_no_step_time() -> None:
    assert measured_step_time(run(memory_gb=70.0), resolved(LLAMA_8B)) == (None, "no figure of speed")
