"""`planner import`: from a config.json to a model that a plan can name."""

import json
from pathlib import Path

import pytest
from tests.cli.helpers import planner, refused
from tests.plans import BUILT_IN, plan

from planner.exchange import plan_toml


def test_an_imported_model_of_the_catalogue_is_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_CONFIG_DIR", str(tmp_path))
    folder = tmp_path / "catalogue" / "models"
    folder.mkdir(parents=True)
    config = tmp_path / "config.json"
    config.write_text('{"model_type": "llama", "_name_or_path": "meta-llama/Llama-2-7b-hf"}', encoding="utf-8")
    done = planner("import", str(config), "-o", str(folder / "ours.toml"))
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    (ours,) = json.loads(planner("catalog", "models", "ours", "--json").stdout)["entries"]
    assert ours["name"] == "Llama-2-7b-hf"
    text = plan_toml.write(plan(workload__model="ours"))
    assert json.loads(planner("estimate", "-", "--json", stdin=text).stdout)["plan"]["workload"]["model"] == "ours"


def test_standard_input_to_standard_output() -> None:
    done = planner("import", "-", stdin='{"model_type": "deepseek_v3"}')
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("# A model as shapes")
    assert f"hidden = {BUILT_IN.model('deepseek-v3').hidden}\n" in done.stdout


def test_what_the_engine_refuses_is_written_with_a_warning() -> None:
    done = planner("import", "-", stdin='{"model_type": "qwen3_next"}')
    assert done.exit_code == 0
    assert 'unmodelled = "gated delta-net layers"' in done.stdout
    assert "the engine has no equations for gated delta-net layers" in done.stderr


def test_bad_input_is_one_message(tmp_path: Path) -> None:
    assert refused(planner("import", "-", stdin="{}")).startswith("standard input: there is no model_type")
    assert "no such file" in refused(planner("import", str(tmp_path / "config.json")))
    assert "is a directory" in refused(planner("import", str(tmp_path)))
    out = tmp_path / "m.toml"
    out.write_text("old", encoding="utf-8")
    refused(planner("import", "-", "-o", str(out), stdin='{"model_type": "rwkv"}'))
    assert out.read_text(encoding="utf-8") == "old"
