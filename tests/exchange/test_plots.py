"""Charts of characters."""

from planner.exchange.format import significant
from planner.exchange.plots import Axis, Series, chart


def test_a_point_with_a_mark_of_its_own_is_not_hidden_by_a_point_of_the_others() -> None:
    axis = Axis("days", significant)
    others, own = Series("front", [(1.0, 1.0), (2.0, 2.0)]), Series("this plan", [(2.0, 2.0)], mark="◆")
    for series in ([others, own], [own, others]):
        rows = chart(series, axis, axis, 40, 10)
        assert rows[0].rstrip().endswith("◆"), rows
