"""Launch settings: what the plan states, under names the tools know, with nothing dropped in silence."""

import argparse
import ast
import dataclasses
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from math import prod
from typing import Any

import pytest
from tests.plans import DENSE, EXPERTS, HYBRID, LATENT, PRESETS, outcome, preset

from planner.engine.result import Outcome
from planner.exchange.export import LAUNCH, Exported, exported
from planner.exchange.launch.core import layout
from planner.exchange.launch.plan import chunk_layers, moe_pattern, runs, stage_layers, window_pattern
from planner.exchange.launch.torchtitan import MODELS
from planner.spec.plan import Resolved

PLANNED = [name for name in PRESETS if name != "index"]
HOSTILE = "a <script>alert(1)</script> ]]> $(touch x) `id` \"q\" 'r' \\ ) #"

VALUED = (
    "attention-backend", "ckpt-format", "context-parallel-size", "cross-entropy-fusion-impl", "cuda-graph-impl",
    "data-parallel-sharding-strategy", "expert-model-parallel-size", "expert-tensor-parallel-size",
    "ffn-hidden-size", "fp4-format", "fp4-recipe", "fp8-format", "fp8-recipe", "global-batch-size", "hidden-size",
    "hybrid-override-pattern", "kv-channels", "kv-lora-rank", "mamba-head-dim", "mamba-num-groups",
    "mamba-num-heads", "mamba-state-dim", "max-position-embeddings", "micro-batch-size", "moe-ffn-hidden-size",
    "moe-flex-dispatcher-backend", "moe-layer-freq", "moe-router-topk", "moe-shared-expert-intermediate-size",
    "moe-token-dispatcher-type", "mtp-num-layers", "num-attention-heads", "num-distributed-optimizer-instances",
    "num-experts", "num-layers", "num-query-groups", "num-virtual-stages-per-pipeline-rank",
    "pipeline-model-parallel-layout", "pipeline-model-parallel-size", "q-lora-rank", "qk-head-dim",
    "qk-pos-emb-head-dim", "recompute-granularity", "recompute-method", "recompute-num-layers", "seq-length",
    "tensor-model-parallel-size", "train-iters", "v-head-dim", "vocab-size", "window-attn-skip-freq",
    "window-size",
)  # fmt: skip
"""Arguments of Megatron-LM with one value, from its `arguments.py`."""
SEVERAL = ("cuda-graph-scope", "recompute-modules")
FLAGS = (
    "accumulate-allreduce-grads-in-fp32", "bf16", "cross-entropy-loss-fusion", "fp16", "fp8-param-gather",
    "grad-reduce-in-bf16", "group-query-attention", "is-hybrid-model", "moe-grouped-gemm",
    "multi-latent-attention", "no-bias-dropout-fusion", "no-bias-gelu-fusion", "no-bias-swiglu-fusion",
    "no-check-for-nan-in-loss-and-grad", "no-gradient-accumulation-fusion", "no-masked-softmax-fusion",
    "no-overlap-p2p-communication", "no-persist-layer-norm", "no-rope-fusion",
    "no-scatter-gather-tensors-in-pipeline", "optimizer-cpu-offload", "overlap-grad-reduce",
    "overlap-moe-expert-parallel-comm", "overlap-param-gather", "reuse-grad-buf-for-mxfp8-param-ag",
    "sequence-parallel", "swiglu", "te-rng-tracker", "tp-comm-overlap", "untie-embeddings-and-output-weights",
    "use-distributed-optimizer", "use-megatron-fsdp", "use-precision-aware-optimizer",
)  # fmt: skip

TORCHTITAN = {
    "job": {"description"},
    "model": {"name", "flavor", "converters"},
    "training": {
        "local_batch_size", "global_batch_size", "seq_len", "steps", "mixed_precision_param", "mixed_precision_reduce",
        "enable_cpu_offload",
    },
    "parallelism": {
        "data_parallel_replicate_degree", "data_parallel_shard_degree", "fsdp_reshard_after_forward",
        "tensor_parallel_degree", "disable_loss_parallel", "enable_async_tensor_parallel", "pipeline_parallel_degree",
        "module_fqns_per_model_part", "pipeline_parallel_schedule", "pipeline_parallel_microbatch_size",
        "context_parallel_degree", "expert_parallel_degree", "expert_tensor_parallel_degree",
        "expert_parallel_comm_backend",
    },
    "activation_checkpoint": {"mode", "selective_ac_option"},
    "compile": {"enable"},
    "quantize": {"grouped_mm"},
}  # fmt: skip
"""Tables and keys of torchtitan's `job_config.py`."""
DEEPSPEED = {
    "train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps", "zero_optimization", "bf16",
    "fp16", "communication_data_type", "data_types", "tensor_parallel", "sequence_parallel_size", "pipeline",
    "activation_checkpointing",
}  # fmt: skip


