"""Writes the generated parts of the documentation, so that no figure is typed twice.

    python -m scripts.docs            writes what changed
    python -m scripts.docs --check    names what is stale; exit status 1 where anything is

A part stands in a Markdown file between `<!-- made: NAME WORDS... -->` and `<!-- end -->`: NAME is one of `MAKERS`
below, which gets the words. Everything outside such a pair is written by hand and left alone.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import inspect
import os
import re
import sys
import tempfile
import unittest.mock
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click
from click.testing import CliRunner
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from planner.catalog import Catalog
from planner.cli import main
from planner.cli.manual import below
from planner.data_files import data_root
from planner.engine.constants import table
from planner.exchange.figures import layout_facts
from planner.exchange.formulas import FORMULAS
from planner.spec.meanings import meaning
from planner.spec.wording import allowed

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "src" / "planner" / "engine"
PART = re.compile(r"(?P<start><!-- made: (?P<words>[^\n]*?) -->\n)(?P<body>.*?)(?P<end><!-- end -->)", re.DOTALL)
HELP_COLUMNS = 88
FIGURE = ast.Constant | ast.BinOp | ast.UnaryOp | ast.Tuple


def documents() -> list[Path]:
    """The Markdown files that may hold generated parts."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def made(text: str) -> str:
    """A document with its generated parts made again."""

    def again(part: re.Match[str]) -> str:
        name, *words = part["words"].split()
        return f"{part['start']}\n{MAKERS[name](words).strip()}\n\n{part['end']}"

    with of_nobody():
        return PART.sub(again, text)


@contextlib.contextmanager
def of_nobody() -> Iterator[None]:
    """An environment without a user: no catalogue of one's own, no terminal, no colour."""
    with tempfile.TemporaryDirectory() as folder:
        own = {"PLANNER_CONFIG_DIR": folder, "PLANNER_STATE_DIR": folder, "NO_COLOR": "1", "COLUMNS": "100"}
        with unittest.mock.patch.dict(os.environ, own):
            yield


def stale() -> list[Path]:
    """Documents whose generated parts are not what they would be now."""
    return [path for path in documents() if made(path.read_text("utf-8")) != path.read_text("utf-8")]


# ---------------------------------------------------------------------------------------------------------- Markdown


