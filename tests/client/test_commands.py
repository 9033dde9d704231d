"""`peps search` and `peps download` as people and scripts meet them."""

import csv
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from peps_wps import cli
from peps_wps.cli.board import Board
from peps_wps.cli.text import duration_text, shortened, size_text
from peps_wps.client import Progress
from tests.client.conftest import ON_DISK, ON_TAPE, Place, title
from tests.client.faulty_service import answering, slowly
from tests.patience import until

NAMES = [title(number) for number in (*ON_DISK, *ON_TAPE)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def peps(place: Place, capsys, monkeypatch):
    """Run a command on the service; return exit code, standard output and standard error."""

    def run(*arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin or ""))
        code = cli.main([*arguments, "--url", place.url])
        return code, *capsys.readouterr()

    return run


def test_a_search_is_a_table_whose_titles_are_whole(peps):
    code, out, err = peps("search", "-c", "S1", "--box=1,43,3,44", "--start", "2021-08-01")

    assert code == 0
    assert sorted(line.split()[-1] for line in out.splitlines()) == NAMES
    assert out.count("disk") == len(ON_DISK)
    assert "10 products" in err
    assert "\x1b" not in out + err


def test_a_search_for_scripts(peps):
    titles = peps("search", "--titles")[1].split()
    objects = json.loads(peps("search", "--json")[1])
    features = json.loads(peps("search", "--geojson")[1])["features"]
    rows = list(csv.DictReader(io.StringIO(peps("search", "--csv")[1])))

    assert sorted(titles) == NAMES
    assert [one["title"] for one in objects] == titles
    assert [one["properties"]["title"] for one in features] == titles
    assert [(row["title"], row["mode"]) for row in rows] == [
        (one["title"], one["mode"]) for one in objects
    ]
    assert all(one["checksum_algorithm"] == "SHA-256" for one in objects)


def test_a_search_is_counted_and_limited(peps):
    assert peps("search", "--count")[:2] == (0, "10\n")
    assert len(peps("search", "--titles", "--limit", "3")[1].split()) == 3


@pytest.mark.parametrize("form", [[], ["--json"], ["--count"]])
def test_nothing_found_is_told_apart(peps, form):
    assert peps("search", "--platform", "S1B", *form)[0] == 5


def test_a_polygon_is_wkt_or_a_file(peps, tmp_path):
    square = {"type": "Polygon", "coordinates": [[[1, 43], [2, 43], [2, 44], [1, 44], [1, 43]]]}
    feature = {"type": "Feature", "geometry": square, "properties": {}}
    (tmp_path / "a.geojson").write_text(json.dumps({"features": [feature]}))
    (tmp_path / "a.wkt").write_text("POINT (100 0)")

    assert peps("search", "--count", "--geometry", json.dumps(square))[1] == "10\n"
    assert peps("search", "--count", "--geometry", str(tmp_path / "a.geojson"))[1] == "10\n"
    assert peps("search", "--count", "--geometry", str(tmp_path / "a.wkt"))[1] == "0\n"
    assert peps("search", "--geometry", str(tmp_path / "none"))[0] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "--box", "1,2,3"],
        ["search", "--start", "yesterday"],
        ["search", "--where", "nothing"],
        ["search", "--json", "--csv"],
        ["download", "--deadline", "soon"],
        ["search", "--url", "http://ada:secret@127.0.0.1"],
    ],
)
def test_a_wrong_command_line_is_told_before_anything_is_asked(arguments, capsys):
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert "secret" not in capsys.readouterr().err


def test_a_search_refused_is_told_in_the_words_of_the_server(peps):
    code, _, err = peps("search", "--tile", "99XXX")
    assert code == 4
    assert "expected one like 31TCJ" in err


@pytest.mark.parametrize("form", ["--titles", "--json", "--geojson"])
def test_a_search_is_piped_into_a_download(peps, tmp_path, form):
    found = peps("search", form, "--limit", "2")[1]
    code, out, _ = peps("download", "-", "--output", str(tmp_path), stdin=found)

    assert code == 0
    assert {Path(line) for line in out.split()} == set(tmp_path.iterdir())
    assert len(out.split()) == 2


def test_a_download_says_what_came_of_each_and_ends_with_a_summary(peps, tmp_path):
    known = NAMES[:2]
    peps("download", known[0], "--output", str(tmp_path))
    code, out, err = peps("download", *known, "nonsense", "--output", str(tmp_path))

    assert code == 1
    assert sorted(out.split()) == [str(tmp_path / f"{name}.zip") for name in known]
    assert "nonsense: failed: no product is called nonsense" in err
    assert err.splitlines()[-1] == "1 fetched (201 kB), 1 there before, 1 failed"
    assert "\x1b" not in err
    assert "\r" not in err