def written(done: Outcome, to: Any) -> Exported:
    return exported(done.resolved.plan, done, to)


def text(done: Outcome, to: Any) -> str:
    return written(done, to).text


def arrays(script: str) -> dict[str, list[str]]:
    """The arrays of a shell fragment, as a shell takes its words."""
    found: dict[str, list[str]] = {}
    name = ""
    for word in shlex.split(script, comments=True):
        if word.endswith("=("):
            name = word.removesuffix("=(")
            found[name] = []
        elif word != ")":
            found[name].append(word)
    return found


def megatron(done: Outcome) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    for name in VALUED:
        parser.add_argument(f"--{name}")
    for name in SEVERAL:
        parser.add_argument(f"--{name}", nargs="+")
    for name in FLAGS:
        parser.add_argument(f"--{name}", action="store_true")
    return parser.parse_args(arrays(text(done, "megatron"))["MEGATRON_ARGS"])


def nemo(done: Outcome) -> dict[str, Any]:
    """What `apply_plan` assigns, by dotted name; calls as their source."""
    (function,) = (node for node in ast.parse(text(done, "nemo")).body if isinstance(node, ast.FunctionDef))
    out: dict[str, Any] = {}
    for line in function.body:
        if isinstance(line, ast.Assign):
            value = ast.unparse(line.value).removeprefix("AttnBackend.")
            literal = not isinstance(line.value, ast.Call | ast.Attribute)
            out[ast.unparse(line.targets[0]).removeprefix("cfg.")] = eval(value, {}) if literal else value
    return out


def torchtitan(done: Outcome) -> dict[str, Any]:
    return tomllib.loads(text(done, "torchtitan"))


def deepspeed(done: Outcome) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(text(done, "deepspeed"))
    return made


def chunks(layout_text: str) -> list[str]:
    """Chunks of a pipeline layout, as Megatron-Core takes it apart: repetitions written out, split at bars."""
    plain = re.sub(r"\(([^)]*)\)\*(\d+)", lambda found: found[1] * int(found[2]), layout_text)
    return plain.split("|")


@pytest.mark.parametrize("name", PLANNED)
def test_megatron_gets_the_layout_and_the_batch_of_every_preset(name: str) -> None:
    done = preset(name)
    r, args = done.resolved, megatron(done)
    s, c, w = r.strategy, r.plan.cluster, r.plan.workload
    launch = arrays(text(done, "megatron"))["TORCHRUN_ARGS"]
    assert int(launch[1]) * int(launch[3]) == c.cards
    model = (args.tensor_model_parallel_size, args.pipeline_model_parallel_size, args.context_parallel_size)
    assert c.cards == prod(map(int, model)) * r.data_parallel
    assert (int(args.micro_batch_size), int(args.global_batch_size)) == (s.micro_batch, w.global_batch)
    assert int(args.train_iters) == pytest.approx(w.tokens / w.global_batch / w.sequence_length, abs=1)
    assert (int(args.num_layers), int(args.seq_length)) == (r.model.layers, w.sequence_length)
    assert (args.bf16, args.fp16) == (w.precision not in {"fp16", "fp32", "tf32"}, w.precision == "fp16")
    assert args.use_distributed_optimizer == (s.sharding != "none")
    if args.pipeline_model_parallel_layout:
        split = chunks(args.pipeline_model_parallel_layout)
        assert len(split) == s.pipeline * s.virtual_stages
        assert args.num_virtual_stages_per_pipeline_rank is None  # Megatron-LM refuses both together
        assert "".join(split).count("t") == r.model.layers
        assert "".join(split).count("m") == r.model.mtp_depth
        assert (split[0][0], split[-1][-1]) == ("E", "L")
    else:
        assert r.model.layers % (s.pipeline * s.virtual_stages) == 0
        assert int(args.num_virtual_stages_per_pipeline_rank or 1) == s.virtual_stages
    if r.model.moe:
        assert int(args.expert_model_parallel_size) == s.expert
        assert sum(eval(args.moe_layer_freq)) == r.model.moe_layers


