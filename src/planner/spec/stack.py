"""The training software as facts that decide speed and memory."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from planner.spec.base import Entry, NotNegative, Spec
from planner.spec.card import Architecture

AttentionKernel = Literal["flash", "flash1", "flash2", "triton", "fused-softmax", "unfused"]
KernelFusion = Literal["fused", "compiled", "eager-fused-norms", "eager"]
PointToPoint = Literal["scatter-gather", "redundant"]
Loss = Literal["vocab-parallel", "gathered", "chunked"]
CudaGraphs = Literal["none", "partial", "full"]
Dispatcher = Literal["alltoall", "deepep", "hybridep"]
GradientBytes = Literal[2, 4]


FIRST_KERNELS: tuple[tuple[str, AttentionKernel], ...] = (("2022-06", "fused-softmax"), ("2023-07", "flash1"))
"""The month from which a better attention kernel was to be had (FlashAttention, arXiv 2205.14135; FlashAttention-2,
arXiv 2307.08691), and the best one until then (Megatron-LM's fused softmax)."""

KERNELS_OF_TODAY: dict[Architecture, str] = {"hopper": "2025", "blackwell": "2026", "blackwell-ultra": "2026"}
"""From when an architecture's best attention kernels run at their rate of today: FlashAttention-3 and cuDNN 9 on
Hopper, cuDNN 9.19 on Blackwell (SDPA benchmarks of the cuDNN front end)."""


class Overlap(Spec):
    """Which communication the software runs beside computation."""

    data: bool = True
    """Gradient reduction and weight gathering of data parallelism."""
    tensor: bool = True
    """Tensor-parallel collectives."""
    fsdp: bool = True
    """Gathers and scatters of fully sharded weights."""
    expert: bool = False
    """The exchange of tokens between experts."""
    pipeline: bool = True
    """Transfers between pipeline stages."""


class StackFactor(Spec):
    """How much slower (above 1) or faster a user's own runs were than the engine says; from `calibrate-to`."""

    step_time: Annotated[float, Field(ge=0.01, le=100.0)] = 1.0
    """Measured over predicted step time, median of the runs."""
    spread: Annotated[float, Field(ge=0.0, le=3.0)] = 0.0
    """Standard deviation of its logarithm over the runs."""
    runs: int = 0
    """Runs behind it."""


class Stack(Entry):
    """A profile of a training software. A plan's own keys override it."""

    attention_kernel: AttentionKernel = "flash"
    """Kernel of the attention core; flash is the current best for the card."""
    attention_kernel_on: dict[Architecture, AttentionKernel] = Field(default={})
    """Architectures of cards on which the software takes another kernel, and which."""
    kernel_fusion: KernelFusion = "fused"
    """How memory-bound operations are fused."""
    overlap: Overlap = Overlap()
    p2p: PointToPoint = "scatter-gather"
    """Between stages: each tensor rank sends its share (scatter-gather), or all of it (redundant)."""
    gradient_bytes: GradientBytes = 4
    """Bytes of a gradient, as reduced and kept."""
    parameter_gather_bytes: NotNegative = 2.0
    """Bytes a parameter when sharded weights are gathered (1.25 with FP8 gathers); 4 in FP32 and TF32."""
    loss: Loss = "vocab-parallel"
    """How logits and loss are computed over the tensor group."""
    cuda_graphs: CudaGraphs = "none"
    """Launches recorded once and replayed."""
    dispatcher: Dispatcher = "alltoall"
    """What carries tokens to experts and back."""
    sequence_parallel: bool = True
    """Sequence parallelism is on by default where tensor > 1."""
    fused_accumulation: bool = True
    """The weight-gradient GEMM adds into the gradient buffer; else every micro-batch adds in a pass of its own."""
    gathers_in_place: bool = False
    """Sharded weights are used where they are gathered (Megatron-FSDP); else copied out of the buffers they come in."""
    xla: bool = False
    """Compiled as a whole by XLA: no host work a layer."""
    mature: bool = True
    """Tuned public software; other software counts as tuned where it overlaps its gradient exchange."""
    since: str = ""
    """First release the facts hold for, YYYY or YYYY-MM."""
    kernels_from: str = ""
    """When its attention kernels are from, YYYY or YYYY-MM; empty: of today, in a measured run of the run's date."""
    described: bool = True
    """These are facts of some software. Where it is none in particular, ranges are those of unknown software, unless
    a plan states kernel, fusion and overlap itself."""
    factor: StackFactor = StackFactor()

    def older_kernels(self, architecture: Architecture) -> bool:
        """Its kernels are from before an architecture had those of today."""
        return "" < self.kernels_from < KERNELS_OF_TODAY.get(architecture, "")

    def as_of(self, day: str) -> Stack:
        """The software of a run of some day; where nobody dated it, `flash` is the best kernel there was then.

        Args:
            day: YYYY, YYYY-MM or YYYY-MM-DD; empty: not known, and nothing changes.
        """
        kernel = self.attention_kernel
        if day and kernel == "flash" and not self.since:
            kernel = next((best for until, best in FIRST_KERNELS if day < until), kernel)
        return self.model_copy(update={"kernels_from": self.kernels_from or day, "attention_kernel": kernel})

    @property
    def tuned(self) -> bool:
        """It runs at the speed of public software: it is that, or it overlaps its gradient exchange.

        Every run that shows in-house software slower is of software that does not overlap it (2022-23); MegaScale's
        does and is as quick as public software. It is the sign of tuning that a source states.
        """
        return self.mature or self.overlap.data
