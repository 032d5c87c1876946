"""The report for people: what it says, that it fits its width, and that nothing in it acts on a terminal."""

from dataclasses import replace

import pytest
from tests.plans import EXPERTS, PRESETS, outcome, plan, preset, resolved, told

from planner.engine.estimate import evaluate
from planner.engine.result import Outcome
from planner.exchange import report
from planner.exchange.format import days, gigabytes, money, percent, seconds
from planner.spec.base import Problem

EIGHTY = """\
A plan
64 x H100 SXM5 80 GB · dense · 1.00 T tokens · sequences of 8,192 · 512 a step ·
bf16
tensor 2 · pipeline 2 · data 16 · micro batch 1 · 1f1b · zero1 ·
recompute none · Megatron-Core (2025 on)

It fits.                        80 % range, from 12 measured runs like it
  MFU               40.5 %      36.0 – 46.0 %      HFU 45.0 %, by 6ND 38.0 %
  Training time     22.0 days   19.0 – 25.0 days   goodput 98.0 %
  Cost              $67.6 k     $59.0 – $76.0 k    $0.0676 a million tokens
  Card-hours        33,792                         rented, $2.00 each
  Step time         8.00 s      7.00 – 9.00 s      238 k steps
  Memory            58.0 GB                        of 80.0 GB, stage 0 of 2
  Tokens a second   524 k                          8,192 a card
  FLOP/s a card     400 TFLOP/s                    the model's own
  Power             95.0 kW                        50.0 MWh, 20.0 t of CO2
  H100-equivalents  64.0
  MFU: the model's own FLOPs, causal attention counted once, over the dense BF16
  peak.
  Claimed: MFU 40.0 %, 1,500 card-hours (a [paper]).

Where a step of 8.00 s goes
  matrix products   ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━   4.00 s   50 %
  attention         ━━━━━━━━━━╸                                  1.00 s   12 %
  memory-bound      ━━━━━━╸                                      600 ms    8 %
  logits and loss   ━━━━                                         400 ms    5 %
  tensor parallel   ━━━━━━━━━━╸                                  1.00 s   12 %
  pipeline bubble   ━━━━━                                        500 ms    6 %
  pipeline transfer ╸                                           1.00 ms   <1 %
  data parallel     ━━╸                                          250 ms    3 %
  optimizer         ╸                                           49.0 ms   <1 %
  other             ━━                                           200 ms    2 %
  Compute in all: 6.00 s, 75 %.

Memory by stage, of 80.0 GB a run can use
  █ weights  ▓ gradients  ▒ optimizer  ░ activations  ▪ other
  stage 0   ███▓▓▓▓▓▒▒░░░░░░░░░░░░░░░░░░░░░░░░░░░▪▪▪                  58.0 GB
  stage 1   ███▓▓▓▓▓▒▒░░░░░░░░░░░░░░░░░░░░▪▪▪                         48.0 GB
  Stage 0, the fullest: weights 4.00 GB, gradients 8.00 GB, optimizer 2.00 GB,
                        activations 40.0 GB, other 4.00 GB

Bill of materials                                    count     to buy      power
  H100 SXM5 80 GB                                       64    $1.50 M    44.8 kW
  cable                                                128   no price
  all, without what has no price                              $1.50 M    44.8 kW

Left to defaults
  cluster     cards_per_node 8, nics_per_node 8, oversubscription 1,
              scale_up nvlink4, scale_up_domain 8, sites 1, topology fat-tree
  cost        basis rent
  power       kg_co2_per_kwh 0.4, pue 1.25
  reliability checkpoint_every_s 0, checkpoint_gb_per_s 200,
              mtbf_card_hours 50,600, restart_s 600
  strategy    attention_kernel flash, context 1, cuda_graphs none,
              gradient_bytes 4, kernel_fusion fused, loss chunked,
              micro_batch 1, offload none, overlap.data on, overlap.pipeline on,
              overlap.tensor on, p2p scatter-gather, recompute none,
              schedule 1f1b, sequence on, shard_group 0, sharding zero1,
              stack megatron, virtual_stages 1
  workload    precision bf16
"""


def test_the_whole_report_at_80_columns() -> None:
    assert report.text(told(), 80) == EIGHTY


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("width", [80, 100, 120])
def test_headline_figures_are_the_estimates_own(name: str, width: int) -> None:
    done = preset(name)
    e = done.estimate
    lines = report.text(done, width).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0] == done.resolved.plan.name
    rows = {line[2:20].rstrip(): line[20:] for line in lines}
    assert rows["MFU"].startswith(percent(e.mfu))
    assert rows["Training time"].startswith(days(e.training_days))
    assert rows["Cost"].startswith(money(e.cost_usd))
    assert rows["Step time"].startswith(seconds(e.step_time_s))
    assert gigabytes(e.memory_gb) in rows["Memory"]
    assert gigabytes(e.memory_capacity_gb) in rows["Memory"]
    assert any(line.startswith("It fits.") for line in lines) == done.fits


