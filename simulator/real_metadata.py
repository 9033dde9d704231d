"""Pixels simulated into the metadata of a real product, which is kept byte for byte."""

import re
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from simulator.annotation import (
    Annotation,
    Radiometry,
    Table,
    parse_annotation,
    parse_radiometry,
)
from simulator.geometry import RadarFrame, RangeRule, frame_of
from simulator.instrument import MODES, Processor
from simulator.manifest import ProductFile
from simulator.pixels import Scene, valid_samples
from simulator.s1_grd import Options, publish, write_pixels
from simulator.terrain import ROLLING_HILLS, Terrain
from simulator.truth import describe, place_truth


def write_from_metadata(
    folder: Path,
    source: Path,
    *,
    terrain: Terrain | None = None,
    options: Options | None = None,
    bistatic: bool = True,
    range_rule: RangeRule = "linear",
) -> Path:
    """Simulate the pixels of a real product.

    Parameters
    ----------
    folder
        Where to write; made when missing.
    source
        SAFE folder or zip of the real product, with annotation, calibration and noise files; a
        measurement, if any, is left out.
    terrain
        The relief; by default rolling hills under the product (see `default_terrain`).
    options
        How to write. `polarizations` is ignored: the product's own are simulated.
    bistatic, range_rule
        As in `RadarFrame`.

    Returns
    -------
    The product; `<title>.truth.json` lies beside it.
    """
    options = options or Options()
    contents = read_files(source)
    annotations, radiometry = _parse(contents)
    names = _co_first(annotations)
    annotation = annotations[names[0]][1]
    frame = frame_of(annotation, bistatic=bistatic, range_rule=range_rule)
    terrain = terrain or default_terrain(annotation, options.seed)
    truth = place_truth([frame], terrain, np.random.default_rng(options.seed))
    scene = Scene(
        terrain,
        truth.discs(),
        truth.targets(frame),
        MODES[_mode_name(annotation)].looks if options.speckle else 0.0,
        options.seed,
        0,
        _valid(frame, list(radiometry.values())),
        processor_of(contents["manifest.safe"]).clean_border,
    )
    title = source.name.removesuffix(".zip").removesuffix(".SAFE")
    partial = folder / f".{title}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    _write_files(partial, contents)
    stems = {annotations[name][1].polarization: annotations[name][0] for name in names}
    files = write_pixels(partial, stems, (frame, annotation, radiometry), scene, options)
    manifest = _refresh(contents["manifest.safe"], files)
    (partial / "manifest.safe").write_bytes(manifest)
    known = describe(truth, frame, list(stems)) | {
        "product": title,
        "options": {"source": "real metadata", "bistatic": bistatic, "range_rule": range_rule},
    }
    return publish(partial, folder, title, known, options.packing)


def read_annotation(source: Path) -> Annotation:
    """Annotation of the co-polarised image of a product."""
    annotations, _ = _parse(read_files(source))
    return annotations[_co_first(annotations)[0]][1]


def processor_of(manifest: bytes) -> Processor:
    """Version of the processor that a manifest names."""
    found = re.search(rb'name="Sentinel-1 IPF" version="0*(\d+\.\d+)"', manifest)
    if found is None:
        raise ValueError("the manifest names no version of the Sentinel-1 IPF")
    return Processor.of(found[1].decode())


def default_terrain(annotation: Annotation, seed: int) -> Terrain:
    """Return rolling hills of +-600 m around 650 m under an image."""
    grid = annotation.grid
    turn = (grid.longitude - grid.longitude[0] + np.pi) % (2 * np.pi) - np.pi
    longitude = float(grid.longitude[0] + np.mean(turn))
    latitude = float(np.mean(grid.latitude))
    return Terrain.random(ROLLING_HILLS, longitude, latitude, np.random.default_rng(seed))