def test_a_download_tells_a_script_in_json(peps, tmp_path):
    code, out, err = peps("download", NAMES[0], "--output", str(tmp_path), "--json")
    (one,) = json.loads(out)
    assert (code, err) == (0, "")
    assert (one["state"], one["path"]) == ("fetched", str(tmp_path / f"{NAMES[0]}.zip"))


def test_the_exit_code_says_why_a_download_ended(place, peps, tmp_path):
    output = ("--output", str(tmp_path))
    assert peps("download", "--platform", "S1B", *output)[0] == 5
    place.faults.of_downloads.append(answering("401 Unauthorized"))
    code, _, err = peps("download", NAMES[0], *output)
    assert (code, "PEPS_TOKEN" in err) == (4, True)
    gone = answering("202 You should retry the request", Retry_After="60")
    place.faults.of_downloads.extend([gone] * 9)
    code, _, err = peps("download", NAMES[0], "--deadline", "0.3s", *output)
    assert (code, "1 late" in err) == (6, True)
    assert cli.main(["download", NAMES[0], "--url", "http://127.0.0.1:9", "--deadline", "0s"]) == 6


def on_terminal(place: Place, columns: int, *arguments: str, **environ: str) -> str:
    """What a command writes to a terminal of so many columns."""
    main, terminal = pty.openpty()
    script = "import sys; from peps_wps import cli; sys.exit(cli.main(sys.argv[1:]))"
    environ = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT), **environ}
    subprocess.run(["stty", "cols", str(columns), "rows", "24"], stdin=terminal, check=True)
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments, "--url", place.url],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environ,
    )
    os.close(terminal)
    written = b""
    while select.select([main], [], [], 60)[0]:
        try:
            written += os.read(main, 65536)
        except OSError:  # the last one has closed it
            break
    process.wait()
    os.close(main)
    return written.decode()


def test_a_reader_that_has_seen_enough_is_no_error(place):
    script = "import sys; from peps_wps import cli; sys.exit(cli.main(sys.argv[1:]))"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", script, "search", "--titles", "--url", place.url],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interruption_says_how_to_go_on_and_keeps_what_came(place, tmp_path):
    place.faults.of_downloads.extend([slowly] * 9)
    script = "import sys; from peps_wps import cli; sys.exit(cli.main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "download", NAMES[0], "--url", place.url],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    part = tmp_path / f"{NAMES[0]}.zip.part"
    assert until(lambda: part.is_file() and part.stat().st_size > 0, 30)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()

    assert process.returncode == 130
    assert "goes on from there" in err
    assert place.contents[NAMES[0]].startswith(part.read_bytes())


def test_a_narrow_terminal_is_drawn_within_its_width(place, tmp_path):
    arguments = ["download", *NAMES[:3], NAMES[-1], "--output", str(tmp_path / "a")]
    text = on_terminal(place, 44, *arguments)

    assert "\x1b[J" in text  # a board was there, and is erased
    drawn = [line for line in re.split(r"\r\n|\x1b\[\w+|\r", text) if line and "/" not in line]
    assert all(len(line) <= 44 for line in drawn)
    assert "4 fetched" in text.splitlines()[-1]


@pytest.mark.parametrize(("environ", "has_colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_that_want_them(place, environ, has_colours):
    text = on_terminal(place, 100, "search", "--limit", "1", **environ)
    assert ("\x1b[" in text) == has_colours


@pytest.mark.parametrize("width", [20, 44, 60, 80, 120, 200])
def test_the_board_has_room_for_what_matters(width, monkeypatch):
    board = Board(quiet=True)
    for number, state in enumerate(["receiving", "recalling", "waiting"]):
        board.show(
            Progress(
                title(number), state, 430_000_000, 1_010_000_000, 4, 180.0, "2 files in flight"
            )
        )
    lines = board.lines(0.0, width, 24)

    assert len(lines) == 4
    assert all(len(line) <= width for line in lines)
    assert "43%" in lines[0]
    if width >= 80:
        assert "430 MB of 1.01 GB" in lines[0]
        assert re.search(r"on tape: 1, the next in about \d+", lines[1])


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1_010_000_000, "1.01 GB"), (55_100_000_000, "55.1 GB")],
)
def test_sizes_have_three_figures(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(1, "1 s"), (99, "99 s"), (180, "3 min"), (7800, "2 h 10 min")]
)
def test_durations_are_rounded_for_people(seconds, text):
    assert duration_text(seconds) == text


def test_names_are_shortened_in_their_middle():
    assert shortened("abcdefghij", 5) == "ab…ij"
    assert shortened("abc", 5) == "abc"
