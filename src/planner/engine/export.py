"""Where a card stands under the export rules of the United States, rule by rule. Scalars only: a class is a word.

Sources of the thresholds: ECCN 3A090 (15 CFR 774, supplement 1) of October 2022 and of October 2023; the AI Diffusion
rule of January 2025; the letters of April 2025; the rule of January 2026 (Federal Register 2026-00789), whose two
limits were read in secondary notes, not in the rule itself.
An answer to a planning question, not legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.spec.card import Card

TPP_LIMIT = 4800.0
"""Total processing performance at which a card is controlled whatever else: 3A090 of October 2022 and of 2023."""

IO_LIMIT_GB_PER_S = 600.0
"""Bidirectional transfer rate over all of a card's links, GB/s: 3A090 of October 2022, together with `TPP_LIMIT`."""

DENSE_TPP, DENSE_LIMIT = 1600.0, 5.92
"""3A090.a of October 2023: from this TPP and performance density on."""

MIDDLE_TPP, MIDDLE_DENSITY = 2400.0, 1.6
"""3A090.b of October 2023: from this TPP (below 4,800) and density (below 5.92) on."""

SMALL_DENSITY = 3.2
"""3A090.b of October 2023: TPP of 1,600 and this density (below 5.92)."""

H20_MEMORY_TB_PER_S, H20_IO_GB_PER_S = 4.0, 900.0
"""The H20's memory bandwidth and bidirectional link rate, which the letter of April 2025 made a limit for China."""

CASE_TPP, CASE_MEMORY_TB_PER_S = 21_000.0, 6.5
"""Below both, licences for China are decided case by case from January 2026 on."""

COUNTRY_CAP_TPP = 790e6
"""AI Diffusion, January 2025: what a tier-2 country could import over 2025 to 2027 (49,899 H100)."""

FLEET = "fleet"
"""Stands for the card where a rule is about the sum of all."""


@dataclass(frozen=True, slots=True)
class ExportClass:
    """A card under one rule."""

    card: str
    """Its id, or its name where it has none; `FLEET` for a rule about the sum."""
    rule: str
    since: str
    """Month the rule was issued."""
    until: str
    """Month it ended; empty: in force."""
    outcome: str
    tpp: float
    """Total processing performance, dense TOP/s x bit length; of the fleet for a rule about the sum."""
    performance_density: float
    """TPP over die area, 1/mm2; 0: the area is not known."""


def october_2022(tpp: float, io_gb_per_s: float) -> str:
    """3A090 as of October 2022.

    Args:
        tpp: dense TOP/s x bit length, largest over data types.
        io_gb_per_s: transfer rate over all links, both directions, GB/s.
    """
    return "3A090" if tpp >= TPP_LIMIT and io_gb_per_s >= IO_LIMIT_GB_PER_S else "not controlled"


def october_2023(tpp: float, die_mm2: float) -> str:
    """3A090 as of October 2023, still in force.

    Args:
        tpp: dense TOP/s x bit length, largest over data types.
        die_mm2: applicable die area; 0: not known.
    """
    if tpp >= TPP_LIMIT:
        return "3A090.a"
    if tpp < DENSE_TPP:
        return "not controlled"
    if die_mm2 <= 0:
        return "undetermined: needs die area"
    density = tpp / die_mm2
    if density >= DENSE_LIMIT:
        return "3A090.a"
    middle = tpp >= MIDDLE_TPP and density >= MIDDLE_DENSITY
    return "3A090.b" if middle or density >= SMALL_DENSITY else "not controlled"


def april_2025(class_2023: str, memory_tb_per_s: float, io_gb_per_s: float) -> str:
    """The letters of April 2025: a licence for China for the H20 and what matches its memory or link bandwidth.

    Args:
        class_2023: outcome of `october_2023`.
        memory_tb_per_s: memory bandwidth, TB/s.
        io_gb_per_s: transfer rate over all links, both directions, GB/s.
    """
    if class_2023 not in {"not controlled", "undetermined: needs die area"}:
        return f"licence required ({class_2023})"
    like_h20 = memory_tb_per_s >= H20_MEMORY_TB_PER_S or io_gb_per_s >= H20_IO_GB_PER_S
    return "licence required (as the H20)" if like_h20 else class_2023


def january_2026(class_2023: str, tpp: float, memory_tb_per_s: float) -> str:
    """The rule of January 2026: licences for China case by case below two limits.

    Args:
        class_2023: outcome of `october_2023`.
        tpp: dense TOP/s x bit length, largest over data types.
        memory_tb_per_s: memory bandwidth, TB/s.
    """
    if class_2023 == "not controlled":
        return class_2023
    below = tpp < CASE_TPP and memory_tb_per_s < CASE_MEMORY_TB_PER_S
    return "case by case" if below else "presumed denied"


def export_classes(card: Card, card_id: str, io_gb_per_s: float) -> tuple[ExportClass, ...]:
    """A card under every rule, oldest first.

    The class of 2022 is the catalogue's where it states one: some cards have more links than the fabric they are sold
    with here (NVLink bridges of PCIe cards).

    Args:
        card: the card.
        card_id: how to name it.
        io_gb_per_s: transfer rate over all links, both directions, GB/s.
    """
    facts = card.export_control
    density = facts.tpp / facts.die_mm2 if facts.die_mm2 else 0.0
    stated = "not controlled" if facts.class_2022.startswith("escaped") else "3A090"
    before = stated if facts.class_2022 else october_2022(facts.tpp, io_gb_per_s)
    now = october_2023(facts.tpp, facts.die_mm2)
    rows = (
        ("3A090 of October 2022", "2022-10", "2023-10", before),
        ("3A090 of October 2023", "2023-10", "", now),
        ("letters of April 2025 (China)", "2025-04", "", april_2025(now, card.memory_tb_per_s, io_gb_per_s)),
        ("rule of January 2026 (China)", "2026-01", "", january_2026(now, facts.tpp, card.memory_tb_per_s)),
    )
    return tuple(
        ExportClass(card_id, rule, since, until, what, facts.tpp, density) for rule, since, until, what in rows
    )


def diffusion_cap(total_tpp: float) -> ExportClass:
    """A fleet under the country cap of the AI Diffusion rule, which was rescinded two days before it took effect.

    Args:
        total_tpp: TPP of all cards together.
    """
    share = total_tpp / COUNTRY_CAP_TPP
    outcome = f"{'above' if share > 1 else 'within'} a tier-2 country's cap ({share:.2f} times 790 M TPP)"
    return ExportClass(FLEET, "AI Diffusion (rescinded)", "2025-01", "2025-05", outcome, total_tpp, 0.0)
