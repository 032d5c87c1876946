"""Writes `docs/workbench.svg`, the picture in the README, by running the program: `python -m scripts.screenshot`."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

PICTURE = Path(__file__).parents[1] / "docs" / "workbench.svg"
SIZE = (120, 40)
FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
"""Fonts Rich would fetch from elsewhere; the reader's own monospace font does."""
RANDOM_ID = re.compile(r"terminal-\d+")


async def picture(preset: str) -> str:
    """The workbench on a preset as SVG, the best strategy found."""
    from planner.catalog import Catalog
    from planner.tui.app import PlannerApp

    app = PlannerApp(Catalog.default().plan(preset))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        svg = app.export_screenshot(title=f"planner {preset}")
    return RANDOM_ID.sub("terminal", FONT_FACE.sub("", svg))


def main() -> None:
    """Write the picture, with an empty home so that no settings of the person who runs it show."""
    with tempfile.TemporaryDirectory() as home:
        for variable in ("PLANNER_CONFIG_DIR", "PLANNER_DATA_DIR", "PLANNER_STATE_DIR"):
            os.environ[variable] = home
        PICTURE.write_text(asyncio.run(picture("deepseek-v3")), encoding="utf-8")


if __name__ == "__main__":
    main()
