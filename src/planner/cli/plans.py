"""From the word on the command line to the plan it means, and from the plan to what the engine says."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from typing import Final

import click

from planner.catalog import Catalog
from planner.catalog.catalog import Kind
from planner.cli.output import complain
from planner.engine.result import Outcome
from planner.exchange import plan_toml, sessions
from planner.exchange.files import STREAM, spoken
from planner.spec.base import PlanError, Problem
from planner.spec.plan import Plan
from planner.spec.words import shown

MANY = 3
"""Names suggested for a word that is none."""

SUFFIX = ".toml"
PRESETS = "`planner catalog presets` lists presets."
OTHERS: Final[dict[Kind, str]] = {
    "fleets": "fleet", "cards": "catalog cards", "models": "catalog models", "fabrics": "catalog fabrics",
    "stacks": "catalog stacks",
}  # fmt: skip
"""Kinds a word may be of that was taken for a plan, and the command that shows one."""


def find_plan(word: str, catalog: Catalog, *, commands: Iterable[str] = ()) -> Plan:
    """The plan a FILE argument means: a path that exists, `-` for standard input, a preset's id, or one of the session.

    Args:
        word: the argument.
        catalog: has the presets.
        commands: what else the word could have meant.

    Raises:
        PlanError: there is no such file or preset, or it cannot be used.
    """
    if word == STREAM:
        return plan_toml.read(word)
    if is_preset(word, catalog):
        return catalog.plan(word)
    if os.path.exists(word):  # noqa: PTH110 - Path raises on odd names
        return plan_toml.read(word)
    if sessions.is_kept(word):
        return sessions.find(word)
    raise PlanError([_unknown(word, catalog, list(commands))])


def is_preset(word: str, catalog: Catalog) -> bool:
    """A FILE argument means a preset: there is one of that id, and no file of that name."""
    return word in catalog.ids("plans") and not os.path.isfile(word)  # noqa: PTH113 - Path raises on odd names


def outcome_of(word: str, catalog: Catalog) -> Outcome:
    """What the engine says about the plan a FILE argument means.

    What is wrong with the user's own catalogue files is said on standard error.

    Raises:
        PlanError: the plan cannot be found, used or computed; it names the word.
    """
    plan = find_plan(word, catalog)
    warn_of_own_files(catalog)
    return evaluated(plan, catalog, word)


def with_own_claim(outcome: Outcome, catalog: Catalog, word: str) -> Outcome:
    """The outcome of a FILE argument without a claim that is not about its plan, which is said on standard error."""
    if outcome.resolved.plan.claim is None or is_preset(word, catalog):
        return outcome
    from planner.exchange.claims import own

    outcome, why = own(outcome, catalog)
    if why:
        complain(f"{spoken(word)}: {why}")
    return outcome


def evaluated(plan: Plan, catalog: Catalog, source: str) -> Outcome:
    """What the engine says about a plan.

    Raises:
        PlanError: it names what is not there, or is impossible; the messages name the source.
    """
    from planner.engine.estimate import evaluate

    try:
        if plan.strategy is None:
            from planner.choose import best_for

            plan = best_for(plan, catalog)
            complain(f"{spoken(source)}: no [strategy]: this is the best that fits.")
        return evaluate(catalog.resolve(plan))
    except PlanError as error:
        raise PlanError(error.problems, spoken(source)) from None


def only_once(words: Iterable[str]) -> None:
    """Refuse standard input for more than one file.

    Raises:
        click.UsageError: it stands there twice.
    """
    if list(words).count(STREAM) > 1:
        raise click.UsageError("standard input (-) can be one file alone.")


def warn_of_own_files(catalog: Catalog) -> None:
    """Say what is wrong with the user's own catalogue files, which is never fatal."""
    for problem in catalog.problems:
        complain(f"warning: {' '.join(part for part in (problem.key, problem.message, problem.fix) if part)}")


def _unknown(word: str, catalog: Catalog, commands: list[str]) -> Problem:
    """The problem of a word that is no plan: what was probably meant."""
    if os.sep in word or word.endswith(SUFFIX):
        return Problem("error", "", f"there is no file {shown(word)}.")
    presets = catalog.nearest("plans", word)
    near = difflib.get_close_matches(word.lower(), commands, n=1)
    kinds = "command, preset or file" if commands else "preset or file"
    names = [*near, *presets][:MANY]
    hint = f"Did you mean {' or '.join(filter(None, (', '.join(names[:-1]), names[-1])))}? " if names else ""
    kind = next((kind for kind in OTHERS if word in catalog.ids(kind)), None)
    lists = f"It is one of the {kind}: `planner {OTHERS[kind]} {word}`." if kind else PRESETS
    return Problem("error", "", f"there is no {kinds} {shown(word)}.", f"{hint}{lists}")
