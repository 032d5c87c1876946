"""Time of GEMMs, attention and memory-bound work on one card."""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.constants import Constants
from planner.engine.flops import windowed_tokens
from planner.engine.inputs import ATTENTION_KERNELS, FUSIONS, Inputs, Layout, Machine, Shape
from planner.engine.num import Num, any_of, ceil, logical_and, logical_not, maximum, minimum, pick, where

TILE_ROWS, TILE_COLUMNS = 128.0, 256.0
"""Output tile of one thread block in current GEMM kernels (CUTLASS default for large shapes)."""
CLOCKS_HOLD = 0.95
"""Share of its peak that a GEMM reaches where power does not limit clocks; measured on Gaudi 2: 0.97."""
TENSOR_CORES = 0.9
"""Share of peak at which an attention kernel's products would run alone; the rest of its time is softmax."""
NARROW_HEAD = 64.0
"""Head width up to which the softmax, not the products, sets an attention kernel's pace."""
GEMM_STREAM = 0.9
"""Share of the data-sheet bandwidth a GEMM's loads reach."""
EAGER_SCORES = 2.3
"""Passes over the score matrix in eager code (scale, mask, softmax and dropout apart) over a fused softmax; counted."""
MICROSCALED_CAST, FOUR_BIT_CAST = 1.25, 1.5
"""Cast traffic of MXFP8 and NVFP4 over tensor-wise FP8 (scales and second layout; counted)."""
SCAN_CHUNK = 128.0
"""Tokens a Mamba-2 scan takes at a time. Source: Megatron-LM `MambaMixer`, chunk_size."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Seconds of one linear layer's three GEMMs; each float or array."""

    forward: Num
    input_gradient: Num
    weight_gradient: Num


def rate16(machine: Machine, c: Constants) -> Num:
    """Sustained BF16 GEMM rate, FLOP/s: a user's own measurement, else the card's ceiling under training load."""
    return where(machine.under_load16 > 0, machine.under_load16, usual_rate16(machine, c))


def usual_rate16(machine: Machine, c: Constants) -> Num:
    """What `rate16` is without a user's own measurement, FLOP/s."""
    under_load = pick(c.gemm16, machine.architecture)
    usual = unmeasured(pick(c.ceiling16, machine.architecture) * under_load, machine, c) * machine.peak16
    return where(machine.ceiling16 > 0, machine.ceiling16 * at_its_power(machine, c) * under_load, usual)


def at_its_power(machine: Machine, c: Constants) -> Num:
    """Ceilings at the board's power limit over those measured at another: clocks follow the limit."""
    return (machine.tdp_w / machine.measured_w) ** c.power_exponent


def unmeasured(share: Num, machine: Machine, c: Constants) -> Num:
    """Share of its peak that a board nobody measured sustains, from that of its architecture's measured board.

    Clocks follow the power limit; cut-down tensor cores leave more of it to each. Where it is plenty, clocks hold.
    """
    reference = pick(c.reference_w, machine.architecture)
    power = machine.tdp_w / maximum(reference, 1.0) / machine.tensor_share
    followed = minimum(share * power**c.power_exponent, maximum(share, CLOCKS_HOLD))
    return where(reference > 0, followed, share)


def linear_rate(machine: Machine, layout: Layout, c: Constants) -> Num:
    """Sustained GEMM rate at the plan's precision, FLOP/s (layer linears and experts only).

    A user's own measurement is in BF16; it tells of clocks and cooling, so FP8 and FP4 move with it.
    """
    narrow: Num = 0.0
    if any_of(layout.eight_bit):
        under_load = pick(c.gemm16, machine.architecture) * pick(c.gemm8, machine.architecture)
        usual = unmeasured(pick(c.ceiling8, machine.architecture) * under_load, machine, c) * machine.peak8
        eight = where(machine.ceiling8 > 0, machine.ceiling8 * at_its_power(machine, c) * under_load, usual)
        eight = eight * where(layout.microscaled, c.microscaled, 1.0)
        if any_of(machine.under_load16 > 0):
            eight = eight * rate16(machine, c) / usual_rate16(machine, c)
        ratio = machine.peak4 / maximum(machine.peak8, 1.0)
        narrow = where(layout.four_bit, ratio * c.four_bit * eight, eight)
    if not any_of(logical_not(layout.eight_bit)):
        return narrow
    return where(layout.eight_bit, narrow, wide_rate(machine, layout, c))


