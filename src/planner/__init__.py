"""Plan AI training clusters: time, memory, power and cost of a training run, with honest ranges.

The package is a one-way road: ``spec`` (what is planned) is read by ``catalog`` (what a plan names) and ``engine``
(what it does), these by ``exchange`` (words and files), and all of them by ``tui`` and ``cli``. Nothing points back.
"""

# A plain string, so that `planner --version` and every import stay quick: importlib.metadata costs tens of
# milliseconds. The build reads the version from here (`tool.hatch.version` in pyproject.toml).
__version__ = "0.1.0"
