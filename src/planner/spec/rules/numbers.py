"""Arithmetic the rules share: divisors, multiples, and how a fix is worded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from planner.spec.base import Problem, Setting
from planner.spec.plan import Resolved

Rule = Callable[[Resolved], Iterator[Problem]]

Change = tuple[tuple[str, Setting], ...]

LARGEST_PRIME = 1_000_000
"""Prime factors are looked for up to here, which is all there are of numbers up to its square: a slip of the pen must
not take seconds to divide."""

NEAR = 2
"""Times more or less that still passes for the cards or the batch somebody wanted."""


def group_size(resolved: Resolved) -> int:
    """Cards that together hold one copy of the model: tensor x context x pipeline."""
    s = resolved.strategy
    return s.tensor * s.context * s.pipeline


def dividing(resolved: Resolved, degree: str, candidates: Iterable[int]) -> list[int]:
    """Those values of a degree with which copies of the model still divide the cards; all where none does.

    Args:
        resolved: the plan.
        degree: tensor, context or pipeline.
        candidates: the values.
    """
    others = group_size(resolved) // int(getattr(resolved.strategy, degree))
    values = list(candidates)
    return [n for n in values if resolved.plan.cluster.cards % (n * others) == 0] or values


def card_counts(resolved: Resolved, step: int) -> tuple[int, ...]:
    """Multiples of a step around the plan's cards: those the whole layout divides over, where any is near."""
    s, cards, group = resolved.strategy, resolved.plan.cluster.cards, group_size(resolved)
    experts = s.pipeline * s.expert * s.expert_tensor
    slots, rest = divmod(resolved.plan.workload.global_batch, s.micro_batch)
    replicas = () if rest else divisors(slots)
    whole = [n for n in (group * data for data in replicas) if n % step == 0 and n % experts == 0]
    near = [n for n in whole if cards <= NEAR * n and n <= NEAR * cards]
    return around(near, cards) or multiples_around(cards, step)


@lru_cache(maxsize=256)
def divisors(number: int) -> tuple[int, ...]:
    """All divisors, ascending. Prime factors above `LARGEST_PRIME` are not told apart: two of them count as one.

    >>> divisors(12)
    (1, 2, 3, 4, 6, 12)
    """
    found = [1]
    for powers in _prime_powers(number):
        found = [divisor * power for divisor in found for power in powers]
    return tuple(sorted(found))


def _prime_powers(number: int) -> Iterator[list[int]]:
    """Of each prime factor the powers that divide a number, from 1 on."""
    rest, prime = number, 2
    while prime * prime <= rest and prime <= LARGEST_PRIME:
        powers = [1]
        while rest % prime == 0:
            rest //= prime
            powers.append(powers[-1] * prime)
        if len(powers) > 1:
            yield powers
        prime += 1 if prime == 2 else 2  # noqa: PLR2004 - the others are odd
    if rest > 1:
        yield [1, rest]


def multiples_around(number: int, step: int) -> tuple[int, ...]:
    """The multiples of a step next below (if there is one above zero) and next above a number, nearest first.

    >>> multiples_around(2047, 8)
    (2048, 2040)
    """
    below = number // step * step
    return tuple(sorted((n for n in (below, below + step) if n > 0), key=lambda n: abs(n - number)))


def around(candidates: Iterable[int], wanted: int) -> tuple[int, ...]:
    """The largest candidate below and the smallest above the wanted value, nearest first; the lower wins a tie.

    >>> around((1, 2, 4, 8, 16), 6)
    (4, 8)
    """
    values = sorted(candidates)
    below = [n for n in values if n < wanted][-1:]
    above = [n for n in values if n > wanted][:1]
    return tuple(sorted(below + above, key=lambda n: (abs(n - wanted), n)))


def written(value: Setting) -> str:
    """A value as a plan file has it.

    >>> written("zero1"), written(8), written(("norm", "mlp"))
    ('"zero1"', '8', '["norm", "mlp"]')
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(written, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def use(key: str, values: Iterable[int | str]) -> tuple[str, Change]:
    """A fix that sets one key: its text with every alternative, and the change to the first of them.

    >>> use("strategy.tensor", (4, 8))
    ('Use tensor = 4 or 8.', (('strategy.tensor', 4),))
    """
    options = list(values)
    if not options:
        return "", ()
    name = key.rpartition(".")[2]
    return f"Use {name} = {' or '.join(map(written, options))}.", ((key, options[0]),)