@pytest.mark.parametrize("name", PLANNED)
def test_nemo_sets_what_megatron_gets(name: str) -> None:
    done = preset(name)
    args, cfg = megatron(done), nemo(done)
    for field, value in cfg.items():
        argument = getattr(args, field.rpartition(".")[2], None)
        if isinstance(argument, str) and isinstance(value, int):
            assert int(argument) == value, field
        elif isinstance(argument, list | str) and isinstance(value, str | list) and not field.endswith("freq"):
            assert argument == value, field
    assert cfg["model.virtual_pipeline_model_parallel_size"] == (
        done.resolved.strategy.virtual_stages if done.resolved.strategy.virtual_stages > 1 else None
    )
    assert f"tp_comm_overlap={args.tp_comm_overlap}" in cfg["comm_overlap"]
    assert f"overlap_grad_reduce={args.overlap_grad_reduce}" in cfg["comm_overlap"]


@pytest.mark.parametrize("name", PLANNED)
def test_torchtitan_gets_degrees_that_multiply_to_the_cards(name: str) -> None:
    done = preset(name)
    r, job = done.resolved, torchtitan(done)
    for table, keys in job.items():
        assert not keys.keys() - TORCHTITAN[table]
    dims, training = job["parallelism"], job["training"]
    data = dims["data_parallel_replicate_degree"] * dims["data_parallel_shard_degree"]
    model = ("tensor_parallel_degree", "context_parallel_degree", "pipeline_parallel_degree")
    assert data == r.data_parallel
    assert data * prod(dims[key] for key in model) == r.plan.cluster.cards
    accumulated = training["global_batch_size"] // (training["local_batch_size"] * data)
    micro = training["local_batch_size"] // dims.get("pipeline_parallel_microbatch_size", training["local_batch_size"])
    assert accumulated * micro == r.micro_batches
    if "module_fqns_per_model_part" in dims:
        parts = dims["module_fqns_per_model_part"]
        assert len(parts) == r.strategy.pipeline * r.strategy.virtual_stages
        names = ["tok_embeddings", *(f"layers.{n}" for n in range(r.model.layers)), "norm", "output"]
        assert [module for part in parts for module in part] == names


@pytest.mark.parametrize("name", PLANNED)
def test_deepspeed_gets_a_batch_that_multiplies_and_no_key_it_refuses(name: str) -> None:
    done = preset(name)
    config = deepspeed(done)
    assert not config.keys() - DEEPSPEED
    batch = config["train_micro_batch_size_per_gpu"] * config["gradient_accumulation_steps"]
    assert batch * done.resolved.data_parallel == config["train_batch_size"] == done.resolved.plan.workload.global_batch
    assert written(done, "deepspeed").unsaid


FULL: dict[str, Any] = {
    "workload__model": EXPERTS, "cluster__cards": 256, "strategy__tensor": 2, "strategy__pipeline": 4,
    "strategy__virtual_stages": 2, "strategy__expert": 4, "strategy__context": 2, "strategy__sequence": True,
    "strategy__micro_batch": 1, "workload__global_batch": 512, "workload__precision": "bf16",
    "strategy__overlap": {"data": True, "tensor": True, "fsdp": True, "expert": True, "pipeline": True},
}  # fmt: skip
CHANGES: dict[str, Any] = {
    "strategy__tensor": 4, "strategy__context": 4, "strategy__pipeline": 2, "strategy__virtual_stages": 4,
    "strategy__expert": 8, "strategy__expert_tensor": 2, "strategy__micro_batch": 2,
    "strategy__schedule": "zero-bubble",
    "strategy__sharding": "zero3", "strategy__shard_group": 8, "strategy__recompute": "full",
    "strategy__offload": "optimizer", "strategy__p2p": "redundant", "strategy__gradient_bytes": 2,
    "strategy__loss": "gathered", "strategy__cuda_graphs": "full", "strategy__dispatcher": "deepep",
    "strategy__kernel_fusion": "eager", "strategy__attention_kernel": "unfused", "strategy__sequence": False,
    "workload__precision": "fp8", "workload__global_batch": 1024, "workload__sequence_length": 4096,
    **{f"strategy__overlap__{name}": False for name in ("data", "tensor", "expert", "pipeline")},
}  # fmt: skip
"""Another value for every key of a strategy, and of what a run is."""


def full(**changes: Any) -> Outcome:
    overlap = dict(FULL["strategy__overlap"])
    overlap |= {key.rpartition("__")[2]: changes.pop(key) for key in list(changes) if "__overlap__" in key}
    return outcome(**{**FULL, **changes, "strategy__overlap": overlap})