def wide_rate(machine: Machine, layout: Layout, c: Constants) -> Num:
    """Sustained GEMM rate of what is never narrowed (head, router), FLOP/s: BF16, or FP32 and TF32 where all is."""
    return rate16(machine, c) * full_precision_rate(machine, layout)


def full_precision_rate(machine: Machine, layout: Layout) -> Num:
    """FP32 or TF32 peak over BF16's where the plan computes in it, else 1."""
    return where(layout.full_precision, machine.peak32 / machine.peak16, 1.0)


def wide_bytes(layout: Layout) -> Num:
    """Bytes of a hidden state: BF16, or FP32 where everything is (TF32 is stored as FP32)."""
    return where(layout.full_precision, 4.0, 2.0)


def operand_bytes(layout: Layout) -> Num:
    """Bytes an operand of a layer's GEMMs."""
    return where(layout.four_bit, 0.5, where(layout.eight_bit, 1.0, where(layout.full_precision, 4.0, 2.0)))


def gemm(m: Num, n: Num, k: Num, rate: Num, operand: Num, output: Num, machine: Machine, c: Constants) -> Num:
    """Seconds of an (m x k)(k x n) matrix product.

    max(math, memory) + epilogue x min(math, memory), where math counts a share of the idle units in the last wave;
    fitted on public per-shape tables of SimuMax and DeepGEMM (see docs/model.md).

    Args:
        m: rows of the product; float or array.
        n: its columns.
        k: the width summed over.
        rate: sustained FLOP/s.
        operand: bytes an input element.
        output: bytes an output element, read-modify-write counted.
        machine: the card.
        c: constants.
    """
    waves = maximum(ceil(m / TILE_ROWS) * ceil(n / TILE_COLUMNS), 1.0) / machine.units
    waste = 1.0 + c.wave * (ceil(waves) / waves - 1.0)
    math = 2.0 * m * n * k / rate * waste
    memory = (operand * (m * k + k * n) + output * m * n) / (GEMM_STREAM * machine.memory_bandwidth)
    return maximum(math, memory) + c.epilogue * minimum(math, memory)


def linear(rows: Num, width_out: Num, width_in: Num, x: Inputs, c: Constants, rate: Num | None = None) -> Linear:
    """Forward, input-gradient and weight-gradient GEMMs of a linear layer.

    The weight gradient accumulates in FP32 (read and write, 7 bytes on average over the first and later micro-batches).

    Args:
        rows: tokens.
        width_out: output features on this card.
        width_in: input features on this card.
        x: the plan.
        c: constants.
        rate: FLOP/s; None: the plan's precision decides. With a rate, operands are as wide as hidden states.
    """
    wide = wide_bytes(x.layout)
    operand = operand_bytes(x.layout) if rate is None else wide
    rate = linear_rate(x.machine, x.layout, c) if rate is None else rate
    return Linear(
        gemm(rows, width_out, width_in, rate, operand, wide, x.machine, c),
        gemm(rows, width_in, width_out, rate, operand, wide, x.machine, c),
        gemm(width_in, width_out, rows, rate, operand, 7.0, x.machine, c),
    )


def grouped(slots: Num, local: Num, width_out: Num, width_in: Num, x: Inputs, c: Constants) -> Linear:
    """A grouped GEMM: one product a local expert, all experts' weights read once.

    The rate falls with few rows an expert (DeepGEMM and SimuMax grouped tables).

    Args:
        slots: token copies on this card.
        local: experts on this card.
        width_out: output features.
        width_in: input features.
        x: the plan.
        c: constants.
    """
    rows = slots / maximum(local, 1.0)
    rate = linear_rate(x.machine, x.layout, c) * c.grouped * rows / (rows + c.grouped_rows)
    operand, wide = operand_bytes(x.layout), wide_bytes(x.layout)
    math = 2.0 * slots * width_out * width_in / rate
    stream = GEMM_STREAM * x.machine.memory_bandwidth
    weights = local * width_out * width_in
    forward = (operand * (slots * width_in + weights) + wide * slots * width_out) / stream
    inputs = (operand * (slots * width_out + weights) + wide * slots * width_in) / stream
    gradient = (operand * slots * (width_in + width_out) + 6.0 * weights) / stream
    return Linear(
        *(maximum(math, memory) + c.epilogue * minimum(math, memory) for memory in (forward, inputs, gradient))
    )


