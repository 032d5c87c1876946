"""A plan written out, in each of the formats there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from planner.engine.result import Outcome
    from planner.spec.plan import Plan

Format = Literal[
    "toml", "json", "csv", "markdown", "html", "svg", "megatron", "torchtitan", "nemo", "deepspeed"
]  # fmt: skip
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
LAUNCH: Final = frozenset({"megatron", "torchtitan", "nemo", "deepspeed"})
"""Settings for the software that runs a plan, which need no figures but a strategy."""
TELL_OF_CLAIMS: Final = frozenset({"json", "markdown", "html"})
"""Formats in which a plan's claim stands beside its figures."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What is written of a plan."""

    text: str
    """Of the file."""
    unsaid: tuple[str, ...] = ()
    """What the plan states, the format has no room for, and no comment of the file says either; sentences."""


def exported(plan: Plan, found: Outcome | str, to: Format) -> Exported:
    """A plan written out.

    Args:
        plan: what TOML holds.
        found: what the plan comes to, which the other formats need, or why that is not known.
        to: the format.

    Raises:
        PlanError: a format that needs figures, and there are none.
    """
    if to == "toml":
        from planner.exchange import plan_toml

        return Exported(plan_toml.write(plan, None if isinstance(found, str) else found.estimate))
    if isinstance(found, str):
        from planner.spec.base import PlanError, Problem

        raise PlanError([Problem("error", "", found)])
    if to == "deepspeed":
        from planner.exchange.launch.deepspeed import deepspeed

        return Exported(*deepspeed(found.resolved))
    return Exported(_settings(found, to) if to in LAUNCH else _report(found, to))


def _report(found: Outcome, to: Format) -> str:
    if to == "json":
        from planner.exchange import as_json

        return as_json.dumps(as_json.outcome_dict(found))
    if to == "csv":
        from planner.exchange import as_csv

        return as_csv.dumps([found])
    if to == "html":
        from planner.exchange.html import html

        return html(found)
    if to == "svg":
        from planner.exchange.svg import svg

        return svg(found)
    from planner.exchange.markdown import markdown

    return markdown(found)


def _settings(found: Outcome, to: Format) -> str:
    if to == "megatron":
        from planner.exchange.launch.megatron import megatron

        return megatron(found.resolved)
    if to == "torchtitan":
        from planner.exchange.launch.torchtitan import torchtitan

        return torchtitan(found.resolved)
    from planner.exchange.launch.nemo import nemo

    return nemo(found.resolved)
