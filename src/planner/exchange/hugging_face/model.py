"""A Hugging Face `config.json` as a model of the catalogue, and that as TOML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w

from planner.exchange.format import short
from planner.exchange.hugging_face.families import Family, family_of
from planner.exchange.hugging_face.layers import expert_shape, experts, hybrid, windows
from planner.exchange.hugging_face.reading import Config, load_json
from planner.spec.base import PlanError, Problem
from planner.spec.model import Model
from planner.spec.parse import build
from planner.spec.words import escaped

SPARSE = {
    "index_topk": "sparse attention with a lightning indexer (DSA)",
    "moe_latent_size": "experts in a latent space narrower than the residual stream",
    "use_cla": "attention that shares keys and values between layers (CLA)",
}
"""Keys that mean a part without equations wherever they stand with a value or as true."""
HEADING = "# A model as shapes, from a Hugging Face config.json. Widths count elements."
ORDER = tuple(name for name in Model.model_fields if name not in {"id", "provenance", "unverified", "published"})
"""Keys of a model in the order it is written."""


def model_of(raw: bytes, source: str) -> Model:
    """The model of a configuration file.

    Args:
        raw: what the file holds.
        source: its name, for messages.

    Raises:
        PlanError: no JSON, an architecture that is not known, or a key that is missing or cannot be right.
    """
    data = load_json(raw, source)
    text: Mapping[str, Any] = data
    left_out: tuple[str, ...] = ()
    if isinstance(data.get("text_config"), dict):
        text, left_out = data["text_config"], ("the language model alone; what reads pictures or sound is left out",)
    kind = text.get("model_type")
    if not isinstance(kind, str) or not kind:
        message = "there is no model_type: is this the config.json that stands beside a model's weights?"
        raise PlanError([Problem("error", "", message)], source)
    family = family_of(kind, source)
    config = Config(text, source, family.defaults, family.names)
    keys = _shapes(config, family)
    keys["unmodelled"] = _unmodelled(config, family, keys)
    keys["modelled_as"] = (*left_out, *family.left_out)
    keys["name"] = _name(data) or "unnamed"
    model = build(Model, keys, source)
    return model if _name(data) else model.model_copy(update={"name": f"{kind} {short(model.total_params)}"})


def written(model: Model) -> str:
    """A model as the TOML of a catalogue entry: every key that is not its default."""
    keys = model.model_dump(exclude_defaults=True)
    flat = {name: keys[name] for name in ORDER if name in keys and not isinstance(keys[name], dict)}
    tables = {name: keys[name] for name in ORDER if isinstance(keys.get(name), dict)}
    provenance = {"provenance": {"shape": ["Hugging Face config.json"]}}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in flat.items()}
    return f"{HEADING}\n\n{tomli_w.dumps(plain | tables | provenance)}"


def _shapes(config: Config, family: Family) -> dict[str, Any]:
    layers = config.whole("num_hidden_layers")
    keys: dict[str, Any] = {
        "layers": layers,
        "hidden": config.whole("hidden_size"),
        "heads": config.whole("num_attention_heads"),
        "vocab": config.whole("vocab_size"),
        "gated": family.gated,
        "tied": config.flag("tie_word_embeddings"),
        "parallel_block": _parallel(config, family),
        "mtp_depth": config.optional("num_nextn_predict_layers", 0) or 0,
        "max_sequence": config.optional("max_position_embeddings", 0) or 0,
    }
    keys |= _attention(config, family, keys)
    keys |= windows(config, family.window, layers) if family.window else {}
    if family.hybrid:
        keys["hybrid"] = hybrid(config, family, layers)
        keys["layers"] = len(keys["hybrid"]["pattern"])
        has_experts, has_dense = "E" in keys["hybrid"]["pattern"], "-" in keys["hybrid"]["pattern"]
        keys["moe"] = expert_shape(config, family.moe) if has_experts and family.moe else None
        width = "shared_intermediate_size" if family.hybrid == "granite" else "intermediate_size"
        keys["ffn_hidden"] = config.whole(width) if has_dense else 0
    else:
        keys["moe"] = experts(config, family.moe, layers) if family.moe else None
        moe = keys["moe"]
        if moe is None or moe["first_k_dense"] or moe.get("dense_layers"):
            keys["ffn_hidden"] = _ffn(config, family, keys["hidden"])
    return keys


def _attention(config: Config, family: Family, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Heads and their widths."""
    heads, hidden = keys["heads"], keys["hidden"]
    if family.mla:
        latent = {
            "q_lora": config.optional("q_lora_rank", 0) or 0,
            "kv_lora": config.whole("kv_lora_rank"),
            "qk_nope": config.whole("qk_nope_head_dim"),
            "qk_rope": config.whole("qk_rope_head_dim"),
            "v_head": config.whole("v_head_dim"),
        }
        return {"attention": "mla", "kv_heads": heads, "mla": latent}
    width = config.optional("head_dim")
    if width is None and hidden % heads:
        config.refuse("num_attention_heads", f"{heads:,} heads do not divide the hidden size of {hidden:,}.")
    shared = bool(family.one_kv_head) and config.flag(family.one_kv_head)
    shared = shared and not (family.many_kv_heads and config.flag(family.many_kv_heads))
    kv = 1 if shared else config.optional("num_key_value_heads") or heads
    attention = "mha" if kv == heads else "mqa" if kv == 1 else "gqa"
    return {"attention": attention, "kv_heads": kv, "head_dim": width or hidden // heads}


def _parallel(config: Config, family: Family) -> bool:
    if isinstance(family.parallel, bool):
        return family.parallel
    return config.flag(family.parallel) or (bool(family.many_kv_heads) and config.flag(family.many_kv_heads))


def _ffn(config: Config, family: Family, hidden: int) -> int:
    stated = config.optional(family.ffn_key)
    if stated is None and family.ffn_times:
        times = config.optional(family.ffn_times_key) if family.ffn_times_key else None
        return (times or family.ffn_times) * hidden
    return stated or config.whole(family.ffn_key)


def _unmodelled(config: Config, family: Family, keys: Mapping[str, Any]) -> str:
    """What the engine has no equations for: of the whole architecture, of a key, or of its windows."""
    found = (words for key, words in SPARSE.items() if config.get(key) is not None and config.get(key) is not False)
    return family.unmodelled or next(found, "") or str(keys.get("unmodelled", ""))


def _name(data: Mapping[str, Any]) -> str:
    """The last part of where the weights came from, as the file may say."""
    path = data.get("_name_or_path")
    return escaped(path.rstrip("/").rpartition("/")[2]) if isinstance(path, str) else ""
