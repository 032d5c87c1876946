"""Groups of ranks: sizes, members that share a scale-up domain, and what the network leaves them.

Rank order is Megatron-Core's (`parallel_state.py`, order "tp-cp-ep-dp-pp"): tensor neighbours are adjacent cards.
"""

import numpy as np
import pytest
from tests.engine.floors import numbers, preset, with_layout, with_machine

from planner.engine.layout import group, groups
from planner.engine.reading import inputs_of


def test_a_tensor_group_fills_the_domain_and_data_ranks_lie_across_nodes() -> None:
    # 64 H100 in nodes of 8: tensor 8, pipeline 2 leave data 4, whose members are 8 cards apart.
    g = groups(numbers(strategy__tensor=8, strategy__pipeline=2))
    assert (g.tensor.size, g.tensor.local) == (8, 8)
    assert (g.gradient.size, g.gradient.local) == (4, 1)


def test_half_a_node_of_tensor_ranks_leaves_two_data_ranks_in_it() -> None:
    g = groups(numbers(strategy__tensor=4, strategy__pipeline=1))
    assert (g.gradient.size, g.gradient.local) == (16, 2)


def test_context_ranks_come_after_tensor_ranks() -> None:
    g = groups(numbers(strategy__tensor=2, strategy__context=4, strategy__pipeline=1))
    assert (g.context.size, g.context.local) == (4, 4)  # 2 x 4 cards: one node
    assert (g.gradient.size, g.gradient.local) == (32, 4)  # data x context hold the same weights


def test_hybrid_sharding_keeps_a_copy_a_shard_group() -> None:
    g = groups(numbers(strategy__tensor=1, strategy__pipeline=1, strategy__sharding="zero3", strategy__shard_group=8))
    assert (g.shard.size, g.shard.local) == (8, 8)
    assert (g.replica.size, g.replica.local) == (8, 1)


def test_a_rack_of_72_takes_an_expert_group_of_64() -> None:
    g = groups(inputs_of(preset("gb200-nvl72-deepseek-v3", expert=64)))
    assert g.expert.local == g.expert.size == 64
    assert g.expert.wait == 0  # no scale-out switch on the way


def test_experts_dealt_over_more_cards_than_the_node_leave_it() -> None:
    g = groups(inputs_of(preset("mixtral-8x22b", tensor=1, pipeline=1, expert=8, expert_tensor=2)))
    assert (g.expert.size, g.expert.local) == (8, 4)  # two cards an expert: four of them in a node of eight
    assert g.expert_tensor.local == 2


def test_between_sites_only_gradients_travel() -> None:
    one = groups(numbers(strategy__tensor=8, strategy__pipeline=1))
    two = groups(numbers(strategy__tensor=8, strategy__pipeline=1, cluster__sites=2, cluster__wan_gb_per_s=100.0))
    assert (one.gradient.size, two.gradient.size) == (8, 4)
    assert (one.shard.size, two.shard.size) == (8, 4)
    assert two.tensor.size == one.tensor.size


def test_a_torus_reaches_no_further_than_its_site() -> None:
    one = numbers(cluster__card="tpu-v5p", cluster__cards=128)
    four = numbers(cluster__card="tpu-v5p", cluster__cards=512, cluster__sites=4, cluster__wan_gb_per_s=1e6)
    assert four.machine.domain == one.machine.domain == 128
    assert groups(four).tensor == groups(one).tensor


def test_neighbouring_stages_share_a_node_where_they_fit() -> None:
    inside = groups(numbers(cluster__cards=8, strategy__tensor=2, strategy__pipeline=4))
    across = groups(numbers(cluster__cards=64, strategy__tensor=2, strategy__pipeline=2))
    some = groups(numbers(cluster__cards=16, strategy__tensor=4, strategy__pipeline=4))  # two stages a node
    assert (inside.stage.local, inside.far_stage.local) == (2, 2)
    assert (across.stage.local, across.far_stage.local) == (1, 1)
    assert (some.stage.local, some.far_stage.local) == (2, 1)


def test_neighbours_placed_well_do_not_feel_an_oversubscribed_top_tier() -> None:
    # 16,384 cards, 1:7 at the top, gradient rings inside a pod of Meta's cluster (arXiv 2407.21783, section 3.3.1).
    x = inputs_of(preset("llama-3.1-405b"))
    assert x.machine.oversubscription == 7
    assert groups(x).gradient.nic == x.machine.nic


def test_an_oversubscribed_top_tier_takes_from_what_crosses_it() -> None:
    x = with_machine(inputs_of(preset("llama-3.1-405b")), block_nodes=64.0)
    # 256 nodes in four blocks of 64: all-to-all sends three quarters across, 0.75 x 7 times what there is.
    assert group(2048.0, 1.0, x.machine, "all-to-all").nic == pytest.approx(x.machine.nic / (0.75 * 7))
    assert group(2048.0, 1.0, x.machine).nic == x.machine.nic  # a ring crosses once for 64 nodes


def test_a_torus_has_short_ways() -> None:
    # TPU v4, 16 x 16 x 16: rings run along axes and both ways at once, 8 hops an axis of about 1 us (JAX scaling book).
    x = inputs_of(preset("palm-540b", sharding="none"))
    x = with_layout(with_machine(x, domain=4096.0, cards=4096.0), tensor=1.0, context=1.0, pipeline=1.0)
    g = groups(x).gradient
    assert g.hops == 0
    assert g.wait == pytest.approx(24e-6)


def test_slices_of_a_torus_are_joined_by_a_ring() -> None:
    x = inputs_of(preset("palm-540b", tensor=1, context=1, pipeline=1))
    x = with_machine(x, domain=x.machine.cards / 2)
    assert groups(x).gradient.hops == 1


def test_groups_of_arrays_equal_those_of_each() -> None:
    x = numbers(strategy__tensor=1, strategy__pipeline=1)
    tensors = np.array([1.0, 2.0, 8.0, 16.0])
    together = groups(with_layout(x, tensor=tensors)).gradient
    for i, tensor in enumerate(tensors):
        alone = groups(with_layout(x, tensor=float(tensor))).gradient
        assert [together.size[i], together.local[i], together.hops[i]] == [alone.size, alone.local, alone.hops]
