"""Why a figure is what it is: its formula, what went in and where that came from, who says so, and what it feeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel

from planner.catalog import Catalog
from planner.engine.constants import calibrated, scaled, table
from planner.engine.estimate import evaluate
from planner.engine.result import Outcome
from planner.exchange.defaults import IDLE, REPEATED, as_text, default_values
from planner.exchange.figures import ranges_from
from planner.exchange.format import between, percent, significant
from planner.exchange.formulas import FORMULAS, Formula
from planner.exchange.listing import rows
from planner.exchange.plan_toml import as_dict, flat
from planner.exchange.report import Line, Style, wrapped
from planner.spec.base import PlanError, Problem
from planner.spec.card import Card
from planner.spec.fabric import ScaleOut, ScaleUp
from planner.spec.meanings import meaning
from planner.spec.model import Model
from planner.spec.plan import Plan, Resolved
from planner.spec.stack import Stack
from planner.spec.words import escaped, nearest

NAME, VALUE = 26, 16
"""Columns of the tables of inputs."""
ORIGIN = 24
"""Columns that longer names leave to where values come from; where they cannot, they are not lined up."""
NUDGE = 1.0 + 1e-6
"""What a constant is multiplied by to see whether it counts: too little for another stage to set the pace."""
OWNED = ("card", "scale_up", "scale_out", "model", "stack")
"""What a plan names; figures of it are written with its role before a dot."""
HOST_KEYS = ("cluster.cards_per_node", "cluster.nics_per_node", "cluster.scale_up", "cluster.scale_up_domain",
             "cluster.scale_out")  # fmt: skip
"""Keys whose default is what the card's host brings."""


@dataclass(frozen=True, slots=True)
class Input:
    """Something a figure is made of."""

    key: str
    name: str
    value: str
    origin: str
    """Where it came from."""
    sources: tuple[str, ...] = ()
    """Keys of `presets/sources.toml`, or addresses."""


