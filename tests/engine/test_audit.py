"""Claims: what they imply is arithmetic and exact; verdicts follow from the engine's own range, whatever it is."""

import pytest
from tests.plans import BUILT_IN, outcome, preset

from planner.catalog import Catalog
from planner.engine import audit
from planner.engine.audit import Finding
from planner.engine.result import Outcome
from planner.spec.plan import Claim

CATALOG = Catalog.default()


def found(name: str) -> Finding:
    return audit.audit(preset(name), BUILT_IN.preset_info(name).assumed)


def judged(of: Outcome, **claim: float) -> Finding:
    plan = of.resolved.plan.model_copy(update={"claim": Claim.model_validate(claim)})
    changed = Outcome(of.resolved.with_strategy(of.resolved.strategy), of.fits, of.problems, of.estimate)
    object.__setattr__(changed.resolved, "plan", plan)
    return audit.audit(changed)


def test_deepseek_v3_hours_come_to_54_days_and_its_own_throughput() -> None:
    # arXiv 2412.19437: 2.664 M hours on 2,048 cards; 54.2 days, 272.8 G tokens a day (the run's steps
    # of 19.926 s make 15,360 x 4,096 x 86,400 / 19.926), so 1,543 a second and card.
    implied = found("deepseek-v3").implied
    assert implied.days == pytest.approx(54.2, abs=0.05)
    assert implied.tokens_per_s_per_card == pytest.approx(272.8e9 / 86_400 / 2048, rel=0.002)
    assert implied.cost_usd == 5_328_000
    assert implied.tokens_per_s_per_card == pytest.approx(15_360 * 4096 / 19.926 / 2048, rel=0.002)


def test_deepseek_v3_mfu() -> None:
    # The report's 38.9 % (causal) leaves multi-token prediction out, which the engine's FLOPs hold: 40.6 %, 4 % more.
    assert found("deepseek-v3").implied.mfu == pytest.approx(0.389 * 1.043, rel=0.01)


@pytest.mark.parametrize(
    ("name", "tflops"),
    [
        ("llama-3.1-405b", 342.2), ("llama-3-8b", 154.4), ("llama-3-70b", 275.6), ("llama-3.1-8b", 137.5),
        ("llama-2-70b", 133.7), ("mt-nlg-530b", 69.1), ("palm-540b", 83.6), ("opt-175b", 107.4), ("bloom-176b", 99.7),
        ("falcon-180b", 58.9), ("llama-1-65b", 149.0), ("nemotron-4-340b", 378.4), ("nemotron-4-15b", 217.4),
        ("deepseek-v2", 206.2), ("llama-4-scout", 229.0), ("llama-4-maverick", 264.8),
    ],
)  # fmt: skip
def test_implied_speed_is_that_of_the_published_hours(name: str, tflops: float) -> None:
    # presets/models, implied_tflops_6nd_per_accel: 6 x active parameters (embeddings counted) x tokens / hours.
    finding = found(name)
    speed = finding.implied.tokens_per_s_per_card
    assert speed is not None
    active = finding.outcome.resolved.model.active_params
    assert 6 * active * speed / 1e12 == pytest.approx(tflops, rel=0.002)


def test_llama_3_1_family_is_39_3_million_hours() -> None:
    # Llama 3.1 model card.
    names = ("llama-3.1-405b", "llama-3.1-70b", "llama-3.1-8b")
    claims = [found(name).claim.card_hours for name in names]
    assert sum(claims) == 39_300_000
    verdict = audit.judge_hours([preset(name) for name in names], 39.3e6)
    ranges = [audit.hours_range(preset(name)) for name in names]
    assert verdict.low == pytest.approx(sum(low for low, _ in ranges))


def test_hours_inside_below_and_above_the_range() -> None:
    of = outcome()
    low, high = audit.hours_range(of)
    assert judged(of, card_hours=(low + high) / 2).verdict == "plausible"
    slow = judged(of, card_hours=high * 1.01)
    assert slow.verdict == "slower-than-range"
    assert slow.tokens[0] > of.resolved.plan.workload.tokens
    fast = judged(of, card_hours=low * 0.99)
    assert fast.verdict == "faster-than-range"
    assert fast.best is not None
    assert fast.best.estimate.step_time_s <= of.estimate.step_time_s * (1 + 1e-9)


def test_days_and_cost_are_hours_too() -> None:
    of = outcome(cost__usd_per_card_hour=2.0)
    hours, cards = of.estimate.card_hours, of.resolved.plan.cluster.cards
    by_days, by_cost = judged(of, days=hours / 24 / cards), judged(of, cost_usd=2.0 * hours)
    assert by_days.implied.card_hours == pytest.approx(hours)
    assert by_cost.implied.card_hours == pytest.approx(hours)
    assert by_days.verdict == by_cost.verdict == "plausible"


