"""`planner schema`: what editors read."""

import json

import pytest
from tests.cli.helpers import planner, refused

from planner.cli import schema as command
from planner.exchange import json_schema


@pytest.mark.parametrize("kind", json_schema.KINDS)
def test_each_kind_has_one(kind: str) -> None:
    assert json.loads(planner("schema", kind).stdout) == json_schema.schema(kind)


def test_the_command_offers_what_there_is() -> None:
    assert command.KINDS == json_schema.KINDS
    assert "'pln' is not one of 'plan', 'fleet', 'runs'" in refused(planner("schema", "pln"))