@dataclass(frozen=True, slots=True)
class Why:
    """A figure, explained."""

    key: str
    name: str
    value: str
    note: str
    """Its 80 % range, or where a key's value came from."""
    words: str
    inputs: tuple[Input, ...] = ()
    constants: tuple[Input, ...] = ()
    cites: tuple[str, ...] = ()
    """Who says so: of the formula, then of the figures of what the plan names, by key."""
    feeds: tuple[tuple[str, str], ...] = ()
    """Ids and names of the figures that need it."""


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of where a plan came from.

    Attributes:
        catalog: has the entries the plan names.
        source: the preset or file the plan was opened from.
        changed: keys that were changed since, and whose change it is ("yours", "of strategy 3").
    """

    catalog: Catalog
    source: str = ""
    changed: Mapping[str, str] = field(default_factory=dict)


class Book(Protocol):
    """Figures that can be explained, one by one."""

    @property
    def title(self) -> str:
        """What they are of; empty: the plan being worked on."""

    def figures(self) -> list[tuple[str, str, str]]:
        """Id, name and value of each, in order."""

    def explain(self, key: str) -> Why:
        """One of them, or a key of the plan."""

    def twin(self, key: str) -> str:
        """The command that says the same; empty where none does."""


@dataclass(frozen=True, slots=True)
class PlanBook:
    """The figures of a plan.

    Attributes:
        outcome: the plan and its figures.
        background: where the plan came from.
        title: what it is, where it is not the plan being worked on.
        file: what the command line finds it by; empty: nothing does.
    """

    outcome: Outcome
    background: Background
    title: str = ""
    file: str = "FILE"

    def figures(self) -> list[tuple[str, str, str]]:
        """Every figure of the estimate that is one."""
        return figures(self.outcome)

    def explain(self, key: str) -> Why:
        """A figure of the estimate, or a key of the plan."""
        return explain(self.outcome, key, self.background)

    def twin(self, key: str) -> str:
        """What the command line says of a plan that it finds."""
        return f"planner estimate {self.file} --why {key}" if self.file else ""


def explain(outcome: Outcome, key: str, background: Background) -> Why:
    """Explain a figure of the estimate, or a key of the plan.

    Args:
        outcome: the plan and its figures.
        key: an id of `FORMULAS`, or a dotted key.
        background: where the plan came from.

    Raises:
        PlanError: there is no such figure or key, with the nearest that is.
    """
    if key not in FORMULAS:
        return _of_key(outcome, key, background)
    formula, e = FORMULAS[key], outcome.estimate
    interval = e.interval_80.get(key)
    note = f"80 % range {between(*interval, formula.show)}, {ranges_from(e)}" if interval else ""
    inputs = [found for need in formula.needs for found in _inputs(outcome, need, background)]
    constants = [_constant(name, outcome.resolved) for name in _counting(formula, outcome.resolved)]
    known = background.catalog.sources()
    read = dict.fromkeys(source for item in inputs for source in item.sources)
    cited = (f"{key}: {known[key].title} {known[key].url}".strip() if key in known else key for key in read)
    return Why(key, _plain(formula.name), formula.show(formula.value(e)), note, formula.words,
               tuple({found.key: found for found in inputs}.values()), tuple(constants), (*formula.cites, *cited),
               feeds(key))  # fmt: skip


def figures(outcome: Outcome) -> list[tuple[str, str, str]]:
    """Id, name and value of everything that can be explained, in order; parts that are nothing are left out."""
    e = outcome.estimate
    return [
        (formula.id, formula.name, formula.show(value))
        for formula in FORMULAS.values()
        if (value := formula.value(e)) or "." not in formula.id
    ]


def lines(why: Why, width: int) -> list[Line]:
    """An explanation as text."""
    width = max(width, 40)
    out = [Line(f"{why.name}  {why.value}", "title")]
    out += _indented(why.note, width, "quiet") if why.note else []
    out += [Line(""), *_indented(why.words, width)]
    column = max((len(escaped(item.name)) for item in (*why.inputs, *why.constants)), default=0)
    column = column if NAME < column <= width - VALUE - ORIGIN else NAME
    for title, found in (("Made of", why.inputs), ("Constants", why.constants)):
        if found:
            out += [Line(""), Line(title, "heading"), *(line for item in found for line in _row(item, column, width))]
    if why.cites:
        out += [
            Line(""),
            Line("Sources", "heading"),
            *(line for cite in why.cites for line in _indented(cite, width)),
        ]
    if why.feeds:
        out += [
            Line(""),
            Line("Feeds", "heading"),
            *_indented(", ".join(name for _, name in why.feeds), width),
        ]
    return out


def _row(item: Input, column: int, width: int) -> Iterator[Line]:
    name, value = escaped(item.name), escaped(item.value)
    start = f"  {name:<{column}} {value:<{max(column + VALUE - max(len(name), column), 0)}} "
    yield from wrapped(start + escaped(item.origin), width, indent=min(column + VALUE + 4, width // 2))


def _indented(words: str, width: int, style: Style = "text") -> list[Line]:
    return wrapped(f"  {words}", width, style, indent=2)


def _plain(name: str) -> str:
    name = name.lstrip("· ")
    return name[:1].upper() + name[1:]


def feeds(key: str, *, idle: bool = False) -> tuple[tuple[str, str], ...]:
    """Ids and names of the figures that need another figure, a key of the plan, or a figure of what it names.

    Args:
        key: of the figure, or dotted.
        idle: this plan does without the key: it feeds those alone that ask for it by its name.
    """
    return tuple(
        (f.id, _plain(f.name))
        for f in FORMULAS.values()
        if any(_matches(need, key) and (need == key or not idle) for need in f.needs)
    )


def _matches(need: str, key: str) -> bool:
    return key.startswith(need) if need.endswith(".") else need == key


def _inputs(outcome: Outcome, need: str, background: Background) -> Iterator[Input]:
    """What a need stands for, with values."""
    if need in FORMULAS:
        formula: Formula = FORMULAS[need]
        amount = formula.value(outcome.estimate)
        if amount or "." not in need:
            yield Input(need, _plain(formula.name), formula.show(amount), "computed")
        return
    role = need.partition(".")[0]
    if role in OWNED:
        yield from _facts(getattr(outcome.resolved, role), need, background.catalog)
        return
    r = outcome.resolved
    idle = tuple(start for start, rule in IDLE.items() if rule(r))
    for key, value in plan_values(r).items():
        if _matches(need, key) and (need == key or not key.startswith(idle)):
            yield Input(key, key, value, origin(r, key, background))


def plan_values(r: Resolved) -> dict[str, str]:
    """Every key of a plan with its value in force, as text."""
    found: dict[str, str] = {key: as_text(value) for key, value in default_values(r).items()}
    for key, value in flat(as_dict(r.plan)).items():
        found[key] = _shown(value)
    named = {"cluster.card": r.card, "cluster.scale_up": r.scale_up, "cluster.scale_out": r.scale_out,
             "workload.model": r.model, "strategy.stack": r.stack}  # fmt: skip
    found |= {key: entry.name for key, entry in named.items()}
    return {key: found[key] for key in sorted(found)}


def origin(r: Resolved, key: str, background: Background) -> str:
    """Where the value of a plan's key came from."""
    said = any(each == key or each.startswith(f"{key}.") for each in flat(as_dict(r.plan)))
    if key in background.changed:
        whose = background.changed[key]
        return whose if said else f"{whose}: back to the default"
    if not said:
        return _default(r, key)
    if background.source not in background.catalog.ids("plans"):
        return "your plan"
    assumed = background.catalog.preset_info(background.source).assumed
    guess = any(key == name or key.startswith(f"{name}.") for name in assumed)
    return f"preset {background.source}" + (", assumed: no source states it" if guess else "")


