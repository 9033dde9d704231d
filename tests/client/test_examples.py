"""The examples of the guide to the Python client run, as they stand there."""

import re
from pathlib import Path

from peps_wps.jobs.dispatcher import Dispatcher
from tests.background import running
from tests.client.conftest import ON_DISK, ON_TAPE

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "python-client.md"


def test_every_example_of_the_guide_runs(place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL))
    code = code.replace("http://127.0.0.1:5000", place.url)
    with running(Dispatcher(place.world.config, place.world.engine, place.world.archive)):
        exec(compile(code, str(GUIDE), "exec"), {})

    out = capsys.readouterr().out
    assert str(len(ON_DISK) + len(ON_TAPE)) in out.splitlines()
    assert out.count("fetched data/") == 2
    assert len(list((tmp_path / "data").iterdir())) == 2
    assert "Availability(name=" in out
