"""How long a run takes on the clock: steps, failures, checkpoints, goodput.

Everything takes floats or NumPy arrays that broadcast against each other, and returns the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from planner.engine.num import Num, ceil, exp, expm1, maximum, minimum, sqrt, where

SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 24.0 * SECONDS_PER_HOUR

CHECKPOINT_BYTES_PER_PARAM = 14.0
"""BF16 weight 2, FP32 master weight 4, Adam's two FP32 moments 8. Source: Rajbhandari 2019 (arXiv 1910.02054, section
3.1). With BF16 moments, as DeepSeek-V3 keeps them (arXiv 2412.19437, section 3.3), it would be 10."""

CHECKPOINT_BYTES_FULL_PRECISION = 12.0
"""The same where weights are FP32 throughout: weight 4, Adam's two FP32 moments 8."""

COPY_STALL_S = 5.0
"""Seconds training stands still for an asynchronous checkpoint: the copy from card to host memory. Source: MegaScale
(arXiv 2402.15627): "several seconds"; five of them are an assumption."""

HARDWARE_SHARE = 0.78
"""Share of unexpected interruptions that take a node out for repair. Source: Llama 3 (arXiv 2407.21783, section 3.3.4):
about 78 % of 419 were confirmed or suspected hardware."""

REPAIR_HOURS = 24.0
"""Hours until a failed node is back. An assumption (next-day repair); no source read states one."""

P99 = 2.326
"""Standard deviations above the mean that 99 % of a normal distribution lie below."""

NEVER = 50.0
"""Largest exponent evaluated: a restart or an interval fifty times the mean time between interruptions. Such a run
never ends; the bound only keeps its length finite."""


@dataclass(frozen=True, slots=True)
class RunLength:
    """How long a run takes and what it loses. Times in seconds; floats, or arrays of one shape."""

    steps: Num
    """Optimizer steps; the last one may be partly filled."""
    train_seconds: Num
    """Time of the steps alone: steps x step time."""
    interruptions: Num
    """Unexpected interruptions expected over the whole run."""
    checkpoint_bytes: Num
    checkpoint_write_s: Num
    """Time until a checkpoint is safe on storage; also the time to read it back."""
    checkpoint_every_s: Num
    """Training time between two checkpoints."""
    goodput: Num
    """Share of the wall time spent on steps that count, above 0 and at most 1."""
    wall_seconds: Num
    """train_seconds / goodput = steps + checkpoint stalls + interruptions x lost_s_per_failure."""
    lost_s_per_failure: Num
    """Mean time one interruption costs: about half an interval of rolled-back work, and the restart."""
    spares: Num
    """Cards to hold ready, in whole nodes, so that repairs leave the run at full size 99 % of the time."""
    checkpoint_stall_s: Num
    """Time training stands still for one checkpoint."""


def mean_time_between_interruptions(cards: Num, mtbf_card_hours: Num) -> Num:
    """Seconds between two interruptions of a run on `cards` cards.

    Formula: M = 3600 x mtbf / cards; any card's failure stops the run.
    Source: Llama 3 (arXiv 2407.21783, section 3.3.4): 419 interruptions in 54 days on 16,384
    cards, one per 3.1 h, so 50,600 card-hours each.

    Args:
        cards: cards of the run (float or array).
        mtbf_card_hours: card-hours per interruption (float or array).

    >>> round(mean_time_between_interruptions(16384, 50_600) / 3600, 2)
    3.09
    """
    return SECONDS_PER_HOUR * mtbf_card_hours / cards


def optimum_interval(stall_s: Num, mean_time_s: Num) -> Num:
    """Training time between checkpoints that wastes least, s.

    Formula: with C the stall and M the mean time between interruptions,
    sqrt(2 C M) (1 + sqrt(C / (2 M)) / 3 + C / (18 M)) - C where C < 2 M, else M. Its first factor is Young's.
    Source: Daly 2006, A higher order estimate of the optimum checkpoint interval for restart dumps (Future Generation
    Computer Systems 22), equation 37; Young 1974 (Communications of the ACM 17).

    Args:
        stall_s: time training stands still for one checkpoint (float or array).
        mean_time_s: mean time between interruptions (float or array).

    >>> round(optimum_interval(5.0, 3.09 * 3600))
    330
    """
    ratio = stall_s / (2.0 * mean_time_s)
    daly = sqrt(2.0 * stall_s * mean_time_s) * (1.0 + sqrt(ratio) / 3.0 + ratio / 9.0) - stall_s
    return where(ratio < 1.0, daly, mean_time_s)


def stall(write_s: Num, every_s: Num) -> Num:
    """Time training stands still for one checkpoint, s.

    A checkpoint is copied to host memory and written from there while training goes on, so training sees the copy
    (`COPY_STALL_S`), or the write where that is quicker. The next copy must wait for the last write: an interval
    shorter than the write stalls for the rest of it.

    Source: MegaScale (arXiv 2402.15627) for the two stages. That a copy waits for the last write is an assumption.

    Args:
        write_s: time until the checkpoint is on storage (float or array).
        every_s: training time between two checkpoints (float or array).
    """
    return maximum(minimum(write_s, COPY_STALL_S), write_s - every_s)