def test_a_cost_says_nothing_where_the_plan_states_no_rent() -> None:
    finding = judged(outcome(), cost_usd=1e6)
    assert finding.verdict == "not-enough-stated"
    assert finding.implied.card_hours is None
    assert finding.implied.cost_usd == 1e6


def test_a_cost_says_nothing_of_hours_where_the_cards_are_owned() -> None:
    owned = judged(outcome(cost__basis="own", cost__usd_per_card_hour=2.0), cost_usd=1e7, mfu=0.9)
    assert [one.figure for one in owned.judged] == ["MFU"]
    rented = judged(outcome(cost__usd_per_card_hour=2.0), cost_usd=1e7, mfu=0.9)
    assert [(one.figure, one.claimed) for one in rented.judged] == [("card-hours", 5e6), ("MFU", 0.9)]


def test_speeds_are_of_steps_and_hours_of_the_run() -> None:
    of = outcome()
    e = of.estimate
    finding = judged(of, tokens_per_s_per_card=e.tokens_per_s_per_card)
    assert finding.verdict == "plausible"
    assert finding.implied.card_hours == pytest.approx(e.card_hours, rel=1e-4)  # the last step is not full
    assert finding.implied.mfu == pytest.approx(e.mfu)
    assert judged(of, tokens_per_s_per_card=2 * e.tokens_per_s_per_card).verdict == "faster-than-range"
    assert judged(of, tokens_per_s_per_card=e.tokens_per_s_per_card / 2).verdict == "slower-than-range"


def test_an_mfu_is_read_every_way_it_may_have_been_counted() -> None:
    of = outcome()
    low, high = of.estimate.interval_80["mfu"]
    inside = judged(of, mfu=(low + high) / 2).judged[0]
    assert inside.verdict == "plausible"
    assert "causal" in inside.readings
    assert inside.low < low
    assert inside.high > high
    assert judged(of, mfu=0.99).verdict == "faster-than-range"
    assert judged(of, mfu=0.01).verdict == "slower-than-range"


def test_hours_decide_and_the_mfu_is_judged_beside_them() -> None:
    finding = found("palm-540b")
    assert [each.figure for each in finding.judged] == ["card-hours", "MFU"]
    assert finding.verdict == finding.judged[0].verdict


def test_an_assumed_layout_does_not_make_a_claim_too_fast() -> None:
    of = outcome(strategy__tensor=8, strategy__pipeline=8)
    fast = judged(of, card_hours=0.999 * audit.hours_range(of)[0])
    assert fast.verdict == "faster-than-range"
    assert audit.audit(fast.outcome, ["strategy"]).verdict == "plausible"


@pytest.mark.parametrize(("name", "missing"), [("gpt-oss-120b", "workload.tokens"), ("gpt-oss-20b", "workload.tokens")])
def test_hours_without_tokens_are_not_enough(name: str, missing: str) -> None:
    finding = found(name)
    assert finding.verdict == "not-enough-stated"
    assert finding.missing == (missing,)
    assert 0 < finding.tokens[0] < finding.tokens[1]


def test_a_speed_needs_no_tokens() -> None:
    # arXiv 2407.21783, table 4 gives the MFU of the 8,192-card row and no tokens.
    finding = found("llama-3.1-405b-8k-gpus")
    assert finding.missing == ()
    assert finding.verdict != "not-enough-stated"


@pytest.mark.parametrize("name", ["kimi-k2", "olmo-2-32b"])
def test_sources_that_state_no_figure(name: str) -> None:
    finding = found(name)
    assert finding.verdict == "not-enough-stated"
    assert finding.judged == ()
    assert finding.implied.mfu is None


@pytest.mark.parametrize("name", ["deepseek-v3", "llama-3.1-405b", "bloom-176b"])
def test_fully_stated_runs_are_plausible(name: str) -> None:
    # Layout, batch and cards of these are published; an engine that calls them impossible is wrong.
    assert found(name).verdict == "plausible"


def test_every_preset_with_hours_in_the_catalogue_is_audited() -> None:
    # presets/models: a model with stated hours has a preset that claims them, unless its tokens or shape are unknown.
    plans = [BUILT_IN.plan(name) for name in BUILT_IN.ids("plans")]
    claimed = [plan.workload.model for plan in plans if plan.claim is not None and plan.claim.card_hours]
    stated = {name for name in BUILT_IN.ids("models") if BUILT_IN.model(name).published.card_hours}
    assert stated - {model for model in claimed if isinstance(model, str)} == set()
