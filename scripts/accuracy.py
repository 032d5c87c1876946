"""The accuracy report: `docs/accuracy.md` and its picture, from the errors the calibration found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scripts.fitting import Floats

from planner.engine.constants import from_values
from planner.engine.estimate import evaluate
from planner.engine.inputs import batch
from planner.engine.layout import groups
from planner.engine.memory import fullest
from planner.engine.reading import inputs_of
from planner.engine.validation import Report, predict_all, report
from planner.spec.runs import MeasuredRun

COLUMNS = ("in-sample", "family held out", "card held out")
YOUNG_MONTHS = 24
"""A stack's experts or XLA code on a GPU is young until this many months after the card was announced."""


YOUNG_RULE = (
    f"a mixture of experts, or XLA on a GPU, on a card announced at most {YOUNG_MONTHS} months before the run. The "
    "rule looks at date, card and model class only; NVIDIA's own tables show such rows gaining 25 to 100 % in the "
    "following releases."
)


@dataclass(frozen=True)
class Result:
    """What the calibration found; every array is over `rows`, logarithms of predicted over measured step time."""

    rows: tuple[MeasuredRun, ...]
    in_sample: Floats
    by_family: Floats
    by_card: Floats
    inside: Floats
    """Held-out error over the half-width of its 80 % range."""
    ablation: dict[str, Floats]
    values: dict[str, float]


def young(run: MeasuredRun) -> bool:
    """The rule for software its own source later improved: by date, card and model class, never by error."""
    special = run.kind == "moe" or (run.resolved.stack.xla and run.resolved.card.vendor != "Google")
    return special and months(run.run.date) - months(run.resolved.card.launch) <= YOUNG_MONTHS


def months(day: str) -> int:
    """Months since year 0 of a date written 2024, 2024-03 or 2024-03-01; December where only the year is known."""
    year, _, rest = day.partition("-")
    return 12 * int(year) + (int(rest[:2]) if rest else 12)


def figures(errors: Floats) -> str:
    """Cells n, median, p90 and bias of log errors, in percent."""
    e = np.expm1(errors)
    return (
        f"{len(e)} | {100 * np.median(abs(e)):.1f} | {100 * np.quantile(abs(e), 0.9):.1f} | {100 * np.median(e):+.1f}"
    )


def split_table(result: Result, title: str, key: Callable[[MeasuredRun], str]) -> list[str]:
    """A table of in-sample and held-out errors, one line a value of the key."""
    names = [key(run) for run in result.rows]
    lines = [
        f"| {title} | {' | '.join(f'n | {name}: median | p90 | bias' for name in COLUMNS)} |",
        "|---" * 13 + "|",
    ]
    for name in sorted(set(names)):
        mine = np.array([n == name for n in names])
        cells = " | ".join(figures(e[mine]) for e in (result.in_sample, result.by_family, result.by_card))
        lines.append(f"| {name} | {cells} |")
    return lines


def family_medians(result: Result, errors: Floats, keep: Floats) -> float:
    """Mean over families of the median absolute error, percent."""
    families = np.array([run.group for run in result.rows])
    return float(
        100
        * np.mean(
            [
                np.median(abs(np.expm1(errors[keep & (families == f)])))
                for f in sorted(set(families))
                if (keep & (families == f)).any()
            ]
        )
    )


def headline(result: Result) -> list[str]:
    """The figures that count, with and without rows on young software."""
    every = np.ones(len(result.rows), dtype=bool)
    old = np.array([not young(run) for run in result.rows])
    moe = np.array([run.kind == "moe" for run in result.rows])
    lines = ["| rows | n | median | p90 | bias | mean of family medians |", "|---|---|---|---|---|---|"]
    for name, errors, keep in (
        ("in-sample", result.in_sample, every),
        ("in-sample, without young software", result.in_sample, old),
        ("family held out", result.by_family, every),
        ("family held out, without young software", result.by_family, old),
        ("family held out, dense", result.by_family, ~moe),
        ("family held out, MoE", result.by_family, moe),
        ("family held out, MoE without young software", result.by_family, moe & old),
        ("card held out", result.by_card, every),
    ):
        lines.append(f"| {name} | {figures(errors[keep])} | {family_medians(result, errors, keep):.1f} |")
    covered = 100 * float((result.inside <= 1.0).mean())
    lines += [
        "",
        f"Of the held-out rows, {covered:.0f} % lie inside the 80 % range that the other families' errors give.",
        f"{100 * (~old).mean():.1f} % of the rows are on young software: {YOUNG_RULE}",
    ]
    return lines


def coverage_by_family(result: Result) -> list[str]:
    """Coverage of the 80 % ranges, one line a family."""
    families = np.array([run.group for run in result.rows])
    lines = ["| family | n | inside the 80 % range |", "|---|---|---|"]
    for family in sorted(set(families)):
        mine = families == family
        lines.append(f"| {family} | {mine.sum()} | {100 * (result.inside[mine] <= 1.0).mean():.0f} % |")
    return lines