def slowdown(stall_s: Num, every_s: Num, recovery_s: Num, mean_time_s: Num) -> Num:
    """Wall time over training time, at least 1.

    Formula: M exp(R / M) (exp((T + C) / M) - 1) / T: interruptions come at random, also while checkpoints are written
    and while the run restarts. To first order it is (1 + C / T) (1 + (T / 2 + R) / M), which counts interruptions
    by training time; this counts them by wall time, as their published rates do.

    Source: Daly 2006 (see `optimum_interval`), equation 20.

    Args:
        stall_s: C, stall of one checkpoint (float or array).
        every_s: T, training time between two checkpoints (float or array).
        recovery_s: R, from the interruption until training continues from the checkpoint (float or array).
        mean_time_s: M, mean time between interruptions (float or array).
    """
    segment = minimum((every_s + stall_s) / mean_time_s, NEVER)
    restart = minimum(recovery_s / mean_time_s, NEVER)
    return mean_time_s * exp(restart) * expm1(segment) / every_s


def checkpoint_bytes_per_param(full_precision: Num) -> Num:
    """Bytes of a parameter in a checkpoint: 14 in mixed precision (8-bit too), 12 where everything is FP32.

    Source: see `CHECKPOINT_BYTES_PER_PARAM`.

    Args:
        full_precision: the run is in FP32 or TF32 (bool or array).
    """
    return where(full_precision, CHECKPOINT_BYTES_FULL_PRECISION, CHECKPOINT_BYTES_PER_PARAM)


def spare_cards(cards: Num, mtbf_card_hours: Num, cards_per_node: Num = 8.0) -> Num:
    """Cards to hold ready, in whole nodes.

    Formula: nodes in repair have mean m = cards x HARDWARE_SHARE x REPAIR_HOURS / mtbf; their 99 % quantile is taken
    as m + 2.326 sqrt(m), rounded up. Source: standard for Poisson arrivals (Palm's theorem for spares).

    Args:
        cards: cards of the run (float or array).
        mtbf_card_hours: card-hours per interruption (float or array).
        cards_per_node: cards that leave with a failed node (float or array).
    """
    mean = cards * HARDWARE_SHARE * REPAIR_HOURS / mtbf_card_hours
    return cards_per_node * ceil(mean + P99 * sqrt(mean))


def run_length(
    tokens: Num,
    global_batch: Num,
    sequence_length: Num,
    step_time_s: Num,
    cards: Num,
    *,
    total_params: Num,
    mtbf_card_hours: Num,
    restart_s: Num,
    checkpoint_gb_per_s: Num,
    checkpoint_every_s: Num,
    bytes_per_param: Num = CHECKPOINT_BYTES_PER_PARAM,
    cards_per_node: Num = 8.0,
) -> RunLength:
    """Length of a run with its failures and checkpoints.

    One interruption costs the work since the last checkpoint that is safe on storage, `restart_s` (detecting the
    failure, replacing the node, starting the job) and reading the checkpoint back.

    Args:
        tokens: tokens to train on.
        global_batch: sequences in one step.
        sequence_length: tokens in one sequence.
        step_time_s: time of one step, s.
        cards: cards of the run.
        total_params: parameters of the model, all experts counted.
        mtbf_card_hours: card-hours per interruption.
        restart_s: time from a failure to a running job, without reading the checkpoint, s.
        checkpoint_gb_per_s: storage bandwidth of the whole cluster, GB/s.
        checkpoint_every_s: training time between checkpoints, s; 0: the optimum (Young/Daly).
        bytes_per_param: bytes a parameter in a checkpoint.
        cards_per_node: cards of one node, for the spares.

    Returns:
        The run's length; each field a float, or an array of the arguments' common shape.
    """
    steps = ceil(tokens / (global_batch * sequence_length))
    train_seconds = steps * step_time_s
    mean_time = mean_time_between_interruptions(cards, mtbf_card_hours)
    size = bytes_per_param * total_params
    write_s = size / (1e9 * checkpoint_gb_per_s)
    copy = minimum(write_s, COPY_STALL_S)
    best = maximum(optimum_interval(copy, mean_time), write_s - copy)
    every = where(checkpoint_every_s > 0, checkpoint_every_s, best)
    stalled = stall(write_s, every)
    lost = minimum(every, train_seconds)  # a run shorter than the interval begins again from its start
    unsafe = write_s - stalled  # training goes on while the checkpoint is not safe yet: lost too when it fails then
    factor = slowdown(stalled, lost, restart_s + write_s + unsafe, mean_time)
    wall = train_seconds * factor
    interruptions = wall / mean_time
    return RunLength(
        steps=steps,
        train_seconds=train_seconds,
        interruptions=interruptions,
        checkpoint_bytes=size,
        checkpoint_write_s=write_s,
        checkpoint_every_s=every,
        goodput=1.0 / factor,
        wall_seconds=wall,
        lost_s_per_failure=mean_time * (1.0 - (1.0 + stalled / every) / factor),
        spares=spare_cards(cards, mtbf_card_hours, cards_per_node),
        checkpoint_stall_s=stalled,
    )