def summed(linears: tuple[Linear, ...]) -> tuple[Num, Num, Num]:
    """Seconds of several linear layers: forward, backward and, as a part of that, weight gradients."""
    forward = sum(one.forward for one in linears)
    weight = sum(one.weight_gradient for one in linears)
    return forward, sum(one.input_gradient for one in linears) + weight, weight


def attention(x: Inputs, c: Constants) -> tuple[Num, Num]:
    """Seconds of the attention core of one layer and micro-batch, forward and backward.

    Forward FLOPs are 2 tokens heads (qk + v) span; backward 2.5 times that (FlashAttention-2, arXiv 2307.08691).
    Unfused attention runs two full, non-causal products and moves the score matrix (Korthikanti 2022).
    """
    y, s, kernel = x.layout, x.shape, x.software.attention_kernel
    head = s.heads / y.tensor * (s.qk_dim + s.v_dim)
    flops = 2.0 * x.tokens * head * mean_span(x)
    forward, backward = fused_rates(x, c)
    fused = (flops / forward + c.attention_fixed, 2.5 * flops / backward + c.attention_fixed)
    scores = x.tokens * s.heads / y.tensor * y.sequence
    product = 2.0 * x.tokens * head * y.sequence / (0.75 * wide_rate(x.machine, y, c))
    eager = logical_and(kernel == ATTENTION_KERNELS.index("unfused"), x.software.fusion == FUSIONS.index("eager"))
    passes = where(kernel == ATTENTION_KERNELS.index("fused-softmax"), 0.6, where(eager, EAGER_SCORES, 1.0))
    passes = passes * c.score_traffic * where(y.full_precision, 2.0, 1.0)
    stream = c.hbm * x.machine.memory_bandwidth
    plain = kernel >= ATTENTION_KERNELS.index("fused-softmax")
    return (
        where(plain, product + passes * 13.0 * scores / stream, fused[0]),
        where(plain, 2.0 * product + passes * 17.0 * scores / stream, fused[1]),
    )


def fused_rates(x: Inputs, c: Constants) -> tuple[Num, Num]:
    """FLOP/s of a fused attention kernel, forward and backward, by its generation, the card, head width and length."""
    s, m, kernel = x.shape, x.machine, x.software.attention_kernel
    arch = m.architecture
    early = where(kernel == ATTENTION_KERNELS.index("triton"), True, kernel == ATTENTION_KERNELS.index("flash1"))
    current = pick(c.attention, arch)
    first = logical_and(x.software.older_kernels, kernel == ATTENTION_KERNELS.index("flash"))
    older = where(first, pick(c.attention_older, arch), 1.0)
    second = pick(c.attention_flash2, arch)
    older = where(kernel == ATTENTION_KERNELS.index("flash2"), second, older)
    share = where(early, minimum(pick(c.attention_early, arch), current * second), current * older)
    softmax = maximum(1.0 / share - 1.0 / TENSOR_CORES, 0.0)
    share = where(m.tensor_share < 1.0, 1.0 / (1.0 / TENSOR_CORES + m.tensor_share * softmax), share)
    narrow = where(s.qk_dim <= NARROW_HEAD, pick(c.narrow_head, arch), 1.0)
    # Heads narrower than a systolic array leave part of it idle (JAX scaling book, TPU chapter).
    narrow = where(m.matrix_unit > 0, minimum(s.qk_dim / maximum(m.matrix_unit, 1.0), 1.0), narrow)
    full = full_precision_rate(m, x.layout)
    rate = m.peak16 * full * share * narrow / ramped(x, c, where(first, pick(c.older_ramp, arch), 1.0))
    return rate, rate * where(early, c.early_backward, c.attention_backward)


