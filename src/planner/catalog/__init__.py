"""Finds what a plan names: cards, fabrics, models, stacks, plans and fleets, built in and the user's own."""

from planner.catalog.catalog import Catalog, PresetInfo, Source, user_folder

__all__ = ["Catalog", "PresetInfo", "Source", "user_folder"]