def read_files(source: Path) -> dict[str, bytes]:
    """Metadata files of a SAFE folder or zip by their path inside it, without pixels."""
    if source.is_dir():
        found = {
            path.relative_to(source).as_posix(): path.read_bytes()
            for path in source.rglob("*")
            if path.is_file() and _is_metadata(path.relative_to(source).as_posix())
        }
    else:
        with zipfile.ZipFile(source) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            root = next(name for name in names if name.endswith("manifest.safe"))
            start = len(root) - len("manifest.safe")
            found = {name[start:]: archive.read(name) for name in names if _is_metadata(name)}
    if "manifest.safe" not in found:
        raise ValueError(f"{source} has no manifest.safe")
    return found


def _write_files(folder: Path, contents: dict[str, bytes]) -> None:
    """Write files by their path in a folder."""
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _is_metadata(name: str) -> bool:
    """Whether a file of a product is to be kept: anything but pixels and their picture."""
    return not name.endswith((".tiff", ".tif", "quick-look.png"))


def _parse(
    contents: dict[str, bytes],
) -> tuple[dict[str, tuple[str, Annotation]], dict[str, Radiometry]]:
    """File stem and annotation of each image by polarisation, and its radiometry."""
    annotations, radiometry = {}, {}
    for name, content in contents.items():
        path = PurePosixPath(name)
        if path.parts[:-1] != ("annotation",) or path.suffix != ".xml":
            continue
        annotation = parse_annotation(content)
        tables = [
            contents.get(f"annotation/calibration/{kind}-{path.name}")
            for kind in ("calibration", "noise")
        ]
        if tables[0] is None or tables[1] is None:
            raise ValueError(f"no calibration or noise file for {name}")
        annotations[annotation.polarization.lower()] = (path.stem, annotation)
        radiometry[annotation.polarization] = parse_radiometry(tables[0], tables[1])
    return annotations, radiometry


def _co_first(polarizations: Iterable[str]) -> list[str]:
    """Polarisations in lower case, the co-polarised one first."""
    return sorted(polarizations, key=lambda name: name in {"vh", "hv"})


def _mode_name(annotation: Annotation) -> str:
    """Mode of an image; any stripmap beam counts as SM."""
    return annotation.mode if annotation.mode in MODES else "SM"


def _valid(frame: RadarFrame, radiometry: Sequence[Radiometry]) -> NDArray[np.int32]:
    """Return valid samples of each line: ragged edges, within those with a noise estimate."""
    valid = valid_samples(frame.lines, frame.samples, ragged_start=True, ragged_stop=True)
    line = np.arange(frame.lines)
    for item in radiometry:
        known = _known_noise(item.noise, frame.samples)
        before = np.searchsorted(item.noise.line, line, side="right") - 1
        for near in (np.maximum(before, 0), np.minimum(before + 1, len(known) - 1)):
            valid[:, 0] = np.maximum(valid[:, 0], known[near, 0])
            valid[:, 1] = np.minimum(valid[:, 1], known[near, 1])
    return valid


def _known_noise(noise: Table, samples: int) -> NDArray[np.int32]:
    """First and last sample with a noise estimate of each vector; all where none has any.

    Swaths that start late, and what lies beyond the far edge, have zeros.
    """
    everywhere = 0, samples - 1
    spans = []
    for sample, value in zip(noise.sample, noise.value, strict=True):
        known = sample[value > 0]
        spans.append((known[0], known[-1]) if known.size else everywhere)
    return np.array(spans, np.int32)


def _refresh(manifest: bytes, files: Sequence[ProductFile]) -> bytes:
    """State the size and checksum of the files that were made."""
    text = manifest.decode()
    for file in files:
        pattern = (
            r'size="\d+">(\s*<fileLocation locatorType="URL" href="\./'
            + re.escape(file.path)
            + r'"/>\s*<checksum checksumName="MD5">)[0-9a-f]+'
        )
        text = re.sub(pattern, rf'size="{file.size}">\g<1>{file.md5}', text)
    return text.encode()
