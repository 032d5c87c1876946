"""The audit in words and as JSON: claims against the engine, and the page of questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from planner.engine.audit import READINGS, Finding, Judged, Verdict
from planner.engine.result import Outcome
from planner.exchange.format import between, days, money, percent, short, significant
from planner.exchange.report import Line, Style, wrapped
from planner.spec.words import escaped

VERDICT_WORDS: dict[Verdict, str] = {
    "plausible": "plausible",
    "faster-than-range": "faster than the engine's range",
    "slower-than-range": "slower than the engine's range",
    "not-enough-stated": "not enough stated",
}
"""Verdicts as people say them."""

MARKS: dict[Verdict, str] = {
    "plausible": "ok", "faster-than-range": "FASTER", "slower-than-range": "slower", "not-enough-stated": "?",
}  # fmt: skip
"""Verdicts in a column."""
VERDICT: Final = 9
WIDTHS: Final = (9, 9, 16, 12, 16)
NARROW: Final = (7, 0, 15, 6, 13)
"""Columns of the cells on a narrow terminal, without the engine's own figure, which the text below holds."""


def finding_dict(name: str, finding: Finding) -> dict[str, Any]:
    """A claim and its verdict, as in the JSON contract; null where the claim does not give a figure.

    Args:
        name: id or file name of the plan.
        finding: what the engine found.
    """
    e, claim, implied = finding.outcome.estimate, finding.claim, finding.implied
    figures = ("card_hours", "days", "cost_usd", "mfu", "tokens_per_s_per_card")
    return {
        "plan": name,
        "name": finding.outcome.resolved.plan.name,
        "claim": {key: value for key in figures if (value := getattr(claim, key))},
        "source": claim.source,
        "implied": {
            "mfu": implied.mfu,
            "tokens_per_s_per_card": implied.tokens_per_s_per_card,
            "card_hours": implied.card_hours,
            "training_days": implied.days,
            "cost_usd": implied.cost_usd,
        },
        "estimate": {
            "mfu": e.mfu,
            "tokens_per_s_per_card": e.tokens_per_s_per_card,
            "training_days": e.training_days,
            "card_hours": e.card_hours,
            "cost_usd": e.cost_usd,
            "goodput": e.goodput,
            "runs_behind": e.runs_behind,
            "interval_80": {**{k: list(v) for k, v in e.interval_80.items()}, "card_hours": list(finding.card_hours)},
        },
        "best_found": _best_dict(finding.best),
        "judged": [judged_dict(each) for each in finding.judged],
        "missing": list(finding.missing),
        "layout_assumed": finding.layout_assumed,
        "verdict": finding.verdict,
        "why": " ".join((why(finding), otherwise(finding))).strip(),
    }


def judged_dict(judged: Judged) -> dict[str, Any]:
    """One claimed figure beside its range."""
    return {
        "figure": judged.figure,
        "claimed": judged.claimed,
        "range_80": [judged.low, judged.high],
        "verdict": judged.verdict,
        "counted": list(judged.readings),
    }


def why(finding: Finding) -> str:
    """Why the verdict is what it is, in a sentence or two."""
    if finding.verdict == "not-enough-stated":
        return _not_enough(finding)
    first, *others = finding.judged
    text = _sentence(first, finding)
    if finding.verdict == "plausible" and first.verdict != "plausible":
        text += " No source states the layout, and a better one of the same cluster reaches it."
    if not finding.outcome.fits:
        text += " The engine says that the layout does not fit the cards' memory, so its range is of a run that is not."
    for other in others:
        if other.verdict == finding.verdict and not other.readings:
            continue
        text += f" {_sentence(other, finding)}"
    return text


def _sentence(judged: Judged, finding: Finding) -> str:
    """One claimed figure and its range; of an MFU, why that is wider than the engine's own."""
    some = 0 < len(judged.readings) < len(READINGS)
    counted = f", counted {' or '.join(judged.readings)}" if some else ""
    text = f"{_shown(judged, judged.claimed)} {_where(judged)} {_range(judged)}{counted}."
    if judged.figure != "MFU":
        return text
    own = between(*finding.outcome.estimate.interval_80["mfu"], percent)
    return f"{text} That range holds every way its source may count FLOPs; counted as the engine does, it is {own}."


def otherwise(finding: Finding) -> str:
    """What would have to be true for a claim outside the range; empty for one that is plausible."""
    if finding.verdict == "not-enough-stated" and "workload.tokens" in finding.missing:
        low, high = finding.tokens
        return f"At the engine's speed those hours train {between(low, high, short)} tokens."
    if finding.verdict == "faster-than-range":
        return _if_faster(finding)
    if finding.verdict == "slower-than-range":
        return _if_slower(finding)
    return ""


def lines(findings: dict[str, Finding], width: int) -> Iterator[Line]:
    """Every claim in a line of a table, then why.

    Args:
        findings: by id or file name.
        width: columns to fill.
    """
    column = max(len(escaped(name)) for name in findings)
    widths = WIDTHS if column + sum(WIDTHS) + len(WIDTHS) + VERDICT <= width else NARROW
    heads = ("claimed", "engine", "80 % range", "MFU implied" if widths is WIDTHS else "MFU", "range")
    yield Line(_row("", heads, "verdict", column, widths), "heading")
    for name, finding in findings.items():
        row = _row(escaped(name), _cells(finding), MARKS[finding.verdict], column, widths)
        yield Line(row, _style(finding.verdict))
    yield Line("")
    yield from wrapped(
        "Claimed and engine in card-hours, all-in (failures and checkpoints counted). The implied MFU is the average "
        "over those hours, or of the steps where only a speed is claimed; its range is the engine's for the same, "
        "counted as the engine does. A claimed MFU is judged by every way its source may count FLOPs: a wider range.",
        width,
        "quiet",
    )
    for name, finding in findings.items():
        yield Line("")
        yield from claim_lines(name, finding, width)


