"""What every tool needs of a plan, and the words for what it cannot be told."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from planner import __version__
from planner.exchange.figures import layout_facts, plan_facts
from planner.spec.plan import Resolved
from planner.spec.words import escaped

NOT_SAID = (
    "A plan does not say: data and tokenizer, optimizer hyperparameters, learning rate, checkpoints, initialization, "
    "position embedding, norms and biases. Add them."
)
"""What a run needs beside what a plan states."""


@dataclass
class Left:
    """What a plan states and a tool cannot be told, as sentences."""

    said: list[str] = field(default_factory=list)

    def out(self, key: str, value: object, why: str) -> None:
        """Note a key of the strategy that is not set as the plan has it.

        Args:
            key: the key, without its table.
            value: what the plan has there.
            why: what the tool does instead, or where it is set.
        """
        words = str(value).lower() if isinstance(value, bool) else value
        words = ", ".join(map(str, words)) if isinstance(words, tuple) else words
        self.said.append(f"strategy.{key} = {words}: {why}")


def steps(r: Resolved) -> int:
    """Optimizer steps of the run: tokens / (sequences of a step x tokens of a sequence), rounded up."""
    w = r.plan.workload
    return math.ceil(w.tokens / (w.global_batch * w.sequence_length))


def nodes(r: Resolved) -> int:
    """Servers of the cluster."""
    return -(-r.plan.cluster.cards // r.cards_per_node)


def shard_group(r: Resolved) -> int:
    """Data-parallel ranks that share one copy of what is sharded; the context group counts as data-parallel."""
    return r.strategy.shard_group or r.data_parallel * r.strategy.context


def stage_layers(r: Resolved) -> list[int]:
    """Layers of each pipeline stage, those of multi-token prediction on the last.

    Split as the engine does (`planner.engine.schedule.split`): where layers do not divide, the last stage is the first
    to hold fewer, then the first, then others from the end; the last may hold two fewer.
    """
    count, stages = r.model.layers + r.model.mtp_depth, r.strategy.pipeline
    full = -(-count // stages)
    sizes = [full] * stages
    missing = full * stages - count
    at_last = min(-(-missing // 2), 2, max(full - 1, 1))
    sizes[-1] -= at_last
    missing -= at_last
    for stage in [0, *range(stages - 2, 0, -1)][:missing]:
        sizes[stage] -= 1
    return sizes


def chunk_layers(r: Resolved) -> list[int]:
    """Layers of each model chunk in the order of the model: chunk c of stage s stands at place c x stages + s.

    A stage's layers are spread evenly over its chunks; the very first and very last chunk are those that hold fewer.
    """
    chunks = r.strategy.virtual_stages
    stages = []
    for stage, layers in enumerate(stage_layers(r)):
        least, more = divmod(layers, chunks)
        sizes = [least + 1] * more + [least] * (chunks - more)
        stages.append(sizes[::-1] if stage == 0 else sizes)
    return [stage[chunk] for chunk in range(chunks) for stage in stages]


def moe_pattern(r: Resolved) -> list[int]:
    """1 for a layer with experts, 0 for a dense one; dense layers between others are spread evenly."""
    moe = r.model.moe
    if moe is None:
        return [0] * r.model.layers
    rest, experts = r.model.layers - moe.first_k_dense, r.model.moe_layers
    spread = [(n + 1) * experts // rest - n * experts // rest for n in range(rest)]
    return [0] * moe.first_k_dense + spread


def window_pattern(r: Resolved) -> list[int]:
    """1 for a layer with a sliding window, 0 for a full one."""
    m = r.model
    if m.full_every:
        return [int((n + 1) % m.full_every != 0) for n in range(m.layers)]
    return [int((n + 1) % max(m.window_every, 1) == 0) for n in range(m.layers)]


def runs(pattern: list[int]) -> str:
    """A pattern as the sum of its runs.

    >>> runs([0, 0, 0, 1, 1])
    '[0]*3+[1]*2'
    """
    parts: list[tuple[int, int]] = []
    for value in pattern:
        last, count = parts[-1] if parts else (None, 0)
        if value == last:
            parts[-1] = (value, count + 1)
        else:
            parts.append((value, 1))
    return "+".join(f"[{value}]*{count}" for value, count in parts)


def comment(r: Resolved, tool: str, left: Left) -> str:
    """The lines above the settings: which plan, for which tool, what is left to say. Each line begins with `# `."""
    lines = [
        r.title,
        " · ".join(plan_facts(r)),
        " · ".join(layout_facts(r)),
        f"cluster-planner {__version__}, for {tool}.",
    ]
    if left.said:
        lines += ["", "Stated by the plan and not set here:", *(f"  {words}" for words in left.said)]
    lines += ["", NOT_SAID]
    return "".join(f"{f'# {escaped(line)}'.rstrip()}\n" for line in lines)
