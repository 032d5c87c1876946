"""Plan AI training clusters: time, memory, power and cost of a training run, with honest ranges.

The package is a one-way road: ``spec`` (what is planned) is read by ``engine`` (what it does), and both are
read by ``exchange``, ``tui`` and ``cli`` (how people see it). Nothing points back.
"""

# A plain string, so that `planner --version` and every import stay quick: importlib.metadata costs tens of
# milliseconds. The build reads the version from here (`tool.hatch.version` in pyproject.toml).
__version__ = "0.1.0"
