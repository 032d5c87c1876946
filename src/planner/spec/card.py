"""The accelerator card as bought: memory, peaks, sustained rates, host, prices."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from planner.spec.base import Count, Entry, NotNegative, Positive, Spec

Precision = Literal["fp32", "tf32", "fp16", "bf16", "fp8", "mxfp8", "nvfp4"]

Architecture = Literal[
    "volta", "ampere", "ada", "hopper", "blackwell", "blackwell-ultra", "rubin",
    "cdna2", "cdna3", "cdna4", "cdna5", "tpu", "trainium", "gaudi", "ascend",
]  # fmt: skip


class Peaks(Spec):
    """Dense matrix-product peaks, in TFLOP/s (TOP/s for int8). Zero: the card cannot do it."""

    fp32: NotNegative = 0.0
    tf32: NotNegative = 0.0
    fp16: NotNegative = 0.0
    bf16: NotNegative = 0.0
    fp8: NotNegative = 0.0
    fp6: NotNegative = 0.0
    fp4: NotNegative = 0.0
    int8: NotNegative = 0.0

    @model_validator(mode="after")
    def _trains(self) -> Self:
        if not (self.bf16 or self.fp16):
            msg = "a card needs a peak in bf16 or fp16, which training in any precision computes in"
            raise ValueError(msg)
        return self


class Measured(Spec):
    """What one card was measured to do, where somebody did."""

    bf16_tflops: NotNegative = 0.0
    """Largest matrix product reached in BF16 (maximum achievable matmul FLOP/s)."""
    fp8_tflops: NotNegative = 0.0
    """The same in FP8."""
    at_w: NotNegative = 0.0
    """Board power these two were measured at, W; 0: `tdp_w`. Clocks, and with them both, follow `tdp_w`."""
    gemm_under_load_tflops: NotNegative = 0.0
    """Your own: BF16 rate of a large GEMM (8192^3) on a card that has been busy for minutes. Overrides the ceiling."""


class Host(Spec):
    """The server (node) the card comes in."""

    system: str = ""
    """Name of the server."""
    cards: Count = 8
    """Cards in one node."""
    nics: Annotated[int, Field(ge=0)] = 8
    """Scale-out ports in one node, shared by its cards."""
    nic_gb_per_s: NotNegative = 0.0
    """Bandwidth of one of them and direction, GB/s."""
    max_kw: NotNegative = 0.0
    """Rated power of the whole node; 0: not stated."""
    measured_kw: NotNegative = 0.0
    """Measured power of the whole node under training load; 0: not stated."""
    all_in_kw_per_card: NotNegative = 0.0
    """Critical IT power a card with its share of host, network and storage; 0: not stated."""
    link_gb_per_s: NotNegative = 0.0
    """One card to the host's memory (PCIe or a coherent link), one direction, GB/s; 0: not stated."""


class Price(Spec):
    """A price range seen at a date."""

    low: NotNegative
    """Lowest seen."""
    high: NotNegative
    """Highest seen."""
    basis: str
    """What the price is of, and on what terms."""
    date: str
    """Month, year or range of them."""
    source: str
    """Key of `presets/sources.toml`, or an address."""
    verified: bool
    """The source was read."""


class ExportControl(Spec):
    """What export rules look at."""

    tpp: NotNegative = 0.0
    """Total processing performance: dense TOP/s x bit length, largest over data types."""
    die_mm2: NotNegative = 0.0
    """Applicable die area; 0: not stated."""
    class_2022: str = ""
    """How the card stands under the rule of October 2022 (3A090, first form)."""
    class_2023: str = ""
    """Its class under the rule of October 2023; the one in force."""
    case_by_case_2026: bool = False
    """Below the limits of January 2026 for licences case by case."""
    note: str = ""


class Card(Entry):
    """An accelerator card. Peaks are dense; bandwidths are per card and per direction."""

    vendor: str
    """Who makes it."""
    architecture: Architecture
    """Family whose calibration constants apply."""
    launch: str = ""
    """Year and month it was announced."""
    form: str = ""
    """Form factor (sxm, pcie, ...)."""
    status: str = ""
    """Announced, shipping, ..."""
    memory_gb: Positive
    """High-bandwidth memory as marketed, GB (10^9 bytes)."""
    memory_type: str = ""
    """Kind of memory (HBM3, ...)."""
    memory_tb_per_s: Positive
    """Memory bandwidth, TB/s."""
    peak_tflops: Peaks
    measured: Measured = Measured()
    sm_count: Annotated[int, Field(ge=0)] = 0
    """Streaming multiprocessors, compute units or cores; 0: not stated."""
    boost_clock_mhz: NotNegative = 0.0
    """Boost clock; 0: not stated."""
    matrix_unit: Annotated[int, Field(ge=0)] = 0
    """Side of the systolic arrays that multiply matrices; 0: it has none, or it is not stated."""
    tdp_w: Positive
    """Thermal design power of the card, W."""
    scale_up: str
    """Catalogue id of the fabric its node comes with."""
    scale_out: str = ""
    """Catalogue id of the usual scale-out fabric; empty: by the host's NIC rate."""
    host: Host = Host()
    price_usd: Annotated[tuple[Price, ...], Field(strict=False)] = ()
    """Prices of one card, USD."""
    rental_usd_per_hour: Annotated[tuple[Price, ...], Field(strict=False)] = ()
    """Rental prices of one card, USD an hour."""
    export_control: ExportControl = ExportControl()
    """Figures for the export rules."""

    def peak(self, precision: Precision) -> float:
        """Dense peak of a precision, TFLOP/s; 0 where the card does not have it.

        MXFP8 runs on the FP8 units and NVFP4 on the FP4 units.
        """
        unit = {"mxfp8": "fp8", "nvfp4": "fp4"}.get(precision, precision)
        return float(getattr(self.peak_tflops, unit))
