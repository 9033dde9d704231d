"""Write Sentinel-1 GRD products with known truth: SAFE folder or archive, and truth beside it."""

import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simulator.acquisition import Acquisition, Order, plan
from simulator.annotation import Annotation, Radiometry, parse_annotation, parse_radiometry
from simulator.geometry import RadarFrame, frame_of
from simulator.lut_xml import calibration_xml, noise_xml
from simulator.manifest import ProductFile, image_stem, manifest_xml, product_title
from simulator.measurement import MeasurementFile, QuickLook
from simulator.orbit_file import write_orbit_file
from simulator.pixels import Scene, strips, valid_samples
from simulator.product_xml import Image, annotation_xml
from simulator.raycast import RayCast, cast
from simulator.terrain import Terrain
from simulator.truth import NO_TRUTH, Truth, describe, place_truth

Float64 = NDArray[np.float64]
Packing = Literal["folder", "stored", "deflated"]


@dataclass(frozen=True)
class Options:
    """How to write the products of a pass.

    Parameters
    ----------
    polarizations
        One or two, the co-polarised first.
    seed
        Of scenery, truth and speckle.
    speckle
        Whether to multiply by speckle.
    degrade_orbit_m
        Along and across track shift of the state vectors that the annotation states.
    packing
        A SAFE folder, or a zip of it with stored or deflated members.
    threads
        Strips made at once.
    ray_cast
        Whether the scene is ground of uniform gamma0 seen by rays, for steep relief, in place of
        scenery with targets and patches; `<title>.masks.npz` then says where layover and shadow
        are, in radar geometry.
    speckle_seed
        Of the speckle alone: other dates of one scenery.
    """

    polarizations: tuple[str, ...] = ("VV", "VH")
    seed: int = 1
    speckle: bool = True
    degrade_orbit_m: tuple[float, float] = (0.0, 0.0)
    packing: Packing = "folder"
    threads: int = 2
    ray_cast: bool = False
    speckle_seed: int | None = None


def write_pass(
    folder: Path, order: Order, terrain: Terrain, options: Options | None = None
) -> list[Path]:
    """Simulate a pass and write a product, with its truth beside it, for each frame.

    Parameters
    ----------
    folder
        Where to write; made when missing.
    order
        What to acquire.
    terrain
        The relief.
    options
        How to write.

    Returns
    -------
    The products, in the order of acquisition; `<title>.truth.json` lies beside each, and a good
    orbit file in `orbits` when the annotation's vectors are degraded.
    """
    options = options or Options()
    acquisition = plan(order, terrain)
    truth = NO_TRUTH
    if not options.ray_cast:
        rng = np.random.default_rng(options.seed)
        truth = place_truth(acquisition.frames, terrain, rng)
    if any(options.degrade_orbit_m):
        trajectory = acquisition.precise_trajectory()
        write_orbit_file(folder / "orbits", order.satellite, acquisition.epoch, trajectory)
    return [
        _write_frame(folder, acquisition, number, (terrain, truth), options)
        for number in range(len(acquisition.frames))
    ]


def _write_frame(
    folder: Path,
    acquisition: Acquisition,
    number: int,
    ground: tuple[Terrain, Truth],
    options: Options,
) -> Path:
    """Write one product and its truth."""
    terrain, truth = ground
    order, planned = acquisition.order, acquisition.frames[number]
    images = [
        Image(acquisition, _stated_frame(order, planned, options), polarization, place + 1)
        for place, polarization in enumerate(options.polarizations)
    ]
    partial = folder / f".frame-{number}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    files = [file for image in images for file in _write_metadata(partial, image, terrain)]
    annotation, radiometry = read_metadata(partial)
    frame = frame_of(
        annotation,
        planned.trajectory if any(options.degrade_orbit_m) else None,
        bistatic=order.bistatic,
        range_rule=order.range_rule,
    )
    scene, seen = _scene(acquisition, number, frame, ground, options)
    stems = {image.polarization: image_stem(image) for image in images}
    files += write_pixels(partial, stems, (frame, annotation, radiometry), scene, options)
    manifest = manifest_xml(images, files, terrain)
    (partial / "manifest.safe").write_bytes(manifest)
    title = product_title(images[0], options.polarizations, manifest)
    known = describe(truth, frame, options.polarizations)
    known |= {"product": title, "options": _stated_options(order, options)}
    if seen is not None:
        known["uniform_gamma0"] = scene.uniform_gamma0
        np.savez_compressed(folder / f"{title}.masks.npz", layover=seen.layover, shadow=seen.shadow)
    return publish(partial, folder, title, known, options.packing)


