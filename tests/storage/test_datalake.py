"""A product of the datalake is there whole or not at all, whoever looks and whoever dies."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage.datalake import Datalake
from storage.errors import ArchivePathError, DatalakeConflictError

FOLDER = "S1-L1-ORTHO/31TGL/2018/07/20"
PATH = f"{FOLDER}/a.json"


def item_of(*names, identifier="a", **properties):
    assets = {f"asset{number}": {"href": f"./{name}"} for number, name in enumerate(names)}
    return {"id": identifier, "properties": properties, "assets": assets}


def written(folder, **contents):
    folder.mkdir(exist_ok=True, parents=True)
    paths = []
    for name, content in contents.items():
        path = folder / f"{name}.tif"
        path.write_bytes(content)
        paths.append(path)
    return paths


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch):
    """Nothing here cuts the power."""
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)


@pytest.fixture
def lake(tmp_path):
    return Datalake(tmp_path / "lake")


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch"


def visible(lake):
    return sorted(
        path.relative_to(lake.root).as_posix()
        for path in lake.root.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.parts[-6:])
    )


def test_a_product_is_its_item_and_the_files_that_it_names(lake, scratch):
    files = written(scratch, vv=b"backscatter", vh=b"less of it")
    product = lake.publish(FOLDER, item_of("vv.tif", "vh.tif"), files)
    assert lake.product(PATH) == product
    assert [one.path for one in lake.products()] == [PATH]
    assert (lake.path(FOLDER) / "vv.tif").read_bytes() == b"backscatter"
    assert product.size_bytes == len(b"backscatter") + len(b"less of it")
    assert product.files["vv.tif"] == {
        "href": "./vv.tif",
        "file:size": 11,
        "file:checksum": "1220" + hashlib.sha256(b"backscatter").hexdigest(),
    }
    assert list(lake.damage(product)) == []
    assert lake.unsettled() == {}


def test_staged_files_stay_and_share_their_bytes_with_the_published_ones(lake, scratch):
    (file,) = written(scratch, vv=b"backscatter")
    lake.publish(FOLDER, item_of("vv.tif"), [file])
    assert file.stat().st_ino == (lake.path(FOLDER) / "vv.tif").stat().st_ino
    assert not file.stat().st_mode & 0o222  # nobody writes into what is published


def test_files_come_from_another_file_system_as_well(lake, scratch, monkeypatch):
    def refuse(*_arguments):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    (file,) = written(scratch, vv=b"backscatter")
    product = lake.publish(FOLDER, item_of("vv.tif"), [file])
    assert list(lake.damage(product)) == []


def test_a_product_takes_the_place_of_the_one_of_its_name_whole(lake, scratch):
    lake.publish(FOLDER, item_of("vv.tif", "old.tif"), written(scratch, vv=b"one", old=b"gone"))
    lake.publish(FOLDER, item_of("vv.tif", "new.tif"), written(scratch / "2", vv=b"two", new=b"x"))
    assert visible(lake) == [f"{FOLDER}/{name}" for name in ("a.json", "new.tif", "vv.tif")]
    assert (lake.path(FOLDER) / "vv.tif").read_bytes() == b"two"


def test_publishing_again_changes_nothing(lake, scratch):
    files = written(scratch, vv=b"one")
    first = lake.publish(FOLDER, item_of("vv.tif"), files)
    assert lake.publish(FOLDER, item_of("vv.tif"), files) == first
    assert visible(lake) == [PATH, f"{FOLDER}/vv.tif"]


def test_removal_leaves_no_trace_but_of_others(lake, scratch):
    lake.publish(FOLDER, item_of("vv.tif"), written(scratch, vv=b"one"))
    other = item_of("other.tif", identifier="b")
    lake.publish(FOLDER, other, written(scratch, other=b"two"))
    lake.remove(PATH)
    assert visible(lake) == [f"{FOLDER}/b.json", f"{FOLDER}/other.tif"]
    lake.remove(f"{FOLDER}/b.json")
    assert not (lake.root / "S1-L1-ORTHO").exists()


def test_a_file_of_another_product_is_not_taken(lake, scratch):
    files = written(scratch, vv=b"one")
    lake.publish(FOLDER, item_of("vv.tif"), files)
    with pytest.raises(DatalakeConflictError, match=r"vv.tif belongs to .*/a.json"):
        lake.publish(FOLDER, item_of("vv.tif", identifier="b"), written(scratch / "2", vv=b"two"))
    assert (lake.path(FOLDER) / "vv.tif").read_bytes() == b"one"
    assert lake.unsettled() == {}


@pytest.mark.parametrize(
    ("item", "names"),
    [
        (item_of("vv.tif", "vh.tif"), ["vv"]),
        (item_of("vv.tif"), ["vv", "vh"]),
        (item_of("vv.tif", identifier="catalog"), ["vv"]),
        (item_of("vv.tif", identifier=".hidden"), ["vv"]),
        (item_of("vv.tif", identifier="b/c"), ["vv"]),
    ],
)
def test_what_does_not_fit_together_is_refused(lake, scratch, item, names):
    files = written(scratch, **dict.fromkeys(names, b"x"))
    with pytest.raises(DatalakeConflictError):
        lake.publish(FOLDER, item, files)
    assert visible(lake) == []


@pytest.mark.parametrize("folder", ["../elsewhere", "/etc", "S1/../../x"])
def test_nothing_is_published_outside(lake, scratch, folder):
    with pytest.raises(ArchivePathError):
        lake.publish(folder, item_of("vv.tif"), written(scratch, vv=b"x"))


def test_a_full_disk_leaves_what_was_there(lake, scratch, monkeypatch):
    lake.publish(FOLDER, item_of("vv.tif"), written(scratch, vv=b"one"))
    files = written(scratch / "2", vv=b"two", vh=b"new")
    link = os.link

    def fill_up(source, target):
        if Path(source).name == "vh.tif":
            raise OSError(28, "No space left on device")
        link(source, target)

    monkeypatch.setattr(os, "link", fill_up)
    with pytest.raises(OSError, match="No space left"):
        lake.publish(FOLDER, item_of("vv.tif", "vh.tif"), files)
    assert (lake.path(FOLDER) / "vv.tif").read_bytes() == b"one"
    assert list(lake.damage(lake.product(PATH))) == []
    assert sorted(path.name for path in lake.path(FOLDER).iterdir()) == ["a.json", "vv.tif"]


def test_damage_is_found(lake, scratch):
    files = written(scratch, vv=b"backscatter", vh=b"one", hh=b"two")
    product = lake.publish(FOLDER, item_of("vv.tif", "vh.tif", "hh.tif"), files)
    folder = lake.path(FOLDER)
    (folder / "vv.tif").unlink()
    (folder / "vh.tif").write_bytes(b"oNe")
    (folder / "hh.tif").write_bytes(b"three")
    assert sorted(lake.damage(product)) == [
        "hh.tif has 5 bytes, not 3",
        "vh.tif is not what was published: its checksum differs",
        "vv.tif is missing",
    ]


def test_two_processes_that_publish_one_product_do_it_one_after_the_other(lake, scratch):
    lots = [written(scratch / str(n), vv=b"%d" % n * 9, vh=b"%d" % n) for n in range(8)]

    def publish(files):
        Datalake(lake.root).publish(FOLDER, item_of("vv.tif", "vh.tif"), files)

    threads = [threading.Thread(target=publish, args=(files,)) for files in lots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    product = lake.product(PATH)
    assert list(lake.damage(product)) == []
    vv, vh = ((lake.path(FOLDER) / name).read_bytes() for name in ("vv.tif", "vh.tif"))
    assert vv == vh * 9
    assert lake.unsettled() == {}


# Publishes over what is there, then removes it, and dies at the nth call that changes a name.
_VICTIM = """
import os, pathlib, signal, sys
sys.path.insert(0, {source!r})
from storage.datalake import Datalake
os.fsync = lambda descriptor: None  # a killed process leaves what it wrote
root, scratch, deadly = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
calls = 0
def count(event, arguments):
    global calls
    if event in ("os.rename", "os.remove", "os.rmdir", "os.link", "os.mkdir") or (
        event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wxa+")
    ):
        calls += 1
        if calls == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