def ablation_table(result: Result) -> list[str]:
    """What each term buys: held-out errors without it, the rest refitted."""
    moe = np.array([run.kind == "moe" for run in result.rows])
    lines = [
        "| without | all: n | median | p90 | bias | MoE: n | median | p90 | bias |",
        "|---" * 9 + "|",
        f"| (nothing removed) | {figures(result.by_family)} | {figures(result.by_family[moe])} |",
    ]
    lines += [f"| {term} | {figures(e)} | {figures(e[moe])} |" for term, e in result.ablation.items()]
    return lines


KINDS: dict[str, Callable[[MeasuredRun], str]] = {
    "family": lambda run: run.group,
    "card": lambda run: run.card,
    "precision": lambda run: run.resolved.plan.workload.precision,
    "model": lambda run: run.resolved.model.name,
    "software": lambda run: run.resolved.stack.name,
    "cards": lambda run: f"{4 ** math.floor(math.log(run.resolved.plan.cluster.cards, 4)):,} and more",
    "sequence": lambda run: f"{2 ** math.floor(math.log2(run.resolved.plan.workload.sequence_length)):,} and more",
}
"""What runs may have in common."""


def weak_lines(result: Result) -> list[str]:
    """Kinds of five runs or more on which the engine is half as far off again as on all, at the median or at p90."""
    size = abs(np.expm1(result.by_family))
    usual = (1.5 * np.median(size), 1.5 * np.quantile(size, 0.9))
    lines = [
        "Kinds of five runs or more whose median or p90, family held out, is half as much again as that of all runs.",
        "",
        "| kind | n | median | p90 | bias |",
        "|---|---|---|---|---|",
    ]
    for kind, key in KINDS.items():
        names = np.array([key(run) for run in result.rows])
        for name in sorted(set(names)):
            mine = names == name
            if mine.sum() >= 5 and (np.median(size[mine]) > usual[0] or np.quantile(size[mine], 0.9) > usual[1]):
                lines.append(f"| {kind}: {name} | {figures(result.by_family[mine])} |")
    return lines


def worst_table(result: Result, count: int = 25) -> list[str]:
    """The worst held-out rows with the likely reason."""
    x = batch([inputs_of(run.resolved) for run in result.rows])
    with np.errstate(all="ignore"):
        memory = fullest(x, groups(x), from_values(result.values))
        full = np.asarray(memory.total) / (result.values["usable"] * x.machine.memory_bytes)
    order = np.argsort(-abs(result.by_family))[:count]
    lines = ["| run | error | likely reason |", "|---|---|---|"]
    for i in order:
        run = result.rows[i]
        lines.append(f"| `{run.id}` | {100 * np.expm1(result.by_family[i]):+.0f} % | {reason(run, float(full[i]))} |")
    return lines


def reason(run: MeasuredRun, full: float) -> str:
    """What is known about a row that explains an error; not a proof."""
    if young(run):
        return "young software by the rule above"
    if full > 0.9:
        return f"memory {100 * full:.0f} % full: the allocator frees and retries"
    quiet = not run.resolved.stack.overlap.data and run.resolved.data_parallel > 8
    if quiet and "cluster.scale_out" in run.run.unstated:
        return "gradient exchange is not overlapped, and the source does not state the network"
    if run.resolved.strategy.sharding == "zero3" and not run.resolved.stack.overlap.fsdp:
        return "weights gathered without prefetch: the message sizes are not stated"
    if run.resolved.model.hidden <= 1024:
        return "a small model: launch and memory-bound work dominate"
    return "not known" if run.resolved.stack.mature else "in-house software"


def ranking_lines(checked: Report) -> list[str]:
    """Order of layouts inside sweeps, and fit or not."""
    order, fit, memory = checked.ranking, checked.fit, checked.memory
    return [
        "| what | figure |",
        "|---|---|",
        f"| layout sweeps of eight or more runs | {len(order.sweeps)} |",
        f"| median Spearman of predicted and measured step time inside them | {order.median_spearman or 0.0:.2f} |",
        f"| median loss of the layout the engine would pick | {100 * (order.median_loss or 0.0):.1f} % |",
        f"| sweeps in which that layout ran out of memory | {order.picked_oom} |",
        f"| runs that fitted, called too large | {fit.ran_called_oom} of {fit.ran} |",
        f"| runs that ran out of memory, called fitting | {fit.oom_called_fit} of {fit.oom} |",
        f"| balanced accuracy of fits or not | {100 * (fit.balanced_accuracy or 0.0):.1f} % |",
        f"| median absolute error of {memory.n} memory figures | {100 * (memory.median_abs_error or 0.0):.1f} % |",
    ]


