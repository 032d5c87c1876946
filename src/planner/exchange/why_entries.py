"""Why a figure of a fleet or of the catalogue is what it is, in the form of `why`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.catalog import Catalog
from planner.engine.fleet import FleetTotals
from planner.engine.money import BUILDING_YEARS
from planner.exchange import listing
from planner.exchange.fleet import capital
from planner.exchange.format import amount, megawatts, money
from planner.exchange.why import Input, Why, about, feeds
from planner.spec.base import PlanError, Problem
from planner.spec.card import Card
from planner.spec.fabric import ScaleOut, ScaleUp
from planner.spec.fleet import Fleet
from planner.spec.grid import Grid
from planner.spec.model import Model
from planner.spec.plan import Plan
from planner.spec.stack import Stack
from planner.spec.words import escaped, nearest

MARKS = {
    "": "checked against a source that was read",
    listing.UNVERIFIED: "not checked against a source that was read",
    listing.ASSUMED: "assumed: no source states it",
}


@dataclass(frozen=True, slots=True)
class _Total:
    """A total of a fleet in words."""

    name: str
    show: Callable[[FleetTotals], str]
    words: str
    needs: tuple[str, ...] = ()
    """Other totals; without any, the cards are what it is made of."""
    cites: tuple[str, ...] = ()


TOTALS = {
    "cards": _Total("Cards", lambda t: f"{t.cards:,}", "Cards of all clusters of the file."),
    "h100_equivalents": _Total(
        "H100-equivalents", lambda t: amount(t.h100_equivalents),
        "Cards x their rate over the H100's: by dense 8-bit rate (1,979 TOP/s), or by BF16 (989 TFLOP/s).",
        cites=("Epoch AI, AI chip counts",)),
    "power_mw": _Total(
        "Critical power", lambda t: megawatts(t.power_mw),
        "Cards x (card + its share of the host), network and storage, all at their rating."),
    "facility_mw": _Total("At the meter", lambda t: megawatts(t.facility_mw), "Critical power x PUE.", ("power_mw",)),
    "energy_mwh_per_year": _Total(
        "Energy a year", lambda t: f"{amount(t.energy_mwh_per_year)} MWh",
        "Power at the meter x the load of training x 8,766 hours.", ("facility_mw",)),
    "co2_kg_per_year": _Total(
        "Carbon a year", lambda t: f"{amount(t.co2_kg_per_year / 1000)} t", "Energy x carbon of the grid.",
        ("energy_mwh_per_year",)),
    "capex_usd": _Total(
        "Capital", capital, "Price of card, server and network x cards, of what is owned; where the network's price is "
        "not given, it is that of multi-plane trees over all cards."),
    "operating_usd_per_year": _Total(
        "Operation a year", lambda t: money(t.operating_usd_per_year),
        "Owned: hosting or electricity, and staff. Rented: rent a card-hour x cards x 8,766 hours.", ("power_mw",)),
    "owning_usd_per_year": _Total(
        "Owning a year", lambda t: money(t.owning_usd_per_year),
        f"Capital / depreciation period (buildings / {BUILDING_YEARS:g} years) + operation.",
        ("capex_usd", "operating_usd_per_year"), ("SemiAnalysis, DeepSeek Debates (2025-01)",)),
    "owning_with_interest_usd_per_year": _Total(
        "With interest", lambda t: money(t.owning_with_interest_usd_per_year),
        "Annuity of the capital at its cost + operation.", ("capex_usd", "operating_usd_per_year")),
    "usd_per_used_card_hour": _Total(
        "A used card-hour", lambda t: f"${t.usd_per_used_card_hour:,.2f}",
        "Owning with interest / (cards x utilization x 8,766 hours).", ("owning_with_interest_usd_per_year",)),
}  # fmt: skip
"""Totals under the names of the contract."""


@dataclass(frozen=True, slots=True)
class FleetBook:
    """The totals of a fleet.

    Attributes:
        name: id or file name.
        fleet: the fleet.
        totals: what the engine says of it.
        rule: that H100s are counted by.
    """

    name: str
    fleet: Fleet
    totals: FleetTotals
    rule: str

    @property
    def title(self) -> str:
        """The fleet."""
        return f"fleet {self.name}"

    def figures(self) -> list[tuple[str, str, str]]:
        """Every total."""
        return [(key, one.name, one.show(self.totals)) for key, one in TOTALS.items()]

    def explain(self, key: str) -> Why:
        """One of them.

        Raises:
            PlanError: there is no such total, with the nearest that is.
        """
        if key not in TOTALS:
            near = nearest(key, [*TOTALS])
            fix = f"Did you mean {near}?" if near else f"Figures: {', '.join(TOTALS)}."
            raise PlanError([Problem("error", "", f"a fleet has no figure {escaped(key)}.", fix)])
        one, t = TOTALS[key], self.totals
        inputs = [Input(need, TOTALS[need].name, TOTALS[need].show(t), "computed") for need in one.needs]
        if not one.needs:
            inputs = [Input(c.card, c.card, f"{c.cards:,} cards", f"fleet {self.name}") for c in t.by_card]
        note = f"without {', '.join(t.unpriced)}: no price is known" if t.unpriced and "usd" in key else ""
        fed = tuple((name, other.name) for name, other in TOTALS.items() if key in other.needs)
        return Why(
            key, one.name, one.show(t), note, one.words, tuple(inputs), (), (*one.cites, *self.fleet.sources), fed
        )

    def twin(self, key: str) -> str:
        """What the command line says of it."""
        rule = "" if self.rule == "8-bit" else f" --rule {self.rule}"
        return f"planner fleet {self.name}{rule} --why {key}"


NEEDS: dict[type, str] = {
    Card: "card.{key}", ScaleUp: "scale_up.{key}", ScaleOut: "scale_out.{key}", Stack: "strategy.{key}",
    Model: "workload.model", Grid: "power.grid",
}  # fmt: skip
"""Kind of entry -> what formulas call a figure of it."""


@dataclass(frozen=True, slots=True)
class EntryBook:
    """The figures of an entry of the catalogue.

    Attributes:
        catalog: has it.
        kind: of `listing.KINDS`.
        name: its id.
    """

    catalog: Catalog
    kind: str
    name: str

    @property
    def title(self) -> str:
        """The entry."""
        return self.name

    def figures(self) -> list[tuple[str, str, str]]:
        """Every figure that is set."""
        return [(row.key, row.key, row.value) for row in self._rows()]

    def explain(self, key: str) -> Why:
        """One of them: what it means, where it was read, which figures of a plan need it."""
        row = next(row for row in self._rows() if row.key == key)
        item = listing.find(self.catalog, self.kind, self.name)
        known = self.catalog.sources()
        cites = tuple(f"{s}: {known[s].title} {known[s].url}".strip() if s in known else s for s in row.sources)
        note = MARKS[row.mark] if row.sources or row.mark else ""
        return Why(key, key, row.value, note, about(type(item), key), cites=cites, feeds=self._feeds(item, key))

    def twin(self, _key: str) -> str:
        """The entry with all its sources."""
        return f"planner catalog {self.kind} {self.name}"

    def _rows(self) -> list[listing.Row]:
        return listing.rows(self.catalog, self.name, listing.find(self.catalog, self.kind, self.name))

    @staticmethod
    def _feeds(item: listing.Item, key: str) -> tuple[tuple[str, str], ...]:
        """The figures that need it; of a model and a software every figure that needs those at all."""
        if isinstance(item, Plan):
            return feeds(key)
        return feeds(next((name.format(key=key) for kind, name in NEEDS.items() if isinstance(item, kind)), ""))