def _stated_frame(order: Order, planned: RadarFrame, options: Options) -> RadarFrame:
    """Frame as the processor knows it: nearest record, bistatic term, maybe degraded vectors."""
    return replace(
        planned,
        range_rule="nearest",
        bulk_delay=order.mode.bulk_delay,
        trajectory=planned.trajectory.shifted(*options.degrade_orbit_m),
    )


def _scene(
    acquisition: Acquisition,
    number: int,
    frame: RadarFrame,
    ground: tuple[Terrain, Truth],
    options: Options,
) -> tuple[Scene, RayCast | None]:
    """Return what a frame sees, and what rays found when they are cast."""
    terrain, truth = ground
    mode, last = acquisition.order.mode, len(acquisition.frames) - 1
    seen = cast(frame, terrain, threads=options.threads) if options.ray_cast else None
    scene = Scene(
        terrain,
        truth.discs(),
        truth.targets(frame),
        mode.looks if options.speckle else 0.0,
        options.seed,
        number * frame.lines,
        valid_samples(
            frame.lines, frame.samples, ragged_start=number == 0, ragged_stop=number == last
        ),
        acquisition.order.processor.clean_border,
        seen.beta0 if seen else None,
        speckle_seed=options.speckle_seed,
    )
    return scene, seen


def _write_metadata(partial: Path, image: Image, terrain: Terrain) -> list[ProductFile]:
    """Write annotation, calibration and noise of an image."""
    stem = image_stem(image)
    contents = (
        (f"annotation/{stem}.xml", annotation_xml(image, terrain), "s1Level1ProductSchema"),
        (
            f"annotation/calibration/calibration-{stem}.xml",
            calibration_xml(image, terrain),
            "s1Level1CalibrationSchema",
        ),
        (f"annotation/calibration/noise-{stem}.xml", noise_xml(image), "s1Level1NoiseSchema"),
    )
    (partial / "annotation" / "calibration").mkdir(parents=True, exist_ok=True)
    for path, content, _ in contents:
        (partial / path).write_bytes(content)
    return [ProductFile.of(path, content, role) for path, content, role in contents]


def read_metadata(safe: Path) -> tuple[Annotation, dict[str, Radiometry]]:
    """Annotation of the first image of a product, and the radiometry of each polarisation."""
    annotation: Annotation | None = None
    radiometry = {}
    for path in sorted((safe / "annotation").glob("*.xml"), key=lambda path: path.name[-7:]):
        parsed = parse_annotation(path.read_bytes())
        annotation = annotation or parsed
        tables = safe / "annotation" / "calibration"
        radiometry[parsed.polarization] = parse_radiometry(
            (tables / f"calibration-{path.name}").read_bytes(),
            (tables / f"noise-{path.name}").read_bytes(),
        )
    if annotation is None:
        raise ValueError(f"no annotation in {safe}")
    return annotation, radiometry


