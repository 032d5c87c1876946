"""The strategies of a cluster and workload: every valid combination, as a few short axes.

Validity is that of `planner.spec.rules` (a test compares the two); here it is written as the divisors that pass, since
a rule is asked of one plan and a search has billions. Of strategies that mean the same only the plainer is listed:
sequence parallelism over one card is off, an interleaved schedule on one stage is 1f1b, recomputing every layer is
`recompute_layers = 0`, and selective recomputation takes a subset of a model's fine-grained modules or a coarse one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.engine.inputs import DUALPIPE, GPIPE, INTERLEAVED, ONE_F_ONE_B, SCHEDULES, SHARDINGS, ZERO_BUBBLE
from planner.spec.base import PlanError, Problem
from planner.spec.model import Model
from planner.spec.plan import Recompute, RecomputeModule, Resolved, Strategy
from planner.spec.rules import machine
from planner.spec.rules.numbers import divisors
from planner.spec.rules.pipeline import most_chunks

COARSE_MODULES: tuple[RecomputeModule, ...] = ("attention", "half_linears", "all_but_linears")
"""Recomputed alone: each contains or excludes the fine-grained ones."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Constraints:
    """What a search may not change. Empty or 0: no constraint."""

    max_tensor: int = 0
    schedules: tuple[str, ...] = ()
    """Schedules allowed."""
    shardings: tuple[str, ...] = ()
    recomputes: tuple[str, ...] = ()
    headroom: float = 0.0
    """Share of the usable memory to leave free, 0 to 1."""
    keep: dict[str, Any] = field(default_factory=dict)
    """Keys of the strategy held at a value: `{"tensor": 8}`."""

    def allow(self, key: str, value: object) -> bool:
        """Whether an axis may take a value."""
        if key == "tensor" and self.max_tensor and isinstance(value, int) and value > self.max_tensor:
            return False
        allowed = {"schedule": self.schedules, "sharding": self.shardings, "recompute": self.recomputes}.get(key, ())
        if allowed and value not in allowed:
            return False
        if key not in self.keep:
            return True
        kept = self.keep[key]
        return set(kept) == set(value) if isinstance(value, tuple) else bool(kept == value)

    @property
    def words(self) -> str:
        """Which strategies are left."""
        words = [f"tensor up to {self.max_tensor:,}"] if self.max_tensor else []
        words += [" or ".join(allowed) for allowed in (self.schedules, self.shardings, self.recomputes) if allowed]
        for key, value in self.keep.items():
            words.append(f"{key} {'+'.join(value) if isinstance(value, tuple) else value}")
        return ", ".join(words)


@dataclass(frozen=True)
class Again:
    """One way to recompute."""

    kind: Recompute
    modules: tuple[RecomputeModule, ...] = ()
    layers: int = 0


@dataclass(frozen=True, eq=False)
class Slice:
    """All strategies of one pipeline degree: the product of five axes, less what DualPipe cannot run."""

    pipeline: int
    rows: Ints
    """(rows, 4): tensor, sequence, context, micro batch."""
    experts: Ints
    """(pairs, 2): expert, expert tensor."""
    chunks: Ints
    """(pairs, 2): virtual stages, index of the schedule."""
    sharding: Ints
    """(pairs, 2): ZeRO stage, shard group (0: the whole data-parallel group)."""
    again: tuple[Again, ...]
    allowed: NDArray[np.bool_]
    """(rows, chunks): the schedule can run that many micro-batches."""
    shares: NDArray[np.bool_]
    """(rows, sharding): the shard group divides the ranks."""

    @cached_property
    def row_counts(self) -> Ints:
        """Strategies of each row and pair of expert degrees, before recomputation."""
        counts: Ints = self.allowed.sum(axis=1) * self.shares.sum(axis=1)
        return counts

    @property
    def count(self) -> int:
        """Strategies in it."""
        return int(self.row_counts.sum()) * len(self.experts) * len(self.again)