def test_wide_terminals_are_not_filled_and_narrow_ones_not_followed() -> None:
    assert max(map(len, report.text(told(), 400).splitlines())) <= report.WIDEST
    assert report.text(told(), 10) == report.text(told(), report.NARROWEST)


def text_of(done: Outcome, *, everything: bool = False) -> str:
    return "\n".join(line.text for line in report.lines(done, 100, everything=everything))


def test_every_part_of_a_step_is_told_with_its_share() -> None:
    text = text_of(outcome(workload__model=EXPERTS, strategy__expert=8))
    for part in ("matrix products", "expert exchange", "pipeline bubble"):
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {part} ")]
        assert line.endswith(" %")


def test_what_compute_comes_to_is_the_sum_of_its_bars() -> None:
    e = told().estimate
    *_, said = report.step_lines(e, 80)
    assert e.step_breakdown_s["compute"] == sum(e.compute_breakdown_s.values())
    assert said.text == "  Compute in all: 6.00 s, 75 %."


def stages(text: str) -> list[str]:
    return [words[1] for line in text.splitlines() if (words := line.split())[:1] == ["stage"]]


def test_first_fullest_and_last_stage_and_all_when_asked() -> None:
    parts = told().estimate.memory_by_stage_gb
    sizes = (48.0, 48.0, 58.0, 48.0, 48.0)
    done = told(memory_gb_by_stage=sizes, memory_by_stage_gb=tuple(parts[size == 48.0] for size in sizes))
    assert stages(text_of(done)) == ["0", "2", "4"]
    assert "and 2 stages between (--all)" in text_of(done)
    four = told(memory_gb_by_stage=sizes[1:], memory_by_stage_gb=done.estimate.memory_by_stage_gb[1:])
    assert "and 1 stage between (--all)" in text_of(four)
    assert stages(text_of(done, everything=True)) == ["0", "1", "2", "3", "4"]
    assert "(--all)" not in text_of(done, everything=True)


def test_a_plan_that_does_not_fit_says_so_first_and_what_to_do_last() -> None:
    done = outcome(cluster__cards=8, workload__global_batch=64, strategy__pipeline=1, strategy__tensor=1,
                   strategy__sharding="none")  # fmt: skip
    assert not done.fits
    lines = report.lines(done, 100)
    assert any(line.text.startswith("IT DOES NOT FIT.") and line.style == "error" for line in lines)
    assert any(
        line.text.startswith("  all cards ") and line.text.endswith(" GB ✖") and line.style == "error" for line in lines
    )
    assert any(line.text.startswith("error    strategy: does not fit") for line in lines)


def test_an_unknown_price_is_no_price() -> None:
    free = told(cost_usd=0.0, usd_per_card_hour=0.0)
    text = text_of(replace(free, resolved=resolved(cluster__card="tpu-v5p")))
    assert "  Cost              unknown\n" in text
    assert "no price is known for this card" in text
    text = text_of(replace(free, resolved=resolved(cost__rent_date="1999")))
    assert "no price of 1999 is known for this card" in text


def test_a_price_of_nothing_is_a_price() -> None:
    text = text_of(outcome(cost__usd_per_card_hour=0.0))
    assert "Cost              unknown" not in text
    assert "no price is known" not in text


def test_a_plan_like_no_measured_run_says_so() -> None:
    assert "80 % range, no measured run is known to be like it" in text_of(told(runs_behind=0))


def test_all_defaults_are_told_when_asked() -> None:
    assert "usd_per_kwh" not in text_of(told())
    assert "usd_per_kwh 0.08" in text_of(told(), everything=True)


def test_a_problem_is_wrapped_under_itself() -> None:
    problem = Problem("warning", "strategy.tensor", "a long story " * 10, "Use tensor = 4.")
    first, *others = report.problem_lines(problem, 60)
    assert first.text.startswith("warning  strategy.tensor: a long story")
    assert all(line.text.startswith(" " * 9) and line.style == "warning" for line in others)


def test_names_never_act() -> None:
    odd = "x\x1b[31m\u202e[bold]y[/]"
    made = plan().model_copy(update={"name": odd})
    from tests.plans import BUILT_IN

    text = report.text(evaluate(BUILT_IN.resolve(made)), 80)
    assert text.splitlines()[0] == "x\\x1b[31m\\u202e[bold]y[/]"
    assert not any(ord(c) < 32 and c != "\n" for c in text)


def test_a_long_name_is_wrapped() -> None:
    made = told()
    long = made.resolved.plan.model_copy(update={"name": "word " * 60 + "x" * 300})
    resolved = type(made.resolved)(**{**vars(made.resolved), "plan": long})
    text = report.text(Outcome(resolved, made.fits, (), made.estimate), 80)
    assert max(map(len, text.splitlines())) <= 80


def test_assumed_keys_are_named() -> None:
    lines = report.lines(told(), 80, assumed=["strategy.stack", "cluster"])
    assert "  strategy.stack, cluster" in [line.text for line in lines]
