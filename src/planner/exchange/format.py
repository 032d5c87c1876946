"""Figures as people read them. Pure; the reports and the terminal UI share it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

STEPS = ((1e15, "P"), (1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
BYTE_STEPS = ((1e6, "PB"), (1e3, "TB"), (1.0, "GB"), (1e-3, "MB"), (1e-6, "kB"))
TIME_STEPS = ((86400.0, "d"), (3600.0, "h"), (600.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
MINUTE_S = 60.0
YEAR = 365.25
"""Days of a year."""
SHORT_DAYS, LONG_DAYS = 0.1, YEAR * 100
PERCENT = 100.0
WHOLE = 100.0
"""From here on an amount has no decimals."""
SHORTENED = 99_999.5
"""From here on an amount is given a letter for thousands and more."""
ASCII: Final = str.maketrans({
    **dict.fromkeys("─╸–", "-"), "━": "=", "│": "|", **dict.fromkeys("╭╮╰╯└", "+"),
    **dict(zip("▁▂▃▄▅▆▇█", ".:-=+*%#", strict=True)), **dict(zip("▓▒░▪", "=+:.", strict=True)),
    **dict(zip("●○◆◇", "*o#x", strict=True)),
    **{chr(braille): "o" for braille in range(0x2801, 0x2900)},
    "▌": ">", "•": "*", "·": ".", "✓": "+", "✗": "x", "✖": "X", "▲": "!", "▾": "v", "▴": "^",
    "↑": "^", "↓": "v", "←": "<", "→": ">", "…": "~", "“": '"', "”": '"', "×": "x", "µ": "u",
})  # fmt: skip
"""What stands for each of our own characters where only ASCII is written: what a picture tells apart stays apart."""


def significant(value: float, digits: int = 3) -> str:
    """Plain digits, so many of them significant, thousands separated.

    >>> significant(5.3281), significant(0.0123), significant(16384.0), significant(38.94)
    ('5.33', '0.0123', '16,384', '38.9')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    places = max(digits - 1 - math.floor(math.log10(abs(rounded))), 0)
    return f"{rounded if places else round(value):,.{places}f}"


def short(value: float, digits: int = 3) -> str:
    """With a letter for thousands and more.

    >>> short(14.8e12), short(5328000.0), short(950.0), short(999_999.0)
    ('14.8 T', '5.33 M', '950', '1.00 M')
    """
    for step, letter in STEPS:
        if abs(value) >= step * (1 - 0.5 * 10**-digits):
            return f"{significant(value / step, digits)} {letter}"
    return significant(value, digits)


def amount(value: float) -> str:
    """Digits with separators as long as they are read at a glance, then with a letter.

    >>> amount(1714.6), amount(145.2), amount(99_999.6), amount(1_234_567.0)
    ('1,715', '145', '100 k', '1.23 M')
    """
    if value >= SHORTENED:
        return short(value)
    return f"{value:,.0f}" if value >= WHOLE else significant(value)


def money(usd: float) -> str:
    """US dollars.

    >>> money(5_328_000.0), money(0.361)
    ('$5.33 M', '$0.361')
    """
    return f"${short(usd)}"


def percent(share: float) -> str:
    """A ratio as percent.

    >>> percent(0.3894)
    '38.9 %'
    """
    return f"{significant(share * PERCENT)} %"


def share(part: float) -> str:
    """A part of a whole, as percent with one decimal, so that parts in a column add up to the eye.

    >>> share(0.3041), share(0.00018)
    ('30.4 %', '0.0 %')
    """
    return f"{part * PERCENT:.1f} %"


def gigabytes(value: float) -> str:
    """Bytes given in GB, in the unit that reads best.

    >>> gigabytes(61.23), gigabytes(9394.0), gigabytes(0.0)
    ('61.2 GB', '9.39 TB', '0 GB')
    """
    unit = next(((step, name) for step, name in BYTE_STEPS if abs(value) >= step), (1.0, "GB"))
    return f"{significant(value / unit[0])} {unit[1]}"


def seconds(value: float) -> str:
    """A duration in the unit that reads best.

    >>> seconds(19.42), seconds(0.0123), seconds(7200.0), seconds(900.0)
    ('19.4 s', '12.3 ms', '2.00 h', '15.0 min')
    """
    step, unit = next(((step, unit) for step, unit in TIME_STEPS if value >= step), (1.0, "s"))
    return f"{significant(value / (MINUTE_S if unit == 'min' else step))} {unit}"


def days(value: float) -> str:
    """Days; years, hours and minutes where days stop meaning anything.

    >>> days(54.23), days(1e6), days(0.05), days(0.002)
    ('54.2 days', '2.74 k years', '1.20 hours', '2.88 minutes')
    """
    if 0 < value < SHORT_DAYS:
        hours = 24.0 * value
        return f"{significant(hours)} hours" if hours >= 1 else f"{significant(60.0 * hours)} minutes"
    return f"{short(value / YEAR)} years" if value > LONG_DAYS else f"{significant(value)} days"


def day_count(value: float) -> str:
    """Days where a heading has the unit: never years.

    >>> day_count(54.23), day_count(8662.0), day_count(1e6)
    ('54.2', '8,662', '1.00 M')
    """
    return short(value) if value > LONG_DAYS else significant(value)


def megawatts(value: float) -> str:
    """Power given in MW, in the unit that reads best.

    >>> megawatts(2.84), megawatts(0.0112)
    ('2.84 MW', '11.2 kW')
    """
    return f"{significant(value)} MW" if value >= 1 else f"{significant(value * 1000)} kW"


def tonnes(kilograms: float) -> str:
    """Kilograms as tonnes.

    >>> tonnes(1_398_000)
    '1,398 t'
    """
    return f"{amount(kilograms / 1000)} t"


def between(low: float, high: float, show: Callable[[float], str]) -> str:
    """A range, the unit written once where both ends have the same.

    >>> between(0.36, 0.42, percent)
    '36.0 – 42.0 %'
    """
    start, end = show(low), show(high)
    number, _, unit = start.partition(" ")
    return f"{number if unit and end.endswith(f' {unit}') else start} – {end}"


def in_ascii(text: str) -> str:
    """The same in ASCII alone, character by character; what is not our own becomes a question mark.

    >>> in_ascii("▁▄█ 10 µs – 東")
    '.=# 10 us - ?'
    """
    return text.translate(ASCII).encode("ascii", "replace").decode("ascii")


def period(date: str) -> str:
    """A date of a price, or the time between two.

    >>> period("2024-08..2025-03"), period("2025-01..2025-06..2025-09"), period("2025")
    ('2024-08 – 2025-03', '2025-01 – 2025-09', '2025')
    """
    first, *others = date.split("..")
    return f"{first} – {others[-1]}" if others else first
