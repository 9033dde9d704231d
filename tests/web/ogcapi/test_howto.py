"""The examples of docs/howto/order-by-ogcapi.md, run as a reader would."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.ogcapi.conftest import Service

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "order-by-ogcapi.md"
SHOWN = "http://127.0.0.1:5000"


def examples(language: str) -> list[str]:
    """Return the examples in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("example", examples("sh"), ids=["look", "order"])
def test_the_examples_with_curl(service: Service, example: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    script = example.replace(SHOWN, service.url)

    run = subprocess.run(["sh", "-eu"], input=script, capture_output=True, text=True, check=False)

    assert (run.returncode, run.stderr) == (0, "")
    if "respond-async" in script:
        assert '"literalOutput": "hello"' in run.stdout
        assert " Accepted" in run.stdout
        assert '"status": "dismissed"' in run.stdout
    else:
        assert '"complexInput"' in run.stdout


def test_the_example_with_python(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = examples("python")

    exec(compile(example.replace(SHOWN, service.url), str(PAGE), "exec"), {})

    said = capsys.readouterr().out
    assert "literalOutput hello" in said
    assert re.search(r"report \d+ bytes", said)