@pytest.mark.parametrize("to", sorted(LAUNCH))
@pytest.mark.parametrize("key", CHANGES)
def test_every_key_of_the_strategy_is_set_or_said(key: str, to: Any) -> None:
    one, other = full(), full(**{key: CHANGES[key]})

    def told(done: Outcome) -> list[str]:
        facts = 5  # the plan's own facts, in the first lines, would tell them apart as well
        made = written(done, to)
        return [*made.text.splitlines()[0 if to == "deepspeed" else facts :], *made.unsaid]

    assert told(one) != told(other)


@pytest.mark.parametrize("to", sorted(LAUNCH))
def test_what_depends_on_other_keys_is_set_or_said(to: Any) -> None:
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"strategy__recompute": "selective"}, {"strategy__recompute_modules": ["norm"]}),
        ({"strategy__recompute": "full"}, {"strategy__recompute_layers": 2}),
        ({"strategy__sharding": "zero3"}, {"strategy__overlap__fsdp": False}),
    ]
    for base, change in pairs:
        one, other = full(**base), full(**base, **change)
        assert written(one, to) != written(other, to)


def test_layers_are_split_as_the_engine_splits_them() -> None:
    assert stage_layers(preset("deepseek-v3").resolved) == [3, *[4] * 14, 3]
    llama = preset("llama-3.1-405b").resolved
    assert stage_layers(llama) == [7, *[8] * 14, 7]
    assert chunk_layers(llama) == [0, *[1] * 126, 0]
    assert layout(chunk_layers(llama), 0) == "E|(t|)*126L"
    assert layout([1, 1], 1) == "Et|mL"
    assert layout([2, 2, 2], 0) == "Ett|tt|ttL"


@pytest.mark.parametrize("name", PLANNED)
def test_the_split_holds_every_layer_and_the_engines_counts(name: str) -> None:
    from planner.engine.reading import inputs_of
    from planner.engine.schedule import split

    r = preset(name).resolved
    sizes, engine = stage_layers(r), split(inputs_of(r))
    assert sum(sizes) == sum(chunk_layers(r)) == r.model.layers + r.model.mtp_depth
    if r.strategy.pipeline > 1:
        assert (sizes[0], max(sizes), sizes[-1]) == (engine.first, engine.full, engine.last)


def model_of(**model: Any) -> Resolved:
    return outcome(workload__model={**DENSE, **model}).resolved


def test_patterns_of_layers() -> None:
    moe: Any = EXPERTS["moe"]
    assert sum(moe_pattern(model_of(moe={**moe, "first_k_dense": 3}))) == 29
    assert runs(moe_pattern(model_of(moe={**moe, "first_k_dense": 3}))) == "[0]*3+[1]*29"
    assert moe_pattern(model_of(moe={**moe, "first_k_dense": 0, "dense_layers": 16})) == [0, 1] * 16
    assert window_pattern(model_of(window=512, full_every=4)) == [1, 1, 1, 0] * 8
    assert window_pattern(model_of(window=512, window_every=2)) == [0, 1] * 16
    args = megatron(outcome(workload__model={**DENSE, "window": 512, "full_every": 4}))
    assert args.window_size == "511,0"
    assert eval(args.window_attn_skip_freq) == [1, 1, 1, 0] * 8


def test_latent_attention_and_hybrids() -> None:
    latent = megatron(outcome(workload__model=LATENT))
    assert latent.multi_latent_attention
    assert (latent.q_lora_rank, latent.kv_lora_rank, latent.num_query_groups) == (None, "512", None)
    done = outcome(workload__model=HYBRID)
    hybrid = megatron(done)
    assert (hybrid.hybrid_override_pattern, hybrid.is_hybrid_model, hybrid.mamba_num_heads) == ("M-M-*-M-", True, "48")
    assert "pretrain_mamba.py" in text(done, "megatron")


@pytest.mark.parametrize(
    ("precision", "flags", "recipe"),
    [
        ("bf16", "--bf16", "bf16_mixed()"), ("fp8", "--fp8-recipe tensorwise", "bf16_with_fp8_current_scaling_mixed()"),
        ("mxfp8", "--fp8-recipe mxfp8", "bf16_with_mxfp8_mixed()"),
        ("nvfp4", "--fp4-format e2m1", "bf16_with_nvfp4_mixed()"),
    ],
)  # fmt: skip
def test_precisions(precision: str, flags: str, recipe: str) -> None:
    done = outcome(cluster__card="b200-sxm", workload__precision=precision)
    assert flags in text(done, "megatron")
    assert nemo(done)["mixed_precision"] == recipe
    converters = torchtitan(done)["model"].get("converters", [])
    assert converters == {"fp8": ["quantize.linear.float8"], "mxfp8": ["quantize.linear.mx"]}.get(precision, [])
    assert deepspeed(done)["bf16"]["enabled"]


