"""The wheel works on its own: built, installed away from the checkout, and run there, without a network."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program in a folder and return what it printed; a failure shows everything it said."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as a release does: a source archive first, then the wheel from that archive."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a fresh environment, which borrows the dependencies, and only those, from this one.

    The dependencies come in as links to each entry of this environment's site-packages, but not its .pth files (one of
    them leads to the checkout) nor its own planner.
    """
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    ours = Path(sysconfig.get_path("purelib"))
    theirs = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    for entry in ours.iterdir():
        if entry.suffix != ".pth" and "cluster_planner" not in entry.name and entry.name != "planner":
            (theirs / entry.name).symlink_to(entry)
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--no-index", wheel),
        cwd=home,
    )
    return home


def test_wheel_carries_the_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("presets", "themes", "validation"):
        for file in sorted((ROOT / folder).rglob("*.toml")):
            assert f"planner/_data/{file.relative_to(ROOT).as_posix()}" in names
        assert any(name.startswith(f"planner/_data/{folder}/") for name in names), f"no {folder} in the wheel"


def test_installed_planner_stands_alone(installed: Path, tmp_path: Path) -> None:
    code = "import planner.data_files as d; print(d.__file__); print(d.data_root())"
    file, data = run(installed / "bin" / "python", "-c", code, cwd=tmp_path).split()
    assert Path(file).is_relative_to(installed)
    assert Path(data) == Path(file).parent / "_data"
    assert not Path(data).is_symlink()


def test_installed_planner_estimates(installed: Path, tmp_path: Path) -> None:
    assert "MFU" in run(installed / "bin" / "planner", "estimate", "deepseek-v3", cwd=tmp_path)
    assert not list((tmp_path / "home").iterdir()), "an estimate writes nothing into the user's home"
