"""Which layers are which: windows, experts, Mamba."""

from __future__ import annotations

from typing import Any

from planner.exchange.hugging_face.families import Experts, Family, Window
from planner.exchange.hugging_face.reading import Config

ATTENTIONS = {"full_attention": "full", "sliding_attention": "window"}
"""Kinds of attention `layer_types` lists."""
BLOCKS = {"mamba": "M", "attention": "*", "mlp": "-", "moe": "E"}
"""Kinds of layers `layers_block_type` lists -> letters of a pattern."""
LETTERS = frozenset("ME*-")


def windows(config: Config, window: Window, layers: int) -> dict[str, Any]:
    """The model's keys of its sliding windows; `unmodelled` where no regular pattern has so many of them."""
    size = config.optional(window.size)
    if size is None or (window.switch and not config.flag(window.switch)):
        return {}
    kinds = config.words("layer_types", ATTENTIONS, layers)
    if kinds is None:
        kinds = ["window" if _windowed(config, window, layer) else "full" for layer in range(layers)]
    full = kinds.count("full")
    if full == layers:
        return {}
    if full == 0:
        return {"window": size}
    every = next((n for n in range(2, layers + 1) if layers // n == full), 0)
    if every:
        return {"window": size, "full_every": every}
    if layers % (layers - full) == 0:
        return {"window": size, "window_every": layers // (layers - full)}
    return {"unmodelled": f"sliding windows on {layers - full} of {layers} layers, which follow no regular pattern"}


def _windowed(config: Config, window: Window, layer: int) -> bool:
    if window.upper:
        return layer >= config.whole(window.upper, 0)
    every = (config.optional(window.full_every_key) if window.full_every_key else None) or window.full_every
    return not every or (layer + 1) % every != 0


def experts(config: Config, keys: Experts, layers: int) -> dict[str, Any] | None:
    """The model's `moe` table, of the layers an attention model has; None where no layer has experts."""
    if not config.optional(keys.experts, 0):
        return None
    first = config.whole(keys.first_dense, 0) if keys.first_dense else 0
    last = config.optional(keys.last, -1) if keys.last else None
    end = layers if last in {None, -1} else last + 1
    step = config.whole(keys.step) if keys.step else 1
    freq = (config.optional(keys.freq) or 1) if keys.freq else 1
    listed = set(config.numbers(keys.dense_list)) if keys.dense_list else set()
    moe = [first <= n < end and (n + 1) % step == 0 and n % freq == 0 and n not in listed for n in range(layers)]
    if not any(moe):
        return None
    leading = moe.index(True)
    if dense := moe[leading:].count(False):  # interleaved ones: all dense layers stand between MoE ones
        if step > 1:
            leading, dense = 0, moe.count(False)
        return expert_shape(config, keys) | {"layers": moe.count(True), "first_k_dense": leading, "dense_layers": dense}
    return expert_shape(config, keys) | {"first_k_dense": leading}


def expert_shape(config: Config, keys: Experts) -> dict[str, Any]:
    """Experts of one layer: how many, how many a token is sent to, their width, and the shared ones."""
    shape = {"experts": config.whole(keys.experts), "topk": config.whole(keys.topk)}
    shared = (config.optional(keys.shared, 0) or 0) if keys.shared else keys.always_shared
    width = (config.optional(keys.shared_width, 0) or 0) if keys.shared_width else 0
    width = width or (config.whole(keys.shared_each) * shared if keys.shared_each else 0)
    shape |= {"shared": shared or int(width > 0), "expert_ffn": config.whole(keys.width)}
    return shape | ({"shared_ffn": width} if width else {})


def hybrid(config: Config, family: Family, layers: int) -> dict[str, Any]:
    """The model's `hybrid` table, with as many letters as the model has layers."""
    if family.hybrid == "nemotron":
        return {
            "pattern": _nemotron_pattern(config, layers),
            "mamba_heads": config.whole("mamba_num_heads"),
            "mamba_head_dim": config.whole("mamba_head_dim"),
            "mamba_state": config.whole("ssm_state_size"),
            "mamba_groups": config.whole("n_groups"),
        }
    if family.hybrid == "granite":
        kinds = config.words("layer_types", BLOCKS, layers) or ["M"] * layers
        ffn = "E" if config.optional("num_local_experts", 0) else "-"
    elif family.hybrid == "falcon":
        kinds, ffn = ["M*"] * layers, "-"
    else:
        attention = set(config.numbers("attn_layer_indices"))
        kinds, ffn = ["*" if n in attention else "M" for n in range(layers)], "-"
    heads = config.whole("mamba_n_heads")
    width = config.optional("mamba_d_ssm") or config.whole("mamba_expand") * config.whole("hidden_size")
    stated = None if config.get("mamba_d_head") == "auto" else config.optional("mamba_d_head")
    if stated is None and width % heads:
        config.refuse("mamba_n_heads", f"{heads:,} heads do not divide the width of the scan, {width:,}.")
    return {
        "pattern": "".join(kind + ffn for kind in kinds),
        "mamba_heads": heads,
        "mamba_head_dim": stated or width // heads,
        "mamba_state": config.whole("mamba_d_state"),
        "mamba_groups": config.whole("mamba_n_groups"),
    }


def _nemotron_pattern(config: Config, layers: int) -> str:
    if kinds := config.words("layers_block_type", BLOCKS, layers):
        return "".join(kinds)
    pattern = config.get("hybrid_override_pattern")
    if not isinstance(pattern, str) or not pattern or set(pattern) - LETTERS:
        config.refuse("hybrid_override_pattern", "one letter a layer is needed: M, E, * or -.")
    if len(pattern) != layers:
        message = f"it has {len(pattern):,} letters for {layers:,} layers (num_hidden_layers)."
        config.refuse("hybrid_override_pattern", message)
    return pattern
