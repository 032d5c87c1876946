"""All rules, in the order their problems are shown."""

from __future__ import annotations

from planner.spec.base import Problem
from planner.spec.plan import Resolved
from planner.spec.rules import layout, machine, memory, pipeline
from planner.spec.rules.numbers import Rule, group_size

ALWAYS: tuple[Rule, ...] = (
    machine.model_is_modelled,
    machine.software_is_described,
    machine.precision_of_card,
    machine.sites,
    machine.topology_holds,
    machine.building,
    machine.electricity,
    machine.whole_nodes,
    machine.domain,
    machine.sequence_of_model,
    machine.tokens_of_a_step,
    layout.cards_divide,
    layout.heads_divide,
    layout.widths_divide,
    layout.key_value_heads,
    layout.tensor_in_domain,
    layout.sequence_parallel,
    layout.context_divides,
    layout.experts,
    layout.expert_tensor,
    pipeline.stages_have_layers,
    pipeline.schedule_has_its_chunks,
    pipeline.even_layers,
    memory.recompute,
    memory.recompute_modules,
    memory.sharding_in_pipeline,
)
"""Rules that can be asked of any plan."""

IF_CARDS_DIVIDE: tuple[Rule, ...] = (
    layout.batch_divides,
    layout.expert_groups,
    machine.sites_hold_whole_copies,
    memory.shard_group,
)
"""Rules about the data-parallel degree, which must exist first."""

IF_BATCH_DIVIDES: tuple[Rule, ...] = (pipeline.dualpipe, pipeline.interleaved_groups, pipeline.pipeline_fills)
"""Rules about the number of micro-batches, which must be whole first."""


def check(resolved: Resolved) -> tuple[Problem, ...]:
    """Everything that is wrong with, or worth knowing about, the layout of a plan; errors first.

    Args:
        resolved: a plan with every reference an object.

    Returns:
        No problems, or several. The plan is impossible if one of them is an `error`.
    """
    rules = ALWAYS
    if resolved.plan.cluster.cards % group_size(resolved) == 0:
        rules += IF_CARDS_DIVIDE
        if resolved.plan.workload.global_batch % (resolved.data_parallel * resolved.strategy.micro_batch) == 0:
            rules += IF_BATCH_DIVIDES
    found = [problem for rule in rules for problem in rule(resolved)]
    return tuple(sorted(found, key=lambda problem: ("error", "warning", "info").index(problem.severity)))


def errors(resolved: Resolved) -> tuple[Problem, ...]:
    """The problems that make a plan impossible."""
    return tuple(problem for problem in check(resolved) if problem.severity == "error")