def rows_of(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    every = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") or " " for cell in row) + " |" for row in every)


def code(word: object) -> str:
    """A word in code type; nothing for nothing."""
    return f"`{word}`" if word != "" else ""


def number(value: float) -> str:
    """A figure with up to four digits.

    >>> number(0.8747), number(1e9), number(1.2e-05), number(700.0)
    ('0.8747', '1e9', '1.2e-5', '700')
    """
    return re.sub(r"e([+-])0*", lambda sign: "e" + sign[1].replace("+", ""), f"{value:.4g}")


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, as one line."""
    return " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())


# --------------------------------------------------------------------------------------------------------- constants


def constants(_: Sequence[str]) -> str:
    """Every constant of `calibration.toml`, in the groups of `constants.py`, with what its field says it means."""
    return "\n\n".join(f"**{title}**\n\n{rows_of(CONSTANT, rows)}" for title, rows in constant_groups())


CONSTANT = ("constant", "value", "before the fit", "after", "kind", "meaning", "source", "used in")


def constant_groups() -> Iterator[tuple[str, list[list[str]]]]:
    """Groups of constants with their rows; the comment above a group of fields is its title."""
    source = (ENGINE / "constants.py").read_text("utf-8")
    lines = source.splitlines()
    cls = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == "Constants")
    groups: dict[str, list[list[str]]] = {}
    title = ""
    for place, node in enumerate(cls.body):
        above = lines[node.lineno - 2].strip()
        title = above.removeprefix("# ").rstrip(".") if above.startswith("# ") else title
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
            said = docstring_after(cls.body, place)
            groups.setdefault(title, []).extend(constant_rows(name, said or f"{title}: {name.rpartition('_')[2]}."))
    yield from groups.items()


def constant_rows(name: str, meaning: str) -> list[list[str]]:
    """The rows of one constant: one, or one for each card architecture below a row that says what it means."""
    used = ", ".join(code(module) for module in modules_that_use(name))
    if name in table():
        return [constant_row(name, name, meaning, used)]
    kinds = [key for key in table() if key.startswith(f"{name}.")]
    sources = {str(table()[key]["source"]) for key in kinds}
    shared = sources.pop() if len(sources) == 1 else ""
    rows = [[code(name), "", "", "", "", meaning, shared, used]]
    for key in kinds:
        row = constant_row(key, f"· {key.partition('.')[2]}", "", "")
        rows.append([*row[:6], "" if shared else row[6], ""])
    return rows


def constant_row(key: str, shown: str, meaning: str, used: str) -> list[str]:
    """One value: in force, believed before the fit, and what the fit left of its spread."""
    row = table()[key]
    before = number(row["prior"]) + (f" ± {100 * row['sigma']:.3g} %" if row["sigma"] else "")
    after = f"± {100 * row['spread']:.3g} %" if "spread" in row else ""
    label = shown if shown.startswith("·") else code(shown)
    return [label, number(row["value"]), before, after, row["kind"], meaning, row["source"], used]


def modules_that_use(name: str) -> list[str]:
    """Modules of the engine that read a constant."""
    reads = re.compile(rf"\b(?:c|calibrated\(\))\.{name}\b")
    return [path.stem for path in sorted(ENGINE.glob("*.py")) if reads.search(path.read_text("utf-8"))]


def docstring_after(body: Sequence[ast.stmt], place: int) -> str:
    """The string below an assignment."""
    following = body[place + 1] if place + 1 < len(body) else None
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        return " ".join(str(following.value.value).split())
    return ""


def fixed(modules: Sequence[str]) -> str:
    """Figures that stand in the code of engine modules, each with its docstring."""
    rows = []
    for name in modules:
        module = importlib.import_module(f"planner.engine.{name}")
        tree = ast.parse((ENGINE / f"{name}.py").read_text("utf-8"))
        for place, node in enumerate(tree.body):
            if not (isinstance(node, ast.Assign) and isinstance(node.value, FIGURE) and len(node.targets) == 1):
                continue
            target = node.targets[0]
            named = target.elts if isinstance(target, ast.Tuple) else [target]
            values = [getattr(module, one.id) for one in named if isinstance(one, ast.Name)]
            figures = [number(value) for value in values if isinstance(value, int | float)]
            said = docstring_after(tree.body, place)
            if said and len(figures) == len(named):
                rows.append([", ".join(code(f"{name}.{ast.unparse(one)}") for one in named), ", ".join(figures), said])
    return rows_of(("figure", "value", "what it is, and where it comes from"), rows)


# -------------------------------------------------------------------------------------------------------------- keys


def keys(classes: Sequence[str]) -> str:
    """The keys of spec classes, `module:Class`, as one table."""
    models = [spec_class(path) for path in classes]
    found = [(model, name) for model in models for name in model.model_fields]
    return rows_of(KEY, [key_row(model, name) for model, name in found if name != "id" or "runs:Run" in classes])


def keys_of_its_own(classes: Sequence[str]) -> str:
    """The keys a spec class adds to those of the class it is made from, or whose defaults it changes."""
    model = spec_class(classes[0])
    own = model.__annotations__
    return rows_of(KEY, [key_row(model, name) for name in model.model_fields if name in own])


KEY = ("key", "holds", "default", "meaning")


def spec_class(path: str) -> type[BaseModel]:
    """A class of `planner.spec`, named `module:Class`."""
    module, _, name = path.partition(":")
    found: type[BaseModel] = getattr(importlib.import_module(f"planner.spec.{module}"), name)
    return found


def key_row(model: type[BaseModel], name: str) -> list[str]:
    """One key: what it may hold, its default, what it means."""
    field = model.model_fields[name]
    holds = allowed(field.annotation, field.metadata)
    if inner := inner_class(field):
        holds = "a list of tables" if holds.startswith("a list") else "a table"
    words = meaning(model, name) or (first_paragraph(inner.__doc__) if inner else "") or same_key(name)
    says_what_file = name == "schema_" or holds in {"one of fleet", "one of runs"}
    default = "**needed**" if says_what_file else default_of(field)
    return [code(field.alias or name), in_code(holds), default, words]


def in_code(holds: str) -> str:
    """The words of what a key holds, with the values of a choice in code type."""
    for start in ("one of ", "a list, of one of "):
        if holds.startswith(start):
            return start + ", ".join(code(value) for value in holds.removeprefix(start).split(", "))
    return holds


def default_of(field: FieldInfo) -> str:
    """A default as the file would have it."""
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "not set"
    if isinstance(value, BaseModel | dict):
        return "as below" if isinstance(value, BaseModel) else "empty"
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, tuple):
        return code("[]")
    return code(f'"{value}"') if isinstance(value, str) else code(number(value) if value < 1 else f"{value:,.10g}")


def inner_class(field: FieldInfo) -> type[BaseModel] | None:
    """The class of the table a key holds."""
    found = re.findall(r"planner\.spec\.(\w+)\.(\w+)", str(field.annotation))
    for module, name in found:
        kind = getattr(importlib.import_module(f"planner.spec.{module}"), name, None)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def same_key(name: str) -> str:
    """What a key of this name means in a plan, for classes that repeat one."""
    plan = importlib.import_module("planner.spec.plan")
    for kind in (plan.Plan, plan.Cluster, plan.Workload, plan.Strategy):
        if words := meaning(kind, name):
            return words
    return ""


# ---------------------------------------------------------------------------------------------------------- commands


def commands(_: Sequence[str]) -> str:
    """The help of every command."""
    group = click.Context(main, info_name="planner", terminal_width=HELP_COLUMNS, **main.context_settings)
    parts = [f"## planner\n\n```text\n{main.get_help(group)}\n```"]
    parts += [f"## {one.command_path}\n\n```text\n{one.command.get_help(one)}\n```" for one in below(group)]
    return "\n\n".join(parts)


def output(words: Sequence[str]) -> str:
    """What a command prints: `output LINES COMMAND...`, LINES being `all` or ranges such as `1-9,20-25`."""
    ranges, *arguments = words
    done = CliRunner().invoke(main, arguments)
    if not done.stdout:
        raise SystemExit(f"planner {' '.join(arguments)} printed nothing: {done.stderr}")
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    spans = [(1, len(printed))] if ranges == "all" else [span(text) for text in ranges.split(",")]
    pieces = ["\n".join(printed[first - 1 : last]).strip("\n") for first, last in spans]
    pieces += [""] if spans[-1][1] < len(printed) else []
    shown = "\n  ...\n".join(pieces).rstrip()
    return f"```console\n$ planner {' '.join(arguments)}\n{shown}\n```"


def span(text: str) -> tuple[int, int]:
    """A range of lines.

    >>> span("3-7"), span("4")
    ((3, 7), (4, 4))
    """
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def screen_keys(_: Sequence[str]) -> str:
    """The keys of the terminal UI, from its registry of actions; those of screens that are not there are left out."""
    from planner.tui.actions import ACTIONS, keys_of, modes
    from planner.tui.screens import SCREENS

    there = {mode.id for mode in modes()}
    places: dict[str, list[list[str]]] = {}
    for action in ACTIONS:
        if not {action.id, action.where} & (set(SCREENS) - there):
            name = code(action.id) if action.call else ""
            places.setdefault(action.where, []).append([keys_of(action), name, action.title, action.help])
    heading = ("keys", "id", "does", "")
    parts = (f"**{where.capitalize()}**\n\n{rows_of(heading, rows)}" for where, rows in places.items())
    return "\n\n".join(parts)


def figures(_: Sequence[str]) -> str:
    """Every figure of an estimate that `--why` explains."""
    rows = [
        [code(f.where or f.id), f.name.lstrip("· "), f.words, ", ".join(code(name) for name in f.constants)]
        for f in FORMULAS.values()
    ]
    return rows_of(("key", "name", "what it is", "constants"), rows)


# ----------------------------------------------------------------------------------------------------------- presets


def presets(words: Sequence[str]) -> str:
    """The plans that come with the program: `presets layouts` or `presets sources`."""
    catalog = Catalog(data_root() / "presets")
    rows = []
    for name in catalog.ids("plans"):
        plan, info = catalog.plan(name), catalog.preset_info(name)
        if words == ["sources"]:
            claims = [plan.claim.source] if plan.claim and plan.claim.source else []
            assumed = ", ".join(code(key) for key in info.assumed) or "nothing"
            rows.append([code(name), "; ".join(plan.sources), "; ".join(claims), assumed])
        else:
            r = catalog.resolve(plan)
            cards = f"{plan.cluster.cards:,} x {r.card.name}"
            rows.append([code(name), info.owner, info.title, cards, r.model.name, ", ".join(layout_facts(r))])
    if words == ["sources"]:
        return rows_of(("id", "sources", "source of the claim", "assumed, since no source states it"), rows)
    return rows_of(("id", "owner", "plan", "cards", "model", "layout"), rows)


def stacks(_: Sequence[str]) -> str:
    """The software profiles that come with the program."""
    catalog = Catalog(data_root() / "presets")
    rows = []
    for name in catalog.ids("stacks"):
        s = catalog.stack(name)
        overlap = ", ".join(key for key, on in s.overlap if on) or "nothing"
        kind = "public" if s.mature else "in-house"
        rows.append([code(name), s.name, s.attention_kernel, s.kernel_fusion, overlap, s.loss, kind])
    return rows_of(("id", "software", "attention", "fusion", "overlaps", "loss", "kind"), rows)


MAKERS: dict[str, Callable[[Sequence[str]], str]] = {
    "constants": constants,
    "fixed": fixed,
    "keys": keys,
    "keys-of-its-own": keys_of_its_own,
    "commands": commands,
    "output": output,
    "screen-keys": screen_keys,
    "figures": figures,
    "presets": presets,
    "stacks": stacks,
}
"""Name of a generated part -> what makes it of the words behind the name."""


def write(*, check: bool) -> int:
    """Write every document whose generated parts changed, or only name them.

    Args:
        check: write nothing.

    Returns:
        An exit status.
    """
    changed = stale()
    for path in changed:
        print(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(made(path.read_text("utf-8")), "utf-8")
    return int(check and bool(changed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 where a document is stale")
    sys.exit(write(check=parser.parse_args().check))
