"""Where the data folders that come with the program are: ``presets/``, ``themes/`` and ``validation/``.

In a checkout they stand at its top, where people look for them; an installed wheel carries them inside the
package, as ``planner/_data``.
"""

from pathlib import Path


def data_root() -> Path:
    """Find the folder that holds ``presets/``, ``themes/`` and ``validation/``.

    Returns:
        The package's own ``_data`` folder in an installed wheel, else the top of the checkout.
    """
    package = Path(__file__).resolve().parent
    packaged = package / "_data"
    return packaged if packaged.is_dir() else package.parents[1]
