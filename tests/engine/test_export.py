"""Export classes against the classes the cards are published with."""

import pytest

from planner.catalog import Catalog
from planner.engine import export

CATALOG = Catalog.default()

# Sold with NVLink bridges or more links than the fabric the catalogue gives them: the stated class of 2022 counts.
MORE_LINKS = {"a100-pcie-40", "a100-pcie-80", "h100-pcie"}


@pytest.mark.parametrize("name", CATALOG.ids("cards"))
def test_classes_are_those_the_catalogue_states(name: str) -> None:
    card = CATALOG.card(name)
    facts = card.export_control
    io = 2.0 * CATALOG.scale_up(card.scale_up).gb_per_s
    if facts.class_2023:
        expected = facts.class_2023.replace("below 3A090 thresholds", "not controlled")
        assert export.october_2023(facts.tpp, facts.die_mm2) == expected
    if facts.class_2022 and name not in MORE_LINKS:
        caught = not facts.class_2022.startswith("escaped")
        assert (export.october_2022(facts.tpp, io) == "3A090") == caught
    by_rule = {row.rule: row.outcome for row in export.export_classes(card, name, io)}
    assert (by_rule["rule of January 2026 (China)"] == "case by case") == facts.case_by_case_2026 or (
        facts.class_2023.startswith("undetermined")
    )


@pytest.mark.parametrize(
    ("tpp", "die", "outcome"),
    [
        (4800.0, 0.0, "3A090.a"),
        (4799.0, 800.0, "3A090.a"),  # density 6.0
        (2400.0, 1500.0, "3A090.b"),  # density 1.6
        (1600.0, 500.0, "3A090.b"),  # density 3.2
        (1600.0, 270.0, "3A090.a"),  # density 5.93
        (2368.0, 814.0, "not controlled"),  # H20: 1.3 % under the line
        (1599.0, 100.0, "not controlled"),
        (3000.0, 0.0, "undetermined: needs die area"),
    ],
)
def test_thresholds_of_october_2023(tpp: float, die: float, outcome: str) -> None:
    # ECCN 3A090 and BIS rules.
    assert export.october_2023(tpp, die) == outcome


def test_a800_and_h800_were_built_to_pass_and_were_caught() -> None:
    for name in ("a800-sxm-80", "h800-sxm"):
        rows = export.export_classes(CATALOG.card(name), name, 400.0)
        assert [row.outcome for row in rows[:2]] == ["not controlled", "3A090.a"]


def test_h20_needs_a_licence_from_april_2025() -> None:
    rows = export.export_classes(CATALOG.card("h20"), "h20", 900.0)
    assert [row.outcome for row in rows[:3]] == ["not controlled", "not controlled", "licence required (as the H20)"]
    assert rows[0].performance_density == pytest.approx(2.9, abs=0.02)


def test_a_country_cap_is_49899_h100() -> None:
    # ECCN 3A090 and BIS rules: 790 M TPP.
    assert round(export.COUNTRY_CAP_TPP / 15_832) == 49_899
    assert export.diffusion_cap(49_900 * 15_832.0).outcome.startswith("above")
    assert export.diffusion_cap(10_000 * 15_832.0).outcome.startswith("within")
