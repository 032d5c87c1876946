"""A plan written out, in each of the formats there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from planner.engine.result import Outcome
    from planner.spec.plan import Plan

Format = Literal["toml", "json", "csv", "markdown"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


def exported(plan: Plan, found: Outcome | str, to: Format) -> str:
    """The text of a file.

    Args:
        plan: what TOML holds.
        found: what the plan comes to, which the other formats need, or why that is not known.
        to: the format.

    Raises:
        PlanError: a format that needs figures, and there are none.
    """
    if to == "toml":
        from planner.exchange import plan_toml

        return plan_toml.write(plan, None if isinstance(found, str) else found.estimate)
    if isinstance(found, str):
        from planner.spec.base import PlanError, Problem

        raise PlanError([Problem("error", "", found)])
    if to == "json":
        from planner.exchange import as_json

        return as_json.dumps(as_json.outcome_dict(found))
    if to == "csv":
        from planner.exchange import as_csv

        return as_csv.dumps([found])
    from planner.exchange.markdown import markdown

    return markdown(found)
