"""What stands behind days and cost: it adds up to the estimate, and to published figures where there are some."""

import pytest
from tests.plans import outcome, preset

from planner.catalog import Catalog
from planner.engine import money
from planner.engine.account import Account, account
from planner.engine.estimate import evaluate
from planner.engine.result import Outcome
from planner.exchange.edits import changed

CATALOG = Catalog.default()


def of(name: str, *edits: str) -> tuple[Outcome, Account]:
    found = evaluate(CATALOG.resolve(changed(CATALOG.plan(name), edits, CATALOG)))
    return found, account(found)


@pytest.mark.parametrize("basis", ["rent", "own"])
def test_the_plans_own_basis_is_the_cost_of_the_estimate(basis: str) -> None:
    found, behind = of("llama-3.1-405b", f"cost.basis={basis}", "cost.utilization=0.8")
    price = behind.rented if basis == "rent" else behind.owned
    assert price is not None
    e = found.estimate
    assert price.per_run == pytest.approx(e.cost_usd)
    assert price.per_million_tokens == pytest.approx(e.usd_per_million_tokens)
    assert price.per_card_hour == pytest.approx(e.usd_per_card_hour)
    used = 1.0 if basis == "rent" else 0.8
    assert price.per_year == pytest.approx(price.per_card_hour * used * money.HOURS_PER_YEAR * 16_384)


def test_owning_is_the_sum_of_its_parts() -> None:
    edits = ("cost.staff_usd_per_card_year=500", "cost.building_usd_per_kw=10500", "cost.colocation_usd_per_kw_month=0")
    found, behind = of("llama-3.1-405b", *edits)
    own, cards = behind.own, 16_384
    assert min(own.card, own.server, own.network, own.building, own.hosting, own.staff) > 0
    assert behind.owned.per_year == pytest.approx(own.total * cards)
    kw = float(behind.draw.it_peak_w) / 1000
    assert own.building * cards == pytest.approx(money.annuity(10_500 * kw, 0.13, money.BUILDING_YEARS))
    bought = 1000 * found.estimate.power_mw * money.HOURS_PER_YEAR * 0.08
    assert own.hosting * cards == pytest.approx(bought)


def test_network_of_the_bill_is_what_owning_pays_for() -> None:
    _, behind = of("llama-3.1-405b")
    whole = money.annuity(float(behind.materials.network_usd), 0.13, 4.0)
    assert behind.own.network * 16_384 == pytest.approx(whole)


@pytest.mark.parametrize("name", ["deepseek-v3", "llama-3.1-405b", "palm-540b", "bloom-176b"])
def test_lost_time_and_training_are_the_run(name: str) -> None:
    found = preset(name)
    behind, days = account(found), found.estimate.training_days
    parts = behind.length.train_seconds + behind.checkpoint_lost_s + behind.interruption_lost_s
    assert parts / 86_400 == pytest.approx(days)
    assert behind.lost_usd == pytest.approx(found.estimate.cost_usd * (1 - found.estimate.goodput))


def test_llama_3_loses_less_than_a_tenth_of_its_time() -> None:
    # arXiv 2407.21783, section 3.3.4: one interruption in 3.1 hours, above 90 % effective training time.
    behind = account(preset("llama-3.1-405b"))
    assert behind.mean_time_s / 3600 == pytest.approx(3.1, abs=0.02)
    lost = behind.checkpoint_lost_s + behind.interruption_lost_s
    assert lost < 0.1 * behind.length.wall_seconds
    # Checkpoints of 1 MB to 4 GB a card: 405B at 14 bytes a parameter over 16,384 cards is 0.35 GB.
    assert 1e-3 < behind.length.checkpoint_bytes / 16_384 / 1e9 < 4


def test_energy_a_token_of_llama_3_405b() -> None:
    # SemiAnalysis, H100 vs GB200 (2025-08): 8.8 J a token at 1.95 $ a million and 1.42 $ a card-hour, so 202 tokens a
    # second and card at 1,780 W in a benchmark. Ours is 10 % more: 144 at 1,395 W on average over the run of 16,384.
    assert account(preset("llama-3.1-405b")).joules_per_token == pytest.approx(8.8, rel=0.12)


def test_the_grid_decides_the_carbon() -> None:
    # CodeCarbon: France 56 g a kWh, India 713.
    french, indian = (of("deepseek-v3", f"power.grid={grid}")[0].estimate for grid in ("fr", "in"))
    assert indian.co2_kg / french.co2_kg == pytest.approx(713 / 56)
    assert french.co2_kg == pytest.approx(56 * french.energy_mwh)
    stated = of("deepseek-v3", "power.grid=fr", "power.kg_co2_per_kwh=0.2")[0].estimate
    assert stated.co2_kg == pytest.approx(200 * stated.energy_mwh)


def test_what_a_thin_top_tier_leaves() -> None:
    # 1:7 leaves of 64 ports hold 56 NICs, 7 nodes. An all-to-all over 32 nodes crosses with 1 - 7/32 of its traffic; a
    # ring over all nodes crosses once a leaf; two stages half the cluster apart cross with all of it.
    shape = ("strategy.expert=256", "strategy.pipeline=8", "cluster.oversubscription=7", "cluster.topology=fat-tree")
    _, thin = of("deepseek-v3", *shape)
    shares = {each.group: each.nic_share for each in thin.reach}
    assert shares["expert"] == pytest.approx(1 / (7 * (1 - 7 / 32)))
    assert shares["next stage"] == pytest.approx(1 / 7)
    assert shares["gradients"] == 1.0
    _, full = of("deepseek-v3", *shape[:2])
    assert {each.nic_share for each in full.reach} == {1.0}


def test_groups_of_one_card_are_left_out() -> None:
    found = account(outcome(strategy__tensor=1, strategy__pipeline=1))
    assert {each.group for each in found.reach} == {"gradients"}


def test_a_wide_area_link_holds_the_gradients_up() -> None:
    # The whole model's gradients cross, both ways: 2 x 405.85 G x 4 bytes x 1/2 over 1,000 GB/s are 1.6 s.
    _, behind = of("llama-3.1-405b", "cluster.sites=2", "cluster.wan_gb_per_s=1000")
    assert behind.between_sites_s == pytest.approx(1.62, rel=0.01)
    _, slower = of("llama-3.1-405b", "cluster.sites=2", "cluster.wan_gb_per_s=100")
    assert slower.between_sites_s == pytest.approx(10 * behind.between_sites_s)


@pytest.mark.parametrize("card", ["h100-sxm", "gb200-nvl72", "mi300x", "mi325x", "mi355x", "ascend-910c", "h20"])
def test_the_bill_draws_what_the_cluster_draws_but_for_its_storage(card: str) -> None:
    cards = 36 * CATALOG.card(card).host.cards
    strategy = {"tensor": 1, "pipeline": 1, "sharding": "zero3"}
    behind = account(outcome(cluster__card=card, cluster__cards=cards, workload__global_batch=cards, strategy=strategy))
    kw = sum(float(part.kw) for part in behind.materials.bill)
    assert 1000 * kw == pytest.approx(behind.draw.it_peak_w - behind.draw.storage_w)
    assert float(behind.draw.network_w) > 0
    stated = CATALOG.card(card).host.all_in_kw_per_card
    if stated and not CATALOG.card(card).host.max_kw:
        assert behind.draw.it_peak_w == pytest.approx(1000 * stated * cards)
