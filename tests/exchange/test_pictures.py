"""Pictures: nothing is drawn that the schedule forbids, and each line keeps to its width."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.tui.helpers import CATALOG, plain_engine

from planner.exchange.bars import FILLS
from planner.exchange.charts import LEVELS, density, scatter
from planner.exchange.edits import set_keys
from planner.exchange.format import in_ascii
from planner.exchange.pictures import lines, rank_map
from planner.exchange.plots import MARKS
from planner.exchange.timeline import IDLE, LETTERS, WEIGHT, draw

SCHEDULES = (("gpipe", 1), ("1f1b", 1), ("interleaved", 2), ("zero-bubble", 1), ("zero-bubble", 2), ("dualpipe", 1))
"""With chunks a stage."""


@pytest.mark.parametrize(("schedule", "chunks"), SCHEDULES)
@pytest.mark.parametrize(("stages", "batches"), [(1, 1), (2, 2), (4, 8), (8, 9), (5, 3)])
def test_all_work_is_done_once_everywhere(schedule: str, chunks: int, stages: int, batches: int) -> None:
    for row in draw(schedule, stages, chunks, batches).rows:
        backward = 1 if schedule in {"zero-bubble", "dualpipe"} else 2
        for batch in range(batches):
            assert row.count(str(batch)) == chunks
            assert row.count(LETTERS[batch]) == chunks * backward
        assert row.count(WEIGHT) == (batches * chunks if backward == 1 else 0)


@pytest.mark.parametrize("schedule", ["gpipe", "1f1b"])
def test_a_micro_batch_goes_down_and_comes_back(schedule: str) -> None:
    rows = draw(schedule, 4, 1, 6).rows
    for batch in range(6):
        there = [row.index(str(batch)) for row in rows]
        back = [row.index(LETTERS[batch]) for row in rows]
        assert there == sorted(there)
        assert back == sorted(back, reverse=True)
        assert all(first < last for first, last in zip(there, back, strict=True))


def test_waiting_is_what_the_schedules_are_known_for() -> None:
    gpipe, plain, interleaved, zero, folded, dual = (draw(name, 4, chunks, 8).idle for name, chunks in SCHEDULES)
    assert plain == gpipe == pytest.approx(3 / 11)
    assert max(folded, dual) < zero < interleaved < plain


@pytest.mark.parametrize(("stages", "batches"), [(2, 2), (4, 8), (8, 8), (5, 10)])
def test_zb_v_waits_only_until_its_first_micro_batch_has_passed(stages: int, batches: int) -> None:
    """Qi et al. 2023: with forward, backward and weight gradients of one length there is no bubble."""
    rows = draw("zero-bubble", stages, 2, batches).rows
    assert {len(row) for row in rows} == {6 * batches + stages - 1}
    assert {row.count(IDLE) for row in rows} == {stages - 1}
    for batch in range(min(batches, 6)):
        down, up = ([[at for at, slot in enumerate(row) if slot == str(batch)][way] for row in rows] for way in (0, 1))
        assert down == sorted(down)
        assert up == sorted(up, reverse=True)
        assert up[-1] > down[-1]


def test_a_drawing_stops_where_it_is_told() -> None:
    assert {len(row) for row in draw("1f1b", 8, 1, 40, 30).rows} == {30}
    assert IDLE in draw("1f1b", 8, 1, 40, 30).rows[-1]


@pytest.mark.parametrize("name", ["deepseek-v3", "llama-3.1-405b", "olmo-2-32b"])
@pytest.mark.parametrize("width", [60, 118])
def test_pictures_of_plans(name: str, width: int) -> None:
    text = [line.text for line in lines(plain_engine(CATALOG.resolve(CATALOG.plan(name))), width)]
    assert "Which ranks share what" in text
    drawn = [line for line in text if line.startswith("  stage ")]
    assert all(len(line) <= width for line in drawn)


def test_the_rank_map_names_each_card_once() -> None:
    resolved = CATALOG.resolve(CATALOG.plan("deepseek-v3"))
    rows = [line.text.split() for line in rank_map(resolved, 118) if line.text.startswith("  node")]
    cells = [cell for row in rows for cell in row[2:]]
    assert len(cells) == len(set(cells))
    assert cells[0] == "0.0.0"
    assert cells[-1] == "15.127.0"


def test_cards_stand_below_their_rail_however_long_a_nodes_name_is() -> None:
    plan = set_keys(
        CATALOG.plan("deepseek-v3"),
        [("cluster.cards", 16_384), ("cluster.scale_up_domain", 72), ("cluster.cards_per_node", 8)],
        CATALOG,
    )
    drawn = [line.text for line in rank_map(CATALOG.resolve(plan), 118)]
    (head,) = [line for line in drawn if "rail 0" in line]
    rows = [line for line in drawn if " (dom " in line]
    assert any(len(line.partition(")")[0]) > len("  2047 (dom 22") for line in rows)
    for row in rows:
        assert row[head.index("rail 0") - 1] == " "
        assert row[head.index("rail 0") :].split()[0].count(".") == 2
        assert row.rpartition(")")[0].count(".") == 0


def test_charts_keep_their_size() -> None:
    points = [(0.1, 0.11), (1.0, 0.9), (30.0, 31.0)]
    rows = scatter(points, 40, 10)
    assert {len(row) for row in rows} == {40}
    assert len(rows) == 10
    assert scatter([], 4, 2) == ["    ", "    "]
    assert density([0.1, 5.0], 0.3, 9) == "      █ █"


def test_what_a_picture_tells_apart_stays_apart_in_ascii() -> None:
    for marks in (LEVELS, MARKS, [*FILLS.values()]):
        plain = in_ascii("".join(marks))
        assert len(set(plain)) == len(plain) == len(marks)
        assert "?" not in plain


def test_points_on_the_line_rise() -> None:
    rows = scatter([(10.0**power, 10.0**power) for power in range(5)], 20, 10)
    places = [row.index("o") for row in map(in_ascii, rows) if "o" in row]
    assert all(upper > lower for upper, lower in pairwise(places))
