"""`peps db` on a server."""

from pathlib import Path

import pytest

from catalog_db import migrations
from peps_wps import cli
from tests.database import Databases
from tests.jobs.job_house import House


def test_a_database_file_is_copied_to_a_server_once(
    house: House,
    databases: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    house.archive("PRODUCT_0")
    source, var = str(house.config.catalog.url), ("--var", str(house.config.var))
    with databases.fresh("postgresql", tmp_path, is_migrated=False) as url:
        monkeypatch.setenv("PEPS_CATALOG_URL", url)
        assert cli.main(["db", "copy", source, *var]) == 0
        assert "           1  item" in capsys.readouterr().out.splitlines()
        assert cli.main(["db", "current", *var]) == 0
        assert capsys.readouterr().out.strip() == migrations.newest()

        assert cli.main(["db", "copy", source, *var]) == 1
        assert "nothing was copied: the table" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["copy"], ["copy", "sqlite:////absent/catalog.db"], ["current", "sqlite:///x"]]
)
def test_a_copy_needs_a_database_that_is_there(arguments: list[str], tmp_path: Path) -> None:
    assert cli.main(["db", *arguments, "--var", str(tmp_path)]) == 2
    assert not (tmp_path / "catalog.db").exists()
