"""Strategies in words, ranked, and what would help: the same text in the terminal UI and on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from planner.exchange.format import days, money
from planner.exchange.plots import two_sided
from planner.exchange.report import Line

if TYPE_CHECKING:
    from planner.engine.explain import Effect
    from planner.engine.search import SearchResult
    from planner.spec.plan import Strategy

VISIBLE = 5e-4
"""Relative effect below which it shows as none."""
NAME = 24
FIGURES = 26


def describe(y: Strategy, data: int) -> str:
    """A strategy in a line; degrees of 1 are left out."""
    names = {"tensor": y.tensor, "context": y.context, "pipeline": y.pipeline, "virtual": y.virtual_stages}
    names |= {"expert": y.expert, "expert tensor": y.expert_tensor}
    words = [f"{name} {degree:,}" for name, degree in names.items() if degree > 1]
    words += [f"data {data:,}", f"micro {y.micro_batch:,}"]
    words += [str(y.schedule)] if y.pipeline > 1 else []
    words += [y.sharding + (f"/{y.shard_group:,}" if y.shard_group else "")]
    words += ["no sequence"] if y.tensor > 1 and not y.sequence else []
    if y.recompute == "selective":
        words.append(f"recompute {' + '.join(y.recompute_modules or ('core_attention',))}")
    elif y.recompute == "full":
        words.append(f"recompute {y.recompute_layers or 'all'} layers")
    return " · ".join(words)


def counts(result: SearchResult) -> str:
    """How many strategies were searched, and what became of them."""
    words = f"{result.searched:,} strategies in {result.seconds:.2f} s: {result.too_large:,} do not fit"
    if result.exhaustive:
        return f"{words}, {result.feasible:,} fit."
    slower = f"{result.slower:,} cannot be among the best whether they fit or not"
    return f"{words}, {slower}, {result.feasible:,} that fit were compared."


def tornado(effects: Sequence[Effect], width: int, *, ascii_only: bool = False) -> Iterator[Line]:
    """What ten per cent more of each thing does to days (and cost, where that differs), the largest effect first.

    Args:
        effects: from `engine.explain`.
        width: columns to fill.
        ascii_only: no block characters.
    """
    seen = [e for e in effects if max(abs(e.days_share), abs(e.cost_share)) >= VISIBLE]
    if not seen:
        yield Line("  Nothing here changes days or cost by as much as it could show.", "quiet")
        return
    reach = max(abs(e.days_share or e.cost_share) for e in seen)
    room = max(width - NAME - FIGURES - 2, 10)
    for e in seen:
        share = e.days_share if abs(e.days_share) >= VISIBLE else e.cost_share
        picture = two_sided(share, reach, room, ascii_only=ascii_only)
        yield Line(f"  {e.name:<{NAME - 2}}{picture}  {effect_words(e)}".rstrip())
    rest = [e.name for e in effects if e not in seen]
    if rest:
        yield Line(f"  No effect to speak of: {', '.join(rest)}.", "quiet")


def effect_words(e: Effect) -> str:
    """The change of days, and of the cost where it is another.

    >>> from planner.engine.explain import Effect
    >>> effect_words(Effect("flops", "card FLOP/s", -3.08, -303218.0, -0.061, -0.061))
    '-3.08 days (-6.1 %)'
    """
    if abs(e.days_share) >= VISIBLE:
        number, unit = days(abs(e.days))
        words = f"{_sign(e.days)}{number} {unit} ({100 * e.days_share:+.1f} %)"
        same = abs(e.cost_share - e.days_share) < VISIBLE or not e.cost_share
        return words if same else f"{words}, {_sign(e.cost_usd)}{money(abs(e.cost_usd))}"
    return f"{_sign(e.cost_usd)}{money(abs(e.cost_usd))} ({100 * e.cost_share:+.1f} %)"


def _sign(value: float) -> str:
    return "-" if value < 0 else "+"
