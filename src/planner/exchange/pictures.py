"""Pictures of a plan as lines of text: what its pipeline's stages do when, and which ranks share what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from planner.engine.layout import Group, groups
from planner.engine.reading import inputs_of
from planner.engine.result import Outcome
from planner.exchange.format import share
from planner.exchange.report import Line, memory_lines, step_lines, wrapped
from planner.exchange.timeline import Timeline, draw
from planner.spec.plan import Resolved

LABEL: Final = 10
"""Columns of the names of stages."""
MOST_BATCHES: Final = 48
MOST_STAGES: Final = 24
NODES: Final = 3
"""Nodes shown of the first stage."""
GROUPS: Final = {
    "tensor": "tensor", "context": "context", "expert": "expert", "gradient": "data", "expert_gradient": "expert data",
}  # fmt: skip
"""Groups of the engine, as people call them."""
LEGEND: Final = "A digit: forward of a micro-batch; its letter: backward; = weight gradients; · waiting."
ORDER: Final = "Ranks are numbered as Megatron does: tensor fastest, then context, data, and pipeline slowest."


def timeline(outcome: Outcome, width: int) -> list[Line]:
    """What each stage does when, for as many micro-batches as there is room for."""
    r = outcome.resolved
    s = r.strategy
    if s.pipeline == 1:
        return [Line("  One pipeline stage: nothing waits for another.", "quiet")]
    room = max(width - LABEL - 2, 20)
    drawn, batches = fitting(r, room)
    e = outcome.estimate
    idle = e.step_breakdown_s["pipeline_bubble"] / e.step_time_s
    whole = "" if batches == r.micro_batches else f" of {r.micro_batches:,}"
    picture = f"{share(drawn.idle)} of this picture is waiting"
    if batches < min(r.micro_batches, s.pipeline):
        drawn = draw(str(s.schedule), s.pipeline, s.virtual_stages, min(r.micro_batches, MOST_BATCHES), room)
        whole, batches, picture = "", r.micro_batches, "the beginning of the step"
    chunks = f" of {s.virtual_stages} chunks" if s.virtual_stages > 1 else ""
    words = (
        f"{s.schedule}, {s.pipeline} stages{chunks}, {batches:,}{whole} micro-batches: {picture}; "
        f"{share(idle)} of the whole step is bubble."
    )
    lines = [*wrapped(f"  {words}", width, "quiet", 2), *wrapped(f"  {LEGEND}", width, "quiet", 2), Line("")]
    shown = drawn.rows[:MOST_STAGES]
    lines += [Line(f"  {f'stage {stage}':<{LABEL}}{row}") for stage, row in enumerate(shown)]
    if len(shown) < len(drawn.rows):
        lines.append(Line(f"  {len(drawn.rows) - len(shown)} more stages", "quiet"))
    return lines


def fitting(r: Resolved, room: int) -> tuple[Timeline, int]:
    """The drawing of the most micro-batches that fit in so many columns, and how many they are; 0: not even one."""
    s = r.strategy
    most = min(r.micro_batches, MOST_BATCHES, room // (2 * s.virtual_stages))
    least = 1
    if s.schedule == "dualpipe":  # half of them come from either end
        most, least = most - most % 2, 2
    for batches in range(most, 0, -max(most // 8 * least, least)):
        drawn = draw(str(s.schedule), s.pipeline, s.virtual_stages, batches, room + 1)
        if len(drawn.rows[0]) <= room:
            return drawn, batches
    return Timeline((), 0.0), 0


def rank_map(r: Resolved, width: int) -> list[Line]:
    """Which ranks share a node, a scale-up domain and a rail, and what each group's traffic runs over."""
    s, per_node = r.strategy, r.cards_per_node
    lines = [
        *wrapped(f"  {ORDER}", width, "quiet", 2),
        Line(""),
        Line(f"  {'group':<14}{'cards':>7}{'of them in one domain':>24}   traffic over", "heading"),
    ]
    lines += [Line(f"  {words}") for words in _groups(r)]
    lines += [Line(""), Line("  Each card: stage . copy . tensor rank; cards below each other share a rail.", "quiet")]
    cell = max(len(_cell(r, r.plan.cluster.cards - 1)) + 2, 7)
    names = {node: _node_name(r, node) for node in _shown_nodes(r)}
    first = max(12, *(len(name) + 2 for name in names.values()))
    room = width - first - 2
    columns = per_node if per_node * cell <= room else max((room - len(f"  {per_node} more")) // cell, 1)
    more = f"  {per_node - columns} more" if columns < per_node else ""
    rails = "".join(f"{f'rail {card}':<{cell}}" for card in range(columns))
    lines.append(Line(f"  {'':<{first}}{rails}{more}", "quiet"))
    last = -1
    for node, name in names.items():
        if node > last + 1:
            lines.append(Line("  …", "quiet"))
        ranks = range(node * per_node, min(node * per_node + columns, r.plan.cluster.cards))
        lines.append(Line(f"  {name:<{first}}" + "".join(f"{_cell(r, rank):<{cell}}" for rank in ranks)))
        last = node
    stages = f"; a stage is {r.plan.cluster.cards // s.pipeline:,} cards in a row" if s.pipeline > 1 else ""
    lines += [Line(""), Line(f"  {per_node} cards a node, {r.scale_up_domain} a scale-up domain{stages}.", "quiet")]
    return lines


def _node_name(r: Resolved, node: int) -> str:
    """A node's number, and its domain's where a domain holds several."""
    domain = node * r.cards_per_node // r.scale_up_domain
    return f"node {node}" if r.scale_up_domain <= r.cards_per_node else f"{node} (dom {domain})"


def _groups(r: Resolved) -> Iterator[str]:
    found = groups(inputs_of(r))
    for name, title in GROUPS.items():
        one: Group = getattr(found, name)
        size, local = int(one.size), int(one.local)
        if size <= 1:
            continue
        over = "scale-up alone" if local >= size else "scale-out alone" if local == 1 else "scale-up, then scale-out"
        yield f"{title:<14}{size:>7,}{local:>24,}   {over}"
    if r.strategy.pipeline > 1:
        near = r.plan.cluster.cards // r.strategy.pipeline < r.scale_up_domain
        over = "scale-up" if near else "scale-out, on the same rail"
        yield f"{'pipeline':<14}{r.strategy.pipeline:>7,}{'':>24}   {over}"


def _cell(r: Resolved, rank: int) -> str:
    s = r.strategy
    tensor, rest = rank % s.tensor, rank // s.tensor
    copies = r.plan.cluster.cards // (s.tensor * s.pipeline)
    return f"{rest // copies}.{rest % copies}.{tensor}"


def _shown_nodes(r: Resolved) -> list[int]:
    """The first nodes, the first of the second stage, and the last."""
    nodes = max(r.plan.cluster.cards // r.cards_per_node, 1)
    second = r.plan.cluster.cards // r.strategy.pipeline // r.cards_per_node
    chosen = {*range(min(NODES, nodes)), second, second + 1, nodes - 1}
    return sorted(node for node in chosen if node < nodes)


def every(outcome: Outcome, width: int) -> list[Line]:
    """All pictures of a plan, each under its heading: those of the report, then those of `lines`."""
    e = outcome.estimate
    memory = memory_lines(e, width, everything=True)
    return [*step_lines(e, width), Line(""), *memory, Line(""), *lines(outcome, width)]


def lines(outcome: Outcome, width: int) -> list[Line]:
    """The timeline and the rank map, each under its heading."""
    return [
        Line("What the stages do when", "heading"), *timeline(outcome, width), Line(""),
        Line("Which ranks share what", "heading"), *rank_map(outcome.resolved, width),
    ]  # fmt: skip