def _default(r: Resolved, key: str) -> str:
    """Who decides a key that the plan leaves out."""
    if key in HOST_KEYS:
        return f"default: what {r.card.name} comes with"
    if key == "cost.usd_per_card_hour":
        cost = r.plan.cost
        return f"catalogue: {cost.rent_level} rent of the card{f' in {cost.rent_date}' if cost.rent_date else ''}"
    if key == "power.kg_co2_per_kwh" and r.plan.power.grid:
        return f"catalogue: grid {r.plan.power.grid}"
    if key.startswith("strategy.") and hasattr(r.stack, key.split(".")[1]):
        return f"default: {r.stack.name}"
    return "default"


def _facts(entry: Card | ScaleUp | ScaleOut | Model | Stack, need: str, catalog: Catalog) -> Iterator[Input]:
    """Figures of an entry with the sources they were read in."""
    role, _, wanted = need.partition(".")
    for row in rows(catalog, entry.id, entry):
        if _matches(wanted, row.key) or row.key.startswith(f"{wanted}."):
            where = f"[{', '.join(row.sources)}]" if row.sources else "catalogue"
            mark = ", not checked" if row.mark else ""
            name = f"{role.replace('_', '-')} {row.key}"
            yield Input(f"{role}.{row.key}", name, row.value, where + mark, row.sources)


def _counting(formula: Formula, r: Resolved) -> Iterator[str]:
    """The constants of a figure that count in this plan: with a little more of one the engine says another figure."""
    now = formula.value(evaluate(r).estimate)
    for name in formula.constants:
        if formula.value(evaluate(r, scaled(calibrated(), name, NUDGE)).estimate) != now:
            yield name


def _constant(name: str, r: Resolved) -> Input:
    """A constant in force, its spread and what it stands on."""
    known = table()
    full = next(key for key in (f"{name}.{r.card.architecture}", name, f"{name}.default") if key in known)
    row = known[full]
    value = f"{significant(float(row['value']))}{_unit(row)}"
    if "fitted_on" in row:
        spread = f", spread {percent(float(row['spread']))}" if "spread" in row else ""
        words = f"fitted on {row['fitted_on']}{spread}; believed before: {significant(float(row['prior']))}"
    else:
        words = f"{row['kind']}, spread {percent(float(row.get('sigma', 0.0)))}"
    return Input(full, full, value, f"{words}; {row['source']}")


def _unit(row: Mapping[str, Any]) -> str:
    unit = str(row.get("unit", ""))
    return f" {unit}" if unit and unit != "ratio" else ""


def _of_key(outcome: Outcome, key: str, background: Background) -> Why:
    values = plan_values(outcome.resolved)
    if key not in values:
        names = [*FORMULAS, *values]
        near = nearest(key, names) or next((name for name in FORMULAS if key in name.split("_")), "")
        fix = f"Did you mean {near}?" if near else f"Figures: {', '.join(FORMULAS)}."
        raise PlanError([Problem("error", "", f"there is no figure or key {escaped(key)}.", fix)])
    idle = key not in REPEATED and any(key.startswith(s) for s, rule in IDLE.items() if rule(outcome.resolved))
    said = origin(outcome.resolved, key, background)
    return Why(key, key, values[key], said, about(Plan, key), feeds=feeds(key, idle=idle))


def about(kind: type[BaseModel], key: str) -> str:
    """What the documentation says of a dotted key of a class of the spec."""
    spec: Any = kind
    words = ""
    for part in key.split("."):
        field = spec.model_fields.get(part) if isinstance(spec, type) and issubclass(spec, BaseModel) else None
        if field is None:
            break
        words = meaning(spec, part) or words
        options = [field.annotation, *getattr(field.annotation, "__args__", ())]
        spec = next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)
    return words


def _shown(value: Any) -> str:  # noqa: ANN401 - any value of a plan
    return as_text([str(v) for v in value] if isinstance(value, list) else value)
