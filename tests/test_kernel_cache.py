"""Compiled kernels are found again, and never with an older kernel inside."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from peps_wps import kernel_cache

CALLEE = "from numba import njit\n\n@njit(cache=True)\ndef inner(x):\n    return x + {step}\n"
CALLER = """from numba import njit
from algorithms.callee import inner

@njit(cache=True)
def outer(x):
    return 10.0 * inner(x)
"""
RUN = """from peps_wps import kernel_cache
kernel_cache.use_own_folder()
from algorithms.caller import outer
print(outer(1.0), sum(outer.stats.cache_hits.values()))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program of two kernels in two files."""
    for package in ("peps_wps", "algorithms"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    source = Path(kernel_cache.__file__)
    (tmp_path / "peps_wps" / source.name).write_text(source.read_text())
    (tmp_path / "algorithms" / "callee.py").write_text(CALLEE.format(step=1))
    (tmp_path / "algorithms" / "caller.py").write_text(CALLER)
    return tmp_path


def output_of(program: Path, **environ: str) -> list[str]:
    """Run the program: the result, and how many kernels it found compiled."""
    inherited = {name: value for name, value in os.environ.items() if name != kernel_cache.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=program,
        env={**inherited, "PYTHONPATH": str(program), **environ},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


def folders(program: Path) -> list[Path]:
    return sorted((program / "algorithms" / "__pycache__").glob("kernels-*"))


def test_a_kernel_is_compiled_again_when_one_that_it_calls_has_changed(program):
    assert output_of(program) == ["20.0", "0"]
    assert output_of(program) == ["20.0", "1"]

    (program / "algorithms" / "callee.py").write_text(CALLEE.format(step=2))

    assert output_of(program) == ["30.0", "0"]
    assert len(folders(program)) == 2


def test_the_environment_decides_where_kernels_lie(program, tmp_path):
    output_of(program, NUMBA_CACHE_DIR=str(tmp_path / "elsewhere"))

    assert folders(program) == []
    assert list((tmp_path / "elsewhere").rglob("*.nbc"))


def test_older_folders_are_removed_and_the_own_one_stays(tmp_path, monkeypatch):
    own = tmp_path / "kernels-now"
    older = tmp_path / "kernels-before"
    for folder in (own, older):
        folder.mkdir()
        (folder / "kernel.nbc").touch()
    monkeypatch.setattr(kernel_cache, "own_folder", lambda: own)

    kernel_cache.remove_older()

    assert list(tmp_path.iterdir()) == [own]
