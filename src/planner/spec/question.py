"""Questions the audit answers on one page: which plan, what is changed in it, and what is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from planner.spec.base import NotNegative, Spec, Strings


class Question(Spec):
    """One question about one or more plans."""

    ask: str
    """The question in words."""
    kind: Literal["possible", "takes", "difference", "sum"]
    """possible: could the plan have run in `card_hours`? takes: what does it take? difference: what does `set` change?
    sum: could all `plans` together have run in `card_hours`?"""
    plans: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    """Ids of presets; all but sum take one."""
    set: Strings = ()
    """Changes to the plan, as KEY=VALUE."""
    card_hours: NotNegative = 0.0
    """What was said."""
    notes: str = ""
    """What a reader should know of the answer and no figure says."""


class Questions(Spec):
    """The file `presets/questions.toml`."""

    kind: Literal["questions"] = "questions"
    title: str = ""
    """Of the page."""
    question: Annotated[tuple[Question, ...], Field(strict=False)] = ()
    """In the order they are answered."""