lake = Datalake(root)
item = {{"id": "a", "assets": {{"vv": {{"href": "./vv.tif"}}, "vh": {{"href": "./vh.tif"}}}}}}
lake.publish({folder!r}, item, [scratch / "vv.tif", scratch / "vh.tif"])
lake.remove({folder!r} + "/a.json")
print(calls)
"""


def run_victim(lake, scratch, deadly):
    source = str(Path(__file__).resolve().parents[2])
    code = _VICTIM.format(source=source, folder=FOLDER)
    arguments = [sys.executable, "-S", "-c", code, lake.root, scratch, str(deadly)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def with_an_old_product(folder, number):
    lake = Datalake(folder / f"lake{number}")
    files = written(folder / f"old{number}", vv=b"old", old=b"of old")
    lake.publish(FOLDER, item_of("vv.tif", "old.tif"), files)
    return lake


def check_whole(lake):
    """What is visible is one product whole, the old or the new, or none that has an item."""
    product = lake.read(PATH)
    if product is not None:
        assert list(lake.damage(product)) == []
    return product


@pytest.mark.drill
def test_a_kill_at_any_call_leaves_a_whole_product_or_none(lake, scratch, tmp_path):
    """A seeded sample; all of them with PEPS_DRILLS=1."""
    written(scratch, vv=b"new backscatter", vh=b"new")
    calls = int(run_victim(with_an_old_product(tmp_path, 0), scratch, 0).stdout)
    points = range(1, calls + 1)
    if os.environ.get("PEPS_DRILLS") != "1":
        points = sorted(random.Random(20180720).sample(points, 10))
    for deadly in points:
        fresh = with_an_old_product(tmp_path, deadly)
        died = run_victim(fresh, scratch, deadly)
        assert died.returncode == -signal.SIGKILL
        check_whole(fresh)
        fresh.recover()
        product = check_whole(fresh)
        assert fresh.unsettled() == {}
        named = [] if product is None else [PATH, *(f"{FOLDER}/{name}" for name in product.files)]
        assert visible(fresh) == sorted(named)
        assert not list(fresh.root.rglob(".part-*"))
        # And who comes back does what was under way.
        fresh.publish(FOLDER, item_of("vv.tif"), [scratch / "vv.tif"])
        assert visible(fresh) == [PATH, f"{FOLDER}/vv.tif"]


def test_what_a_living_process_does_is_not_settled_by_another(lake, scratch, monkeypatch):
    (file,) = written(scratch, vv=b"one")
    link = os.link

    def look(source, target):
        assert Datalake(lake.root).recover() == []
        assert list(lake.unsettled()) == [PATH]
        assert lake.product(PATH) is None
        link(source, target)

    monkeypatch.setattr(os, "link", look)
    lake.publish(FOLDER, item_of("vv.tif"), [file])
    assert lake.product(PATH) is not None


def test_who_is_told_of_products_is_told_before_others_may_touch_them(tmp_path, scratch):
    told = []

    def settled(path):
        told.append((path, lake.read(path) is not None, list(lake.unsettled())))

    lake = Datalake(tmp_path / "lake", settled)
    lake.publish(FOLDER, item_of("vv.tif"), written(scratch, vv=b"one"))
    lake.remove(PATH)
    assert told == [(PATH, True, [PATH]), (PATH, False, [PATH])]


def test_hidden_folders_of_chains_outlive_products(lake, scratch):
    sums = lake.path("S1-L1-ORTHO/31TGL/.sums")
    lake.publish(FOLDER, item_of("vv.tif"), written(scratch, vv=b"one"))
    written(sums, outcore=b"sums")
    lake.remove(PATH)
    assert [path.name for path in sums.iterdir()] == ["outcore.tif"]
    assert [one.path for one in lake.products()] == []


def test_items_say_what_chains_wrote(lake, scratch):
    lake.publish(FOLDER, item_of("vv.tif", name="été"), written(scratch, vv=b"one"))
    assert json.loads(lake.path(PATH).read_bytes())["properties"] == {"name": "été"}
