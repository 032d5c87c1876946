"""`planner audit`: published claims against the engine."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import click

from planner.cli.completing import plans

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from planner.catalog import Catalog
    from planner.engine.audit import Finding
    from planner.exchange.questions import Answer
    from planner.exchange.report import Line

ItemT = TypeVar("ItemT")


@click.command("audit")
@click.argument("files", nargs=-1, metavar="[FILE...]", shell_complete=plans)
@click.option("--json", "as_json", is_flag=True, help="Print every claim with its verdict as JSON.")
@click.option("--claims/--no-claims", default=True, help="The claims.")
@click.option("--questions/--no-questions", default=None, help="The page of questions; without FILE it is shown.")
@click.pass_context
def command(
    context: click.Context, files: tuple[str, ...], *, as_json: bool, claims: bool, questions: bool | None
) -> None:
    """Published claims against the engine: implied MFU, expected range, verdict.

    FILE is a plan with a [claim]: a file, a preset's id, or - for standard input. Without FILE every preset that has a
    claim is audited. The exit status is 1 where the claim of a FILE lies outside the engine's 80 % range.
    """
    from planner.catalog import Catalog
    from planner.cli.output import put_json, put_lines, width
    from planner.cli.plans import only_once, warn_of_own_files
    from planner.exchange.claims import claimants

    asked = questions if questions is not None else not files
    if not claims and (files or not asked):
        raise click.UsageError("--no-claims leaves the questions, which are of no FILE.")
    only_once(files)
    catalog = Catalog.default()
    warn_of_own_files(catalog)
    with _progress("claims", list(files) or claimants(catalog), shown=claims) as names:
        found = {name: _audited(name, catalog) for name in names} if claims else {}
    answers = list(_answers(catalog)) if asked else []
    if as_json:
        from planner.exchange.audit import finding_dict
        from planner.exchange.questions import answer_dict

        data: dict[str, Any] = {"claims": [finding_dict(name, each) for name, each in found.items()]}
        put_json(data | ({"questions": [answer_dict(each) for each in answers]} if asked else {}))
    else:
        put_lines(_page(found, answers, width()))
    if files and any(each.verdict in {"faster-than-range", "slower-than-range"} for each in found.values()):
        context.exit(1)


def _audited(name: str, catalog: Catalog) -> Finding:
    from planner.cli.output import complain
    from planner.cli.plans import evaluated, find_plan, is_preset
    from planner.exchange import claims
    from planner.exchange.files import spoken

    plan = find_plan(name, catalog)
    if why := claims.borrowed(plan, catalog):
        complain(f"{spoken(name)}: {why}")
    assumed = catalog.preset_info(name).assumed if is_preset(name, catalog) else ()
    return claims.finding(plan, catalog, lambda plan: evaluated(plan, catalog, name), assumed)


def _answers(catalog: Catalog) -> Iterator[Answer]:
    from planner.catalog.questions import questions
    from planner.exchange.questions import answer

    with _progress("questions", list(questions().question)) as asked:
        for question in asked:
            yield answer(question, catalog)


def _page(found: dict[str, Finding], answers: list[Answer], width: int) -> Iterator[Line]:
    from planner.catalog.questions import questions
    from planner.exchange.audit import lines
    from planner.exchange.questions import answer_lines
    from planner.exchange.report import Line

    if found:
        yield from lines(found, width)
    if answers:
        yield from ([Line("")] if found else [])
        yield Line(questions().title, "title")
        for each in answers:
            yield Line("")
            yield from answer_lines(each, width)


def _progress(label: str, items: list[ItemT], *, shown: bool = True) -> AbstractContextManager[Iterable[ItemT]]:
    """The items, with a bar on standard error while they are gone through, where somebody looks at it."""
    if not (shown and sys.stderr is not None and sys.stderr.isatty()):
        return nullcontext(items)
    return click.progressbar(items, label=label, file=sys.stderr)
