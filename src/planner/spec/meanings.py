"""What the keys of the spec classes mean: the docstrings below them, read from the source when somebody asks.

Pydantic can read them as it makes the classes (`use_attribute_docstrings`), but that parses the source of every class
at every start of the program, which took a good part of the time to the first figures.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


def meaning(model: type[BaseModel], key: str) -> str:
    """The docstring below a key, in a class or in those it is made from; empty where there is none."""
    return next((words for base in model.__mro__ if (words := _of_class(base).get(key))), "")


@cache
def _of_class(model: type) -> Mapping[str, str]:
    classes = (node for node in _module(model.__module__) if isinstance(node, ast.ClassDef))
    body = next((node.body for node in classes if node.name == model.__name__), [])
    return {
        key.target.id: inspect.cleandoc(words.value.value)
        for key, words in pairwise(body)
        if isinstance(key, ast.AnnAssign) and isinstance(key.target, ast.Name)
        and isinstance(words, ast.Expr) and isinstance(words.value, ast.Constant) and isinstance(words.value.value, str)
    }  # fmt: skip


@cache
def _module(name: str) -> list[ast.stmt]:
    return ast.parse(inspect.getsource(sys.modules[name])).body if name.startswith("planner.") else []
