"""Books of what is on screen: the plan being worked on, and plans that a search, a claim or a list made. No Textual."""

from __future__ import annotations

from planner.engine.result import Outcome
from planner.exchange.why import Background, PlanBook, plan_values
from planner.tui.state import Session

NOTHING = "there are no figures of this plan to explain"


def own_book(session: Session, outcome: Outcome) -> PlanBook:
    """The figures of the plan being worked on."""
    return PlanBook(outcome, Background(session.catalog, session.source, _own(session, outcome)))


def row_book(session: Session, outcome: Outcome, title: str) -> PlanBook:
    """The figures of a plan made of the one being worked on; what differs from it came with the row.

    Args:
        session: has the plan.
        outcome: of the other one.
        title: what made it, such as "strategy 3".
    """
    own = plan_values(session.resolved) if session.resolved else {}
    other = plan_values(outcome.resolved)
    differing = {key: f"of {title}" for key, value in other.items() if own.get(key) != value}
    return PlanBook(outcome, Background(session.catalog, session.source, _own(session, outcome) | differing), title, "")


def claim_book(session: Session, outcome: Outcome, preset: str) -> PlanBook:
    """The figures of a preset."""
    return PlanBook(outcome, Background(session.catalog, preset), f"preset {preset}", preset)


def _own(session: Session, outcome: Outcome) -> dict[str, str]:
    return {key: "yours" for key in plan_values(outcome.resolved) if session.modified(key)}
