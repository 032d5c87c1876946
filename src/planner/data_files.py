"""Where the program's folders are: what comes with it, what a user adds, and what is kept between sessions.

What comes with it is ``presets/``, ``themes/`` and ``validation/``.

In a checkout they stand at its top, where people look for them; an installed wheel carries them inside the
package, as ``planner/_data``.
"""

import os
from pathlib import Path

PROGRAM = "cluster-planner"
"""Name of the program's folders on the system."""


def data_root() -> Path:
    """Find the folder that holds ``presets/``, ``themes/`` and ``validation/``.

    Returns:
        The package's own ``_data`` folder in an installed wheel, else the top of the checkout.
    """
    package = Path(__file__).resolve().parent
    packaged = package / "_data"
    return packaged if packaged.is_dir() else package.parents[1]


def has_preset(name: str) -> bool:
    """Whether a plan of this id comes with the program; no file is read, and no more is imported."""
    return name != "index" and name.isprintable() and (data_root() / "presets" / "plans" / f"{name}.toml").is_file()


def config_folder() -> Path:
    """Where settings, keys, themes and a user's own presets are: PLANNER_CONFIG_DIR, else the system's place for it."""
    if folder := os.environ.get("PLANNER_CONFIG_DIR"):
        return Path(folder)
    import platformdirs

    return Path(platformdirs.user_config_dir(PROGRAM))


def state_folder() -> Path:
    """Where sessions are kept: PLANNER_STATE_DIR, else the system's place for it."""
    if folder := os.environ.get("PLANNER_STATE_DIR"):
        return Path(folder)
    import platformdirs

    return Path(platformdirs.user_state_dir(PROGRAM))