def test_what_a_tool_would_refuse_is_not_set() -> None:
    eager = outcome(strategy__tensor=2, strategy__sequence=True)
    assert not torchtitan(eager)["parallelism"]["enable_async_tensor_parallel"]
    assert torchtitan(outcome(strategy__kernel_fusion="compiled"))["parallelism"]["enable_async_tensor_parallel"]
    alone = outcome(workload__model=EXPERTS, strategy__expert=1, strategy__dispatcher="deepep")
    assert torchtitan(alone)["parallelism"]["expert_parallel_comm_backend"] == "standard"
    assert not megatron(outcome(strategy__tensor=2, strategy__sequence=False)).tp_comm_overlap


def test_recomputed_layers_are_counted_as_each_tool_counts() -> None:
    done = outcome(
        workload__model={**DENSE, "layers": 32}, strategy__pipeline=2, strategy__virtual_stages=4,
        strategy__recompute="full", strategy__recompute_layers=8,
    )  # fmt: skip
    args = megatron(done)
    assert (args.recompute_method, args.recompute_num_layers) == ("block", "2")  # a chunk, of which there are four
    assert torchtitan(done)["activation_checkpoint"] == {"mode": "selective", "selective_ac_option": "2"}
    whole = outcome(strategy__recompute="full")
    assert megatron(whole).recompute_method == "uniform"
    assert torchtitan(whole)["activation_checkpoint"] == {"mode": "full"}


def test_torchtitans_models_are_those_of_the_catalogue() -> None:
    from tests.plans import BUILT_IN

    assert not MODELS.keys() - set(BUILT_IN.ids("models"))
    assert torchtitan(outcome(workload__model="llama3.1-8b"))["model"] == {"name": "llama3", "flavor": "8B"}
    own = outcome()
    assert torchtitan(own)["model"] == {"name": "dense", "flavor": "dense"}
    assert "torchtitan has no such model" in text(own, "torchtitan")


@pytest.mark.parametrize("to", sorted(LAUNCH))
def test_a_hostile_name_stays_a_name(to: Any) -> None:
    hostile = outcome(name=f"{HOSTILE}\nrm -rf /\n[x]", workload__model={**DENSE, "name": f"{HOSTILE}\nimport os"})
    plain = outcome(name="plain", workload__model={**DENSE, "name": "plain"})
    made = text(hostile, to)
    assert "\x1b" not in made
    if to == "megatron":
        assert arrays(made) == arrays(text(plain, to))
    elif to == "nemo":
        assert nemo(hostile) == nemo(plain)
    elif to == "torchtitan":
        assert torchtitan(hostile)["parallelism"] == torchtitan(plain)["parallelism"]
        assert torchtitan(hostile)["job"]["description"].startswith(HOSTILE)
    else:
        assert deepspeed(hostile) == deepspeed(plain)


@pytest.mark.parametrize("to", ["html", "svg", *sorted(LAUNCH)])
def test_no_control_sequence_reaches_a_file(to: Any) -> None:
    """Plan files may not hold any; a program that makes a plan could."""
    done = outcome()
    plan = done.resolved.plan.model_copy(update={"name": "a\x1b[31m\r\u202eb\x00", "notes": "\x1b]0;x\x07"})
    made = text(dataclasses.replace(done, resolved=dataclasses.replace(done.resolved, plan=plan)), to)
    assert not set(made) & set("\x1b\r\u202e\x00\x07")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_a_shell_takes_the_fragment_as_written(tmp_path: Any) -> None:
    hostile = outcome(name=HOSTILE, workload__model={**EXPERTS, "name": HOSTILE, "layers": 31}, strategy__pipeline=2)
    folder = tmp_path / "empty"
    folder.mkdir()
    script = text(hostile, "megatron") + 'printf "%s\\n" "${MEGATRON_ARGS[@]}"\n'
    done = subprocess.run(
        ["bash", "-eu"], input=script, capture_output=True, text=True, check=True, cwd=folder, timeout=60
    )
    assert done.stdout.splitlines() == arrays(text(hostile, "megatron"))["MEGATRON_ARGS"]
    assert not list(folder.iterdir())