def picture(result: Result, path: Path) -> None:
    """Predicted against measured step time, families apart by shape of mark, held out; SVG."""
    size, edge = 640, 60
    measured = np.log10([run.step_time_s or 1.0 for run in result.rows])
    predicted = measured + result.by_family / np.log(10.0)
    low, high = float(np.floor(measured.min())), float(np.ceil(measured.max()))
    scale = (size - 2 * edge) / (high - low)
    families = sorted({run.group for run in result.rows})

    def place(value: float, *, up: bool = False) -> float:
        return round(size - edge - (value - low) * scale if up else edge + (value - low) * scale, 1)

    wide = f'width="{size + 220}" height="{size}"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {wide} font-family="sans-serif" font-size="12">',
        f'<rect width="{size + 220}" height="{size}" fill="#ffffff"/>',
        f'<text x="{size / 2}" y="{size - 12}" text-anchor="middle">measured step time, s</text>',
        f'<g transform="rotate(-90 16 {size / 2})">',
        f'<text x="16" y="{size / 2}" text-anchor="middle">predicted with the family held out, s</text></g>',
    ]
    for decade in range(int(low), int(high) + 1):
        x, y = place(decade), place(decade, up=True)
        out.append(f'<path d="M{x} {edge}V{size - edge}M{edge} {y}H{size - edge}" stroke="#dddddd"/>')
        out.append(f'<text x="{x}" y="{size - edge + 16}" text-anchor="middle">{10.0**decade:g}</text>')
        out.append(f'<text x="{edge - 6}" y="{y + 4}" text-anchor="end">{10.0**decade:g}</text>')
    for shift in (-0.0969, 0.0, 0.0969):  # 25 % either side
        ends = place(low), place(low + shift, up=True), place(high), place(high + shift, up=True)
        dash = "" if shift == 0 else ' stroke-dasharray="4 4"'
        out.append(f'<path d="M{ends[0]} {ends[1]}L{ends[2]} {ends[3]}" stroke="#666666"{dash}/>')
    for k, family in enumerate(families):
        hue, shape = 360 * k // len(families), k % 3
        for run, m, p in zip(result.rows, measured, predicted, strict=True):
            if run.group == family:
                out.append(mark(place(m), place(p, up=True), hue, shape))
        out.append(mark(size - 30, edge + 20 * k, hue, shape))
        out.append(f'<text x="{size - 18}" y="{edge + 20 * k + 4}">{family}</text>')
    path.write_text("\n".join([*out, "</svg>", ""]), encoding="utf-8")


def mark(x: float, y: float, hue: int, shape: int) -> str:
    """One point: a circle, square or triangle, so that colour is not the only sign."""
    style = f'fill="hsl({hue},60%,45%)" fill-opacity="0.6"'
    if shape == 0:
        return f'<circle cx="{x}" cy="{y}" r="3" {style}/>'
    if shape == 1:
        return f'<rect x="{x - 2.7:.1f}" y="{y - 2.7:.1f}" width="5.4" height="5.4" {style}/>'
    return f'<path d="M{x} {y - 3.4:.1f}l3.2 5.8h-6.4z" {style}/>'


def write_report(result: Result, runs: Iterable[MeasuredRun], folder: Path) -> None:
    """Write `accuracy.md` and `accuracy.svg`.

    Args:
        result: the calibration's errors.
        runs: every usable row, with those that ran out of memory.
        folder: where the files go.
    """
    folder.mkdir(exist_ok=True)
    constants = from_values(result.values)
    checked = report(*predict_all(list(runs), lambda resolved: evaluate(resolved, constants)))
    picture(result, folder / "accuracy.svg")
    sections: Sequence[tuple[str, list[str]]] = (
        ("The figures that count", headline(result)),
        ("Order of layouts, memory", ranking_lines(checked)),
        ("By source family", split_table(result, "family", lambda run: run.group)),
        ("By card", split_table(result, "card", lambda run: run.card)),
        ("By kind of model", split_table(result, "kind", lambda run: run.kind)),
        ("By precision", split_table(result, "precision", lambda run: run.resolved.plan.workload.precision)),
        ("Where it is weak", weak_lines(result)),
        ("Ranges", coverage_by_family(result)),
        ("What each term buys", ablation_table(result) if result.ablation else []),
        ("The worst rows", worst_table(result)),
    )
    body = "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections if lines)
    (folder / "accuracy.md").write_text(f"{INTRODUCTION}\n{body}\n", encoding="utf-8")


INTRODUCTION = """# How wrong the engine is

Written by `python -m scripts.calibrate` from the measured runs in `validation/`; do not edit.

Errors are predicted over measured step time minus one, in percent, over rows whose every input is known and that are
not marked odd. *Family held out*: no run of the source took part in the fit that predicts it, so this is the error to
expect on a source the engine has not seen. *Card held out*: the same for all runs of a card. In-sample figures are
shown to see how much the fit flatters itself.

![predicted against measured](accuracy.svg)
"""