def claim_lines(name: str, finding: Finding, width: int) -> Iterator[Line]:
    """One claim: its verdict, days and cost both ways, and why."""
    plan, implied, e = finding.outcome.resolved.plan, finding.implied, finding.outcome.estimate
    title = f"{plan.name or name}: {VERDICT_WORDS[finding.verdict]}"
    yield from wrapped(escaped(title), width, "heading")
    if implied.card_hours:
        claimed = f"Claimed {_run(implied.card_hours, implied.days, implied.cost_usd)}."
        expected = f"Engine {_run(e.card_hours, e.training_days, e.cost_usd)}."
        yield from wrapped(f"  {claimed} {expected}", width, "text", 2)
    yield from wrapped(f"  {why(finding)} {otherwise(finding)}".rstrip(), width, "text", 2)
    if finding.claim.source:
        yield from wrapped(escaped(f"  Source: {finding.claim.source}."), width, "quiet", 2)


def _not_enough(finding: Finding) -> str:
    if finding.outcome.resolved.plan.claim is None:
        return "The plan has no claim of its own."
    if not finding.judged:
        return "The source states neither hours nor days nor a speed."
    keys = ", ".join(finding.missing)
    return f"{_shown(finding.judged[0], finding.judged[0].claimed)} are claimed, but no source states {keys}."


def _if_faster(finding: Finding) -> str:
    first = finding.judged[0]
    if first.figure == "card-hours":
        speed_up = first.low / first.claimed - 1.0
        tokens = finding.tokens[1]
        text = f"True only if the run was {percent(speed_up)} faster than the fast end of the range"
        text += f", or trained {short(tokens)} tokens or fewer"
    else:
        speed_up = first.claimed / first.high - 1.0
        text = f"True only if the run was {percent(speed_up)} faster than the fast end of the range"
    if finding.best is None:
        return f"{text}. No other strategy of this cluster fits either."
    hours = finding.best.estimate.card_hours
    return f"{text}; the best strategy found for the cluster takes {short(hours)} card-hours."


def _if_slower(finding: Finding) -> str:
    first = finding.judged[0]
    if first.figure != "card-hours":
        return f"True if the software ran {percent(1.0 - first.claimed / first.low)} below the slow end of the range."
    lost = 1.0 - first.high / first.claimed
    more = first.claimed / first.high - 1.0
    assumed = ", the layout was worse than the one assumed," if finding.layout_assumed else ""
    return (
        f"True if {percent(lost)} of the hours or more went to what the plan does not hold (restarts beyond the "
        f"engine's, evaluation, smaller batches at first, other stages){assumed} or {percent(more)} more tokens were "
        f"seen ({short(finding.tokens[0])})."
    )


def _where(judged: Judged) -> str:
    count = "is" if judged.figure == "MFU" else "are"
    outside = {"faster-than-range": ("less than", "more than"), "slower-than-range": ("more than", "less than")}
    if judged.verdict == "plausible":
        return f"{count} inside"
    return f"{count} {outside[judged.verdict][judged.figure != 'card-hours']}"


def _range(judged: Judged) -> str:
    low, high = _shown(judged, judged.low, bare=True), _shown(judged, judged.high, bare=True)
    return f"the engine's {low} to {high}"


def _shown(judged: Judged, value: float, *, bare: bool = False) -> str:
    if judged.figure == "card-hours":
        return short(value) + ("" if bare else " card-hours")
    if judged.figure == "MFU":
        return percent(value) if bare else f"An MFU of {percent(value)}"
    return significant(value) + ("" if bare else " tokens a second and card")


def _run(card_hours: float, run_days: float | None, usd: float | None) -> str:
    parts = [f"{short(card_hours)} card-hours"]
    if run_days:
        parts.append(days(run_days))
    if usd:
        parts.append(money(usd))
    return ", ".join(parts)


def _cells(finding: Finding) -> tuple[str, ...]:
    e, implied = finding.outcome.estimate, finding.implied
    low, high = e.interval_80["mfu"]
    average = e.goodput if finding.judged and finding.judged[0].figure == "card-hours" else 1.0
    return (
        short(implied.card_hours) if implied.card_hours else "",
        short(e.card_hours),
        between(*finding.card_hours, short),
        percent(implied.mfu) if implied.mfu else "",
        between(low * average, high * average, percent),
    )


def _row(name: str, cells: tuple[str, ...], verdict: str, column: int, widths: tuple[int, ...]) -> str:
    body = "".join(f" {cell:>{width}}" for cell, width in zip(cells, widths, strict=True) if width)
    return f"{name:<{column}}{body}  {verdict}".rstrip()


def _style(verdict: Verdict) -> Style:
    styles: dict[Verdict, Style] = {"faster-than-range": "error", "slower-than-range": "warning"}
    return styles.get(verdict, "text")


def _best_dict(best: Outcome | None) -> dict[str, Any] | None:
    if best is None:
        return None
    strategy = best.resolved.strategy.model_dump(mode="json", exclude_none=True)
    return {"strategy": strategy, "card_hours": best.estimate.card_hours, "mfu": best.estimate.mfu}
