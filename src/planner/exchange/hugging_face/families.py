"""How the `config.json` of each architecture is read: the entries of `families.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from planner.spec.base import PlanError, Problem, Spec, Strings
from planner.spec.words import alike, did_you_mean, shown

Listing = Literal["", "bamba", "falcon", "granite", "nemotron"]
"""Whose way of listing Mamba layers a configuration follows."""


class Window(Spec):
    """Keys of sliding windows; empty: the architecture has no such key."""

    size: str
    """Tokens a windowed layer sees."""
    switch: str = ""
    """Whether there are any windowed layers."""
    upper: str = ""
    """The first windowed layer."""
    full_every: int = 0
    """Every n-th layer is full; 0: all are windowed."""
    full_every_key: str = ""
    """The same, as the file may have it."""


class Experts(Spec):
    """Keys of a mixture of experts; empty: the architecture has no such key."""

    experts: str
    topk: str
    width: str
    shared: str = ""
    """How many experts are shared."""
    shared_width: str = ""
    """Width of the shared ones together."""
    shared_each: str = ""
    """Width of each of them, where it is not that of a routed one."""
    always_shared: int = 0
    """Shared experts of every such model."""
    first_dense: str = ""
    """How many leading layers are dense."""
    last: str = ""
    """Number of the last MoE layer; -1: the last of all."""
    step: str = ""
    """Layers n, 2n, ... are MoE, counted from one."""
    freq: str = ""
    """Layers 0, n, 2n, ... are MoE, counted from zero."""
    dense_list: str = ""
    """Numbers of layers that are dense."""


class Family(Spec):
    """What `families.toml` says of one architecture; its comments have the meaning of every key."""

    defaults: dict[str, int | bool] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)
    ffn_key: str = "intermediate_size"
    ffn_times: int = 0
    ffn_times_key: str = ""
    gated: bool = True
    parallel: bool | str = False
    one_kv_head: str = ""
    many_kv_heads: str = ""
    mla: bool = False
    window: Window | None = None
    moe: Experts | None = None
    hybrid: Listing = ""
    unmodelled: str = ""
    left_out: Strings = ()


@cache
def _entries() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("families.toml").read_text("utf-8"))


def known() -> tuple[str, ...]:
    """Every `model_type` there is a mapping for."""
    return tuple(_entries())


def family_of(model_type: str, source: str) -> Family:
    """What is known of an architecture.

    Args:
        model_type: as the configuration names it.
        source: name of the file, for the message.

    Raises:
        PlanError: nothing is known of it; the message has the nearest names, and what to do instead.
    """
    if model_type in _entries():
        return Family.model_validate(_merged(model_type))
    fix = (
        f"{did_you_mean(alike(model_type, known()))}Its keys are needed as a model table, written by hand: layers, "
        "hidden, heads, kv_heads, vocab and the rest (`planner schema model`)."
    )
    message = f"how {shown(model_type)} names its shapes is not known. Known: {', '.join(known())}."
    raise PlanError([Problem("error", "model_type", message, fix)], source)


def _merged(name: str) -> dict[str, Any]:
    """An entry with what it takes over from the one it is like."""
    entry = dict(_entries()[name])
    if base := entry.pop("like", ""):
        below = _merged(base)
        entry["defaults"] = below.get("defaults", {}) | entry.get("defaults", {})
        entry = below | entry
    return entry
