"""Models from Hugging Face configurations: the shapes the catalogue has, or a message that says why not."""

import json
from typing import Any

import pytest
from tests.plans import BUILT_IN

from planner.exchange.hugging_face.families import family_of, known
from planner.exchange.hugging_face.model import model_of, written
from planner.spec.base import PlanError
from planner.spec.model import Model
from planner.spec.parse import build, load_toml

LATENT = {"kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128}


def dense(
    kind: str, vocab: int, hidden: int, ffn: int, layers: int, heads: int, kv: int, **more: Any
) -> dict[str, Any]:
    return {
        "model_type": kind, "vocab_size": vocab, "hidden_size": hidden, "intermediate_size": ffn,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv, **more,
    }  # fmt: skip


CONFIGS: dict[str, dict[str, Any]] = {
    "llama2-7b": {"model_type": "llama"},
    "llama2-70b": dense("llama", 32_000, 8192, 28_672, 80, 64, 8),
    "llama3.1-8b": dense("llama", 128_256, 4096, 14_336, 32, 32, 8),
    "llama3.1-405b": dense("llama", 128_256, 16_384, 53_248, 126, 128, 8),
    "deepseek-67b": dense("llama", 102_400, 8192, 22_016, 95, 64, 8),
    "mistral-7b": dense("mistral", 32_000, 4096, 14_336, 32, 32, 8, sliding_window=4096),
    "mixtral-8x7b": {"model_type": "mixtral", "sliding_window": None},
    "mixtral-8x22b": dense("mixtral", 32_768, 6144, 16_384, 56, 48, 8),
    "qwen2.5-72b": dense("qwen2", 152_064, 8192, 29_568, 80, 64, 8, use_sliding_window=False, sliding_window=131_072),
    "qwen3-0.6b": dense("qwen3", 151_936, 1024, 3072, 28, 16, 8, head_dim=128, tie_word_embeddings=True),
    "qwen3-8b": dense("qwen3", 151_936, 4096, 12_288, 36, 32, 8, head_dim=128),
    "qwen3-235b-a22b": dense("qwen3_moe", 151_936, 4096, 12_288, 94, 64, 4, head_dim=128, moe_intermediate_size=1536),
    "qwen3-next-80b-a3b": {"model_type": "qwen3_next"},
    "deepseek-v2-lite": {
        "model_type": "deepseek_v2", "vocab_size": 102_400, "hidden_size": 2048, "intermediate_size": 10_944,
        "num_hidden_layers": 27, "num_attention_heads": 16, "num_key_value_heads": 16, "q_lora_rank": None,
        "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6, "moe_intermediate_size": 1408,
        "first_k_dense_replace": 1, "moe_layer_freq": 1, **LATENT,
    },
    "deepseek-v3": {"model_type": "deepseek_v3", "num_nextn_predict_layers": 1, "moe_layer_freq": 1},
    "deepseek-v3.2": {"model_type": "deepseek_v32", "num_nextn_predict_layers": 1},
    "kimi-k2": {
        "model_type": "kimi_k2", "vocab_size": 163_840, "num_attention_heads": 64, "n_routed_experts": 384,
        "first_k_dense_replace": 1, "num_nextn_predict_layers": 0,
    },
    "falcon-180b": {
        "model_type": "falcon", "hidden_size": 14_848, "num_hidden_layers": 80, "num_attention_heads": 232,
        "num_kv_heads": 8, "new_decoder_architecture": True, "multi_query": True,
    },
    "gemma2-2b": {"model_type": "gemma2", "vocab_size": 256_128},
    "gemma3-27b": {
        "model_type": "gemma3", "vision_config": {}, "text_config": dense(
            "gemma3_text", 262_144, 5376, 21_504, 62, 32, 16, head_dim=128, sliding_window=1024,
        ),
    },
    "olmo2-32b": dense("olmo2", 100_352, 5120, 27_648, 64, 40, 8),
    "nemotron4-15b": dense("nemotron", 256_000, 6144, 24_576, 32, 48, 8),
    "gpt-oss-120b": {"model_type": "gpt_oss"},
    "gpt-oss-20b": {"model_type": "gpt_oss", "num_hidden_layers": 24, "num_local_experts": 32},
    "llama4-scout": {"model_type": "llama4", "text_config": {"model_type": "llama4_text"}},
    "llama4-maverick": {"model_type": "llama4", "text_config": {
        "model_type": "llama4_text", "num_local_experts": 128, "interleave_moe_layer_step": 2,
    }},
    "glm-4.5": dense(
        "glm4_moe", 151_552, 5120, 12_288, 92, 96, 8, head_dim=128, n_routed_experts=160, moe_intermediate_size=1536,
        first_k_dense_replace=3, num_nextn_predict_layers=1,
    ),
    "mpt-7b": {"model_type": "mpt", "d_model": 4096, "n_heads": 32, "n_layers": 32, "expansion_ratio": 4},
    "opt-175b": {
        "model_type": "opt", "hidden_size": 12_288, "ffn_dim": 49_152, "num_hidden_layers": 96,
        "num_attention_heads": 96,
    },
    "gpt3-175b": {"model_type": "gpt2", "n_embd": 12_288, "n_layer": 96, "n_head": 96, "n_inner": None},
    "bloom-176b": {"model_type": "bloom", "n_embed": 14_336, "n_layer": 70, "num_attention_heads": 112},
    "dbrx": {
        "model_type": "dbrx", "vocab_size": 100_352, "d_model": 6144, "n_layers": 40, "n_heads": 48,
        "attn_config": {"kv_n_heads": 8},
        "ffn_config": {"ffn_hidden_size": 10_752, "moe_num_experts": 16, "moe_top_k": 4},
    },
    "nemotron-h-8b": dense(
        "nemotron_h", 131_072, 4096, 21_504, 52, 32, 8, attention_head_dim=128, mamba_num_heads=128, mamba_head_dim=64,
        ssm_state_size=128, n_groups=8,
        hybrid_override_pattern="M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
    ),
    "nemotron3-nano-30b-a3b": dense(
        "nemotron_h", 131_072, 2688, 1856, 52, 32, 2, head_dim=128, mamba_num_heads=64, mamba_head_dim=64,
        ssm_state_size=128, n_groups=8, n_routed_experts=128, n_shared_experts=1, num_experts_per_tok=6,
        moe_intermediate_size=1856, moe_shared_expert_intermediate_size=3712,
        hybrid_override_pattern="MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME",
    ),
}  # fmt: skip
"""Model of the catalogue -> the facts its configuration states; what it leaves out is the default of transformers."""

ERNIE = {"model_type": "ernie4_5_moe"}
HUNYUAN_A13B = dense(
    "hunyuan_v1_moe", 128_167, 4096, 3072, 32, 32, 8, head_dim=128, num_experts=64, moe_intermediate_size=[3072] * 32,
    moe_topk=[8] * 32, num_shared_expert=[1] * 32, tie_word_embeddings=True, use_cla=False,
)  # fmt: skip
FALCON_H1_34B = dense(
    "falcon_h1", 261_120, 5120, 21_504, 72, 20, 4, head_dim=128, mamba_n_heads=32, mamba_d_head=128, mamba_d_ssm=4096,
    mamba_d_state=256, mamba_n_groups=2,
)  # fmt: skip


def model(config: object) -> Model:
    return model_of(json.dumps(config).encode(), "config.json")


def refused(config: object) -> str:
    with pytest.raises(PlanError) as error:
        model(config)
    (line,) = error.value.lines()
    return line


def shapes(one: Model) -> dict[str, Any]:
    """What the engine computes from, whichever way it is written."""
    moe = one.moe.model_dump(include={"experts", "topk", "shared", "expert_ffn"}) if one.moe else None
    return {
        "total": one.total_params, "active": one.active_params, "layers": one.layers, "heads": one.heads,
        "kv_heads": one.kv_heads, "qk": one.qk_dim, "v": one.v_dim, "moe": moe, "moe_layers": one.moe_layers,
        "dense_layers": one.dense_layers, "mtp": one.mtp_depth, "window": one.window, "windowed": one.windowed_share,
        "tied": one.tied, "gated": one.gated, "attention": one.attention, "hybrid": one.hybrid,
        "unmodelled": one.unmodelled, "parallel": one.parallel_block,
    }  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_an_imported_model_is_the_one_of_the_catalogue(name: str) -> None:
    assert shapes(model(CONFIGS[name])) == shapes(BUILT_IN.model(name))


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_written_is_read_again_as_the_same_model(name: str) -> None:
    made = model(CONFIGS[name])
    again = build(Model, load_toml(written(made), "model.toml"), "model.toml")
    assert again == made.model_copy(update={"provenance": again.provenance})
    assert again.provenance["shape"]


@pytest.mark.parametrize(
    ("config", "billions"),
    [
        ({"model_type": "falcon"}, 6.92),  # Falcon 7B: one key-value head
        ({"model_type": "phi3"}, 3.82),  # Phi-3 mini
        ({"model_type": "starcoder2"}, 3.03),  # StarCoder2 3B
        ({"model_type": "cohere"}, 35.0),  # Command R
        ({"model_type": "gpt_neox"}, 20.6),  # GPT-NeoX 20B
        ({"model_type": "gptj"}, 6.05),  # GPT-J 6B
        ({"model_type": "gpt2"}, 0.124),
        ({"model_type": "stablelm"}, 2.80),
        ({"model_type": "qwen2_moe"}, 14.3),  # Qwen1.5-MoE-A2.7B
        ({"model_type": "phimoe"}, 41.9),  # Phi-3.5-MoE
        (dense("granite", 49_155, 4096, 12_800, 40, 32, 8, tie_word_embeddings=True), 8.17),  # Granite 3 8B
        (dense("olmoe", 50_304, 2048, 1024, 16, 16, 16), 6.92),  # OLMoE-1B-7B
        ({"model_type": "bamba", "attn_layer_indices": [9, 18, 27], "mamba_d_state": 128}, 9.78),  # Bamba 9B
        (ERNIE, 21.8),  # ERNIE 4.5 21B-A3B
        (HUNYUAN_A13B, 80.4),  # Hunyuan-A13B
        (dense("hunyuan_v1_dense", 128_167, 4096, 14_336, 32, 32, 8, tie_word_embeddings=True), 7.5),  # Hunyuan-7B
        (FALCON_H1_34B, 33.6),  # Falcon-H1-34B
    ],
)
def test_parameters_are_those_the_makers_state(config: dict[str, Any], billions: float) -> None:
    assert model(config).total_params / 1e9 == pytest.approx(billions, rel=5e-3)


def test_windows_that_begin_at_a_layer_or_are_listed() -> None:
    qwen = {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 512}
    half = model(qwen | {"num_hidden_layers": 48, "max_window_layers": 24})
    assert (half.window, half.windowed_share) == (512, 0.5)
    listed = model(qwen | {"num_hidden_layers": 4, "layer_types": ["sliding_attention"] * 3 + ["full_attention"]})
    assert listed.windowed_share == 0.75
    assert model(qwen | {"max_window_layers": 32}).window == 0
    odd = model(qwen | {"num_hidden_layers": 40, "max_window_layers": 17})
    assert odd.unmodelled == "sliding windows on 23 of 40 layers, which follow no regular pattern"


def test_dense_layers_between_those_with_experts() -> None:
    qwen = {"model_type": "qwen2_moe", "num_hidden_layers": 12}
    third = model(qwen | {"decoder_sparse_step": 3})
    assert (third.moe_layers, third.dense_layers) == (4, 8)
    listed = model(qwen | {"mlp_only_layers": [0, 1, 7]})
    assert listed.moe is not None
    assert (listed.moe.first_k_dense, listed.moe.dense_layers, listed.moe_layers) == (2, 1, 9)
    assert model(qwen | {"num_experts": 0}).moe is None


def test_hybrids_of_two_blocks_a_layer() -> None:
    granite = model({
        "model_type": "granitemoehybrid", "num_hidden_layers": 4, "num_local_experts": 0,
        "layer_types": ["mamba", "mamba", "attention", "mamba"], "shared_intermediate_size": 8192,
    })  # fmt: skip
    assert granite.hybrid is not None
    assert (granite.hybrid.pattern, granite.layers, granite.ffn_hidden) == ("M-M-*-M-", 8, 8192)
    assert granite.hybrid.mamba_head_dim == 2 * 4096 // 128
    experts = model({"model_type": "granitemoehybrid", "num_hidden_layers": 2, "layer_types": ["mamba", "attention"]})
    assert experts.hybrid is not None
    assert experts.hybrid.pattern == "ME*E"
    assert experts.moe is not None
    assert experts.moe.shared_width == 1024


def test_the_last_layer_with_experts_may_be_named() -> None:
    large = dense(
        "ernie4_5_moe", 103_424, 8192, 28_672, 54, 64, 8, moe_intermediate_size=3584, moe_k=8, moe_num_shared_experts=0,
        moe_layer_start_index=3, tie_word_embeddings=False,
    )  # fmt: skip
    for last in (53, -1, None):  # ERNIE 4.5 300B-A47B
        one = model(large | {"moe_layer_end_index": last})
        assert (one.total_params / 1e9, one.active_params / 1e9) == pytest.approx((300, 47), rel=0.02)
        assert (one.moe_layers, one.dense_layers) == (51, 3)
    one = model(large | {"moe_layer_end_index": 50})
    assert one.moe is not None
    assert (one.moe_layers, one.moe.first_k_dense, one.moe.dense_layers) == (48, 3, 3)


def test_a_list_that_says_the_same_of_every_layer_is_a_number() -> None:
    assert model(HUNYUAN_A13B).active_params / 1e9 == pytest.approx(13, rel=0.02)
    wide = model(HUNYUAN_A13B | {"intermediate_size": 6144, "num_shared_expert": 2, "moe_layer_num_skipped": 1})
    assert wide.moe is not None
    assert (wide.moe.expert_ffn, wide.moe.shared_width, wide.ffn_hidden) == (3072, 2 * 6144, 6144)
    said = refused(HUNYUAN_A13B | {"moe_topk": [8] * 31 + [4]})
    assert "moe_topk: it differs from layer to layer" in said


def test_keys_and_values_of_other_layers_are_said_to_be_unmodelled() -> None:
    assert not model(HUNYUAN_A13B).unmodelled
    assert "shares keys and values between layers" in model(HUNYUAN_A13B | {"use_cla": True}).unmodelled


def test_mamba_and_attention_of_one_layer_follow_each_other() -> None:
    one = model(FALCON_H1_34B | {"num_hidden_layers": 2, "mamba_d_head": "auto"})
    assert one.hybrid is not None
    assert (one.hybrid.pattern, one.layers, one.hybrid.mamba_head_dim) == ("M*-M*-", 6, 128)
    assert not one.unmodelled
    assert "counted one after the other" in one.modelled_as[0]
    expanded = model(FALCON_H1_34B | {"mamba_d_ssm": None, "mamba_d_head": "auto"}).hybrid
    assert expanded is not None
    assert expanded.mamba_head_dim == 2 * 5120 // 32
    assert "do not divide the width of the scan, 4,096" in refused(
        FALCON_H1_34B | {"mamba_n_heads": 33, "mamba_d_head": "auto"}
    )


def test_experts_in_a_latent_space_are_said_to_be_unmodelled() -> None:
    config = CONFIGS["nemotron3-nano-30b-a3b"] | {"moe_latent_size": 1024}
    assert model(config).unmodelled == "experts in a latent space narrower than the residual stream"


def test_an_unknown_architecture_is_told_with_the_nearest_and_what_is_needed() -> None:
    line = refused({"model_type": "qwen3moe"})
    assert line.startswith('config.json: model_type: how "qwen3moe" names its shapes is not known. Known: apertus, ')
    assert 'Did you mean "qwen3_moe"?' in line
    assert "planner schema model" in line


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ([], "one JSON object"),
        ({}, "there is no model_type"),
        ({"model_type": 7}, "there is no model_type"),
        ({"model_type": "nemotron_h"}, "num_hidden_layers: this key is needed and missing."),
        ({"model_type": "llama", "hidden_size": "4096"}, 'hidden_size: "4096" is no whole number.'),
        ({"model_type": "llama", "hidden_size": True}, "hidden_size: true is no whole number."),
        ({"model_type": "llama", "hidden_size": 4096.0}, "hidden_size: 4096.0 is no whole number."),
        ({"model_type": "llama", "vocab_size": -1}, "vocab_size: -1 is out of range"),
        ({"model_type": "llama", "vocab_size": 10**30}, "vocab_size: 1000000000000000000000000000000 is out of range"),
        ({"model_type": "llama", "num_attention_heads": 33}, "33 heads do not divide the hidden size of 4,096."),
        ({"model_type": "llama", "num_key_value_heads": 5}, "heads (32) must be a multiple of kv_heads (5)"),
        (
            {"model_type": "llama", "tie_word_embeddings": "yes"},
            'tie_word_embeddings: "yes" is neither true nor false.',
        ),
        ({"model_type": "gpt2", "n_head": 0}, "n_head: 0 is out of range"),
        ({"model_type": "mpt", "attn_config": 3}, "attn_config: 3 is no table."),
        ({"model_type": "gemma2", "layer_types": ["odd"] * 26}, '"odd" is a kind of layer that is not known.'),
        ({"model_type": "gemma2", "layer_types": ["full_attention"]}, "one word for each of the 26 layers is needed."),
        (CONFIGS["nemotron-h-8b"] | {"hybrid_override_pattern": "MX"}, "one letter a layer is needed: M, E, * or -."),
        (CONFIGS["nemotron-h-8b"] | {"hybrid_override_pattern": "M*"}, "it has 2 letters for 52 layers"),
    ],
)
def test_what_cannot_be_right_is_refused_by_its_key(config: object, said: str) -> None:
    assert said in refused(config)


@pytest.mark.parametrize(
    "raw", [b"\xff", b"", b"{", b"[" * 100_000, b'{"model_type": "llama", "x": ' + b"9" * 9999 + b"}"]
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(PlanError) as error:
        model_of(raw, "config.json")
    assert error.value.lines()[0].startswith("config.json: ")


def test_a_name_is_data() -> None:
    hostile = model({"model_type": "llama", "_name_or_path": 'org/a"b\n[x]\x1b[31m'})
    assert hostile.name == 'a"b\\n[x]\\x1b[31m'
    assert build(Model, load_toml(written(hostile), ""), "").name == hostile.name
    assert model({"model_type": "llama"}).name == "llama 6.74 B"


@pytest.mark.parametrize("name", known())
def test_every_family_has_what_it_takes_over(name: str) -> None:
    assert family_of(name, "").defaults