class Space:
    """Every valid strategy of a resolved plan's cluster and workload.

    Args:
        resolved: the plan; of its strategy only what is not searched counts (stack, overlaps, offload, ...), and its
            shard group, which is searched beside the whole data-parallel group.
        constraints: what may not change. A shard group that is kept takes the place of the plan's own.

    Raises:
        PlanError: no strategy can make the plan possible (a model without equations, a precision the card lacks).
    """

    def __init__(self, resolved: Resolved, constraints: Constraints | None = None) -> None:
        self.constraints = constraints or Constraints()
        self.resolved = _with_group(resolved, self.constraints.keep.get("shard_group", 0))
        self._free = self.constraints == Constraints(headroom=self.constraints.headroom)
        self._refuse_impossible()

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        """One slice a pipeline degree that has any strategy, smallest degree first."""
        return tuple(s for p in self._pipelines() if (s := self._slice(p)) is not None and s.count)

    @property
    def count(self) -> int:
        """Strategies in the space."""
        return sum(s.count for s in self.slices)

    def strategy(self, number: int, row: int, expert: int, chunk: int, shard: int, again: int) -> Strategy:
        """The strategy at a place."""
        one = self.slices[number]
        tensor, sequence, context, micro = (int(v) for v in one.rows[row])
        virtual, schedule = (int(v) for v in one.chunks[chunk])
        zero, group = (int(v) for v in one.sharding[shard])
        way = one.again[again]
        changes: dict[str, Any] = {
            "tensor": tensor,
            "sequence": bool(sequence),
            "context": context,
            "pipeline": one.pipeline,
            "virtual_stages": virtual,
            "expert": int(one.experts[expert, 0]),
            "expert_tensor": int(one.experts[expert, 1]),
            "micro_batch": micro,
            "schedule": SCHEDULES[schedule],
            "sharding": SHARDINGS[zero],
            "shard_group": group,
            "recompute": way.kind,
            "recompute_modules": way.modules,
            "recompute_layers": way.layers,
        }
        return self.resolved.strategy.model_copy(update=changes)

    def some(self) -> Strategy:
        """One of them; a space that has none has no slices."""
        number = len(self.slices) - 1
        one = self.slices[number]
        row = int(one.row_counts.argmax())
        return self.strategy(number, row, 0, int(one.allowed[row].argmax()), int(one.shares[row].argmax()), 0)

    def _refuse_impossible(self) -> None:
        r = self.resolved
        found: list[Problem] = []
        for rule in (machine.model_is_modelled, machine.precision_of_card, machine.sites, machine.topology_holds):
            found += [problem for problem in rule(r) if problem.severity == "error"]
        if found:
            raise PlanError(found, r.plan.name)

    def _allow(self, key: str, value: object) -> bool:
        return self._free or self.constraints.allow(key, value)

    def _pipelines(self) -> Iterator[int]:
        most = most_chunks(self.resolved)
        return (p for p in divisors(self.resolved.plan.cluster.cards) if p <= most and self._allow("pipeline", p))

    def _slice(self, pipeline: int) -> Slice | None:
        rows, micro_batches = self._rows(pipeline)
        chunks = self._chunks(pipeline)
        if not rows or not chunks:
            return None
        table = np.array(chunks)
        count = np.array(micro_batches)[:, None]
        dual = (table[:, 1] == DUALPIPE)[None, :]
        runs = (count % 2 == 0) & (count >= 2 * pipeline)
        sharding = np.array(self.shardings(), dtype=np.int64).reshape(-1, 2)
        ranks = self.resolved.plan.cluster.cards // pipeline // np.array(rows)[:, :1]
        return Slice(
            pipeline,
            np.array(rows),
            np.array(self._experts(pipeline), dtype=np.int64).reshape(-1, 2),
            table,
            sharding,
            tuple(self.ways(pipeline)),
            ~dual | runs,
            ranks % np.maximum(sharding[:, 1], 1)[None, :] == 0,
        )

    def _rows(self, pipeline: int) -> tuple[list[tuple[int, int, int, int]], list[int]]:
        """Tensor, sequence, context and micro batch, and the micro-batches of a step."""
        r = self.resolved
        work, sites = r.plan.workload, r.plan.cluster.sites
        rows: list[tuple[int, int, int, int]] = []
        counts: list[int] = []
        stage = r.plan.cluster.cards // pipeline
        for tensor in divisors(stage):
            if not (_splits(r.model, tensor) and self._allow("tensor", tensor)):
                continue
            for context in divisors(stage // tensor):
                data = stage // tensor // context
                if work.global_batch % data or data % sites or not self._allow("context", context):
                    continue
                if context > 1 and work.sequence_length % (2 * context):
                    continue
                even = tensor > 1 and work.sequence_length % (context * tensor) == 0
                for sequence in (0, 1) if even else (0,):
                    if not self._allow("sequence", bool(sequence)):
                        continue
                    per_group = work.global_batch // data
                    for micro in divisors(per_group):
                        if self._allow("micro_batch", micro):
                            rows.append((tensor, sequence, context, micro))
                            counts.append(per_group // micro)
        return rows, counts

    def _experts(self, pipeline: int) -> list[tuple[int, int]]:
        moe = self.resolved.model.moe
        stage = self.resolved.plan.cluster.cards // pipeline
        pairs = ((e, x) for e in divisors(moe.experts) for x in divisors(moe.expert_ffn)) if moe else iter([(1, 1)])
        return [
            (e, x)
            for e, x in pairs
            if stage % (e * x) == 0 and self._allow("expert", e) and self._allow("expert_tensor", x)
        ]

    def _chunks(self, pipeline: int) -> list[tuple[int, int]]:
        found = []
        most = most_chunks(self.resolved) // pipeline if pipeline > 1 else 1
        for virtual in range(1, most + 1):
            if not self._allow("virtual_stages", virtual):
                continue
            plain = [ONE_F_ONE_B, GPIPE] if virtual == 1 else [INTERLEAVED]
            if pipeline > 1 and virtual <= 2:  # noqa: PLR2004 - ZB-V has two chunks a stage
                plain.append(ZERO_BUBBLE)
            if pipeline > 1 and pipeline % 2 == 0 and virtual == 1:
                plain.append(DUALPIPE)
            found += [(virtual, kind) for kind in plain if self._allow("schedule", SCHEDULES[kind])]
        return found

    def shardings(self) -> list[tuple[int, int]]:
        """ZeRO stages over the whole group, and over the shard group where the plan has one or one is kept."""
        own = self.resolved.strategy.shard_group
        pairs = [(zero, 0) for zero in range(len(SHARDINGS))]
        if own:
            pairs += [(zero, own) for zero in range(1, len(SHARDINGS))]
        return [
            (zero, group)
            for zero, group in pairs
            if self._allow("sharding", SHARDINGS[zero]) and self._allow("shard_group", group)
        ]

    def ways(self, pipeline: int) -> list[Again]:
        """Ways to recompute the layers of so many stages."""
        found: list[Again] = [Again("none")]
        found += [Again("selective", modules) for modules in _module_sets(self.resolved.model)]
        per_stage = -(-self.resolved.model.layers // pipeline)
        found += [Again("full", (), layers) for layers in range(1, per_stage)]
        found.append(Again("full"))
        return [
            way
            for way in found
            if self._allow("recompute", way.kind)
            and self._allow("recompute_modules", way.modules)
            and self._allow("recompute_layers", way.layers)
        ]


def canonical(strategy: Strategy, resolved: Resolved) -> Strategy:
    """The strategy of the space that means the same: see the head of this file."""
    y = strategy
    changes: dict[str, Any] = {"sequence": bool(y.sequence) and y.tensor > 1}
    if y.schedule is None:
        changes["schedule"] = "interleaved" if y.virtual_stages > 1 else "1f1b"
    if y.pipeline == 1 and y.virtual_stages == 1 and y.schedule == "interleaved":
        changes["schedule"] = "1f1b"
    if y.recompute == "selective":
        wanted = set(y.recompute_modules or ("core_attention",))
        modules = tuple(m for m in (*_fine_modules(resolved.model), *COARSE_MODULES) if m in wanted)
        changes["recompute_modules"] = modules
        changes["recompute"] = "selective" if modules else "none"
    if y.recompute == "full":
        layers, most = resolved.model.layers, resolved.model.layers + resolved.model.mtp_depth
        if -(-layers // y.pipeline) <= y.recompute_layers <= -(-most // y.pipeline):
            changes["recompute_layers"] = 0
    ranks = resolved.plan.cluster.cards // (y.tensor * y.pipeline)
    if y.sharding == "none" or y.shard_group == ranks:
        changes["shard_group"] = 0
    return y.model_copy(update=changes)


def _with_group(resolved: Resolved, group: int) -> Resolved:
    """The plan with another shard group; 0: its own."""
    if group in (0, resolved.strategy.shard_group):
        return resolved
    return replace(resolved, strategy=resolved.strategy.model_copy(update={"shard_group": group}))


def _splits(m: Model, tensor: int) -> bool:
    """Tensor parallelism can split all it has to."""
    widths = (
        m.heads,
        m.hybrid.mamba_heads if m.hybrid else 0,
        m.ffn_hidden if m.dense_layers else 0,
        m.moe.shared_width if m.moe else 0,
    )
    shared = m.attention == "mla" or m.kv_heads % tensor == 0 or tensor % m.kv_heads == 0
    return shared and not any(width % tensor for width in widths)


def _fine_modules(m: Model) -> tuple[RecomputeModule, ...]:
    """Modules of this model that can be recomputed alone or together."""
    names: tuple[tuple[RecomputeModule, object], ...] = (
        ("core_attention", True),
        ("mla_up", m.attention == "mla"),
        ("moe_activation", m.moe),
        ("norm", True),
        ("mlp", m.dense_layers),
    )
    return tuple(name for name, there in names if there)


def _module_sets(m: Model) -> list[tuple[RecomputeModule, ...]]:
    fine = _fine_modules(m)
    sets = [names for size in range(1, len(fine) + 1) for names in combinations(fine, size)]
    return [*sets, *((name,) for name in COARSE_MODULES)]