def write_pixels(
    partial: Path,
    stems: dict[str, str],
    metadata: tuple[RadarFrame, Annotation, dict[str, Radiometry]],
    scene: Scene,
    options: Options,
) -> list[ProductFile]:
    """Write the measurement file of each polarisation, and the quick-look.

    Parameters
    ----------
    partial
        The unfinished SAFE folder.
    stems
        File name of each polarisation, without extension.
    metadata
        True frame, annotation and radiometry.
    scene
        The ground.
    options
        How to write.
    """
    frame, annotation, radiometry = metadata
    grid = annotation.grid
    tie_points = np.column_stack(
        (
            grid.sample, grid.line, np.zeros(grid.line.size),
            np.degrees(grid.longitude), np.degrees(grid.latitude), grid.height,
        )
    )  # fmt: skip
    shape = frame.lines, frame.samples
    for name in ("measurement", "preview"):
        (partial / name).mkdir(exist_ok=True)
    paths = {name: f"measurement/{stem}.tiff" for name, stem in stems.items()}
    description = f"Sentinel-{annotation.platform[1:]} {annotation.mode} GRD L1"
    outputs = [
        MeasurementFile(partial / paths[name], shape, tie_points, description) for name in stems
    ]
    quick_look = QuickLook(shape)
    chosen = {name: radiometry[name] for name in stems}
    for strip in strips(frame, scene, chosen, threads=options.threads):
        for output, image in zip(outputs, strip, strict=True):
            output.append(image)
        quick_look.append(strip)
    files = []
    for output, path in zip(outputs, paths.values(), strict=True):
        output.close()
        files.append(ProductFile(path, output.size, output.md5, "s1Level1MeasurementSchema"))
    picture = quick_look.png()
    (partial / "preview" / "quick-look.png").write_bytes(picture)
    files.append(ProductFile.of("preview/quick-look.png", picture, "s1Level1QuickLookSchema"))
    return files


def publish(
    partial: Path, folder: Path, title: str, known: dict[str, Any], packing: Packing
) -> Path:
    """Give a finished product its name and its packing, and write its truth."""
    (folder / f"{title}.truth.json").write_text(json.dumps(known, indent=1))
    safe = folder / f"{title}.SAFE"
    shutil.rmtree(safe, ignore_errors=True)
    partial.rename(safe)
    if packing == "folder":
        return safe
    archive = folder / f"{title}.zip"
    _pack(safe, archive, zipfile.ZIP_STORED if packing == "stored" else zipfile.ZIP_DEFLATED)
    shutil.rmtree(safe)
    return archive


def _pack(safe: Path, archive: Path, compression: int) -> None:
    """Zip a SAFE folder."""
    hidden = archive.with_name(f".{archive.name}.partial")
    with zipfile.ZipFile(hidden, "w", compression, compresslevel=1) as packed:
        for path in (safe, *sorted(safe.rglob("*"))):
            packed.write(path, path.relative_to(safe.parent))
    hidden.rename(archive)


def _stated_options(order: Order, options: Options) -> dict[str, Any]:
    """Options that a reader of the truth may need."""
    return asdict(options) | {
        "mode": order.mode.name,
        "processor": order.processor.version,
        "ascending": order.ascending,
        "bistatic": order.bistatic,
        "range_rule": order.range_rule,
    }


def footprint_bounds(
    frames: Sequence[RadarFrame], terrain: Terrain, *, margin_deg: float = 0.05
) -> tuple[float, float, float, float]:
    """West, south, east, north of the ground under some frames, degrees, for its relief model.

    East is beyond 180 when the frames cross the antimeridian.
    """
    line = np.linspace(0, frames[0].lines - 1, 9)
    sample = np.linspace(0, frames[0].samples - 1, 9)
    places = np.concatenate([frame.ground(line, sample, terrain) for frame in frames])
    east, _ = terrain.plane(places[..., 0], places[..., 1])
    per_longitude = terrain.frame[2]
    longitude = np.degrees(terrain.longitude + east / per_longitude)
    latitude = np.degrees(places[..., 1])
    return (
        float(longitude.min()) - margin_deg,
        float(latitude.min()) - margin_deg,
        float(longitude.max()) + margin_deg,
        float(latitude.max()) + margin_deg,
    )