def ramped(x: Inputs, c: Constants, longer: Num) -> Num:
    """Time of attention over that of the same FLOPs in one long sequence: short ones and windows leave tiles idle.

    Args:
        x: the plan.
        c: constants.
        longer: the kernel's ramp over that of today's kernels (float or array).
    """
    y, ramp = x.layout, longer * pick(c.attention_ramp, x.machine.architecture)
    # In a ring of context-parallel cards every kernel sees the tokens of one card.
    length = where(x.software.xla, y.sequence, y.sequence / y.context)
    share, window = x.shape.windowed_share, minimum(x.shape.window, length)
    seen = share * windowed_tokens(y.sequence, x.shape.window) / mean_span(x)
    return 1.0 + ramp * ((1.0 - seen) / length + seen / maximum(window, 1.0))


def mean_span(x: Inputs) -> Num:
    """Tokens a query sees on average over the layers: half the sequence, in windowed layers no more than the window."""
    s, share = x.layout.sequence, x.shape.windowed_share
    return (1.0 - share) * 0.5 * s + share * windowed_tokens(s, x.shape.window)


def scan_bytes(s: Shape) -> tuple[Num, Num]:
    """Bytes the scan of a Mamba-2 layer moves a token, forward and backward, convolution and gated norm included.

    Forward every element of x passes 8 times in BF16, of B and C 3 times; a chunk's state is written and read in FP32
    and again in BF16 (12 bytes). Backward computes the states again: 21, 9.5 and 34 bytes.
    """
    state = s.mamba_inner * s.mamba_state / SCAN_CHUNK
    both = 2.0 * s.mamba_groups
    forward = 16.0 * s.mamba_inner + 6.0 * both + 12.0 * state
    return forward, 42.0 * s.mamba_inner + 19.0 * both + 34.0 * state


def scan_products(x: Inputs, c: Constants) -> tuple[Num, Num]:
    """Seconds of the products in a Mamba-2 layer's scan, forward and backward, at the rate of Triton kernels.

    FLOPs a token, in chunks of q with states of n, w wide, g the width of B: forward C B^T, its product with x, the
    states and what they add, w (2 q + 4 n) + 2 q g; backward the states and C B^T again and the gradients of x, B, C,
    C B^T and the decay, w (6 q + 10 n) + 6 q g.
    """
    s = x.shape
    q, n, w, g = SCAN_CHUNK, s.mamba_state, s.mamba_inner, s.mamba_groups
    rate = x.machine.peak16 * full_precision_rate(x.machine, x.layout) * pick(c.attention_early, x.machine.architecture)
    tokens = x.tokens / x.layout.tensor / rate
    return tokens * (w * (2.0 * q + 4.0 * n) + 2.0 * q * g), tokens * (w * (6.0 * q + 10.0 * n) + 6.0 * q * g)


def stream(count: Num, x: Inputs, c: Constants) -> Num:
    """Seconds to move a counted number of bytes through a card's memory."""
    return count / (c.hbm * x.machine.memory_bandwidth)


def move(count: Num, x: Inputs, c: Constants) -> Num:
    """Seconds to move bytes counted for 16-bit hidden states; twice as many where they are 32-bit."""
    return stream(0.5 * wide_bytes(x.layout) * count, x, c)


def cast(widths: Num, x: Inputs, c: Constants) -> Num:
    """Seconds of the quantisation casts of `widths` elements a token: read BF16, write value, transpose and scale.

    XLA casts where it makes the input, so nothing is read again.
    """
    y = x.layout
    moved = where(x.software.xla, 2.0, 4.0)
    recipe = where(y.four_bit, FOUR_BIT_CAST, where(y.microscaled, MICROSCALED_CAST, 1.0))
    return where(y.eight_bit, stream(moved * c.cast * recipe * widths * x.tokens, x, c), 0.0)


def fusion(x: Inputs, c: Constants) -> Num:
    """Multiplier the software's fusion class puts on counted memory traffic."""
    code = x.software.fusion
    eager = where(code >= FUSIONS.index("eager-fused-norms"), c.eager, c.fused)
    return where(code == FUSIONS.index("compiled"), c.compiled, eager)
