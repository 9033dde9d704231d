"""What the files of a pair say of themselves: tags, numbers of the geometry, STAC item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from algorithms.geodesy import ecef_to_geodetic, geodetic_to_ecef
from algorithms.interferometry.cells import Looks
from algorithms.interferometry.displacement import height_of_ambiguity
from algorithms.interferometry.geometry import baseline_at, ground_at, zero_doppler_of
from algorithms.interferometry.model import RadarFrame
from peps_wps.chains.contract import Json
from peps_wps.chains.interferometry.facts import PairFacts, SceneFacts
from peps_wps.chains.interferometry.map_grid import MapGrid
from peps_wps.chains.interferometry.mapping import Layer
from peps_wps.writers import stac
from peps_wps.writers.naming import ORBIT_DIRECTION

_EXTENSIONS = ("sar/v1.0.0", "sat/v1.0.0")

SIGNS = {
    "phase": (
        "arg(reference conj(secondary)), flat Earth and relief taken off: it grows where the "
        "ground moves away from the satellite"
    ),
    "displacement": (
        "metres from the reference to the secondary along the line of sight, positive towards the "
        "satellite: minus wavelength over 4 pi times the unwrapped phase"
    ),
    "vertical": "metres, positive up, if all movement is vertical: displacement / cos(incidence)",
    "los": "unit vector from the ground to the satellite: east, north, up",
    "perpendicular_baseline_m": "positive where higher ground has a larger phase",
}


def geometry_of(frame: RadarFrame, secondary: RadarFrame, height: float) -> Json:
    """Return baseline, incidence and height of ambiguity at the middle of an image.

    Parameters
    ----------
    frame, secondary
        Lines and samples of the reference and of the secondary.
    height
        Of the ground there, metres.
    """
    line, sample = 0.5 * frame.lines, 0.5 * frame.samples
    ground = ground_at(frame, line, sample, height)
    baseline = baseline_at(frame, secondary, ground)
    time, slant_range = zero_doppler_of(frame, ground[np.newaxis])
    look = (frame.orbit_polynomial.position(time)[0] - ground) / float(slant_range[0])
    longitude, latitude, _ = ecef_to_geodetic(ground)
    above = geodetic_to_ecef(longitude, latitude, height + 1.0)
    incidence = float(np.arccos(np.clip(np.dot(look, above - ground), -1.0, 1.0)))
    across = float(baseline.perpendicular)
    ambiguity = height_of_ambiguity(frame.wavelength, float(slant_range[0]), incidence, across)
    return {
        "perpendicular_baseline_m": round(across, 2),
        "parallel_baseline_m": round(float(baseline.parallel), 2),
        "height_of_ambiguity_m": round(ambiguity, 2) if np.isfinite(ambiguity) else None,
        "incidence_deg": round(float(np.degrees(incidence)), 3),
        "wavelength_m": round(frame.wavelength, 8),
    }


def scene_document(scene: SceneFacts) -> Json:
    """Return what metadata say of a product."""
    return {
        "product": scene.title,
        "start": scene.start,
        "orbit_number": scene.orbit_number,
        "orbit_file": scene.orbit,
        "orbit_kind": scene.orbit_kind,
        "processor": scene.processor,
    }


def lineage(facts: PairFacts, done: str) -> str:
    """Return one sentence about how a result was made."""
    return (
        f"{facts.reference.title} and {facts.secondary.title}, {facts.polarization}: {done}; "
        f"orbits {facts.reference.orbit_kind} and {facts.secondary.orbit_kind}"
    )


def tags_of(facts: PairFacts, target: MapGrid, sentence: str, dem: str) -> dict[str, str]:
    """Return the tags of all GeoTIFFs of a pair."""
    tags = {
        "ACQUISITION_DATETIME": _instant(facts.reference.time),
        "ACQUISITION_DATETIME_1": _instant(facts.reference.time),
        "ACQUISITION_DATETIME_2": _instant(facts.secondary.time),
        "DEM_INFO": dem,
        "FLYING_UNIT_CODE": facts.reference.platform.lower(),
        "INPUT_S1_IMAGES": ", ".join((*facts.reference.titles, *facts.secondary.titles)),
        "ORBIT_DIRECTION": ORBIT_DIRECTION[facts.orbit_direction],
        "ORBIT_SOURCE": f"{facts.reference.orbit}, {facts.secondary.orbit}",
        "POLARIZATION": facts.polarization.lower(),
        "RELATIVE_ORBIT_NUMBER": f"{facts.relative_orbit:03d}",
        "SPATIAL_RESOLUTION": f"{target.resolution:.1f}",
        "TIFFTAG_IMAGEDESCRIPTION": sentence,
        "TIFFTAG_SOFTWARE": f"PEPS {version('peps')}",
    }
    return tags | ({"S2_TILE_CORRESPONDING_CODE": target.tile} if target.tile else {})


def layer_asset(layer: Layer, path: Path, target: MapGrid, polarization: str) -> stac.Asset:
    """Return the file of a layer as an asset."""
    raster = stac.Raster(layer.dtype, layer.nodata, target.resolution, unit=layer.unit)
    return stac.Asset(
        path.name,
        stac.COG,
        layer.title,
        ("data",),
        path.stat().st_size,
        (polarization,),
        raster,
    )


def file_asset(path: Path, title: str, role: str, media_type: str) -> stac.Asset:
    """Return another file as an asset."""
    return stac.Asset(path.name, media_type, title, (role,), path.stat().st_size)


@dataclass(frozen=True)
class PairMaking:
    """What an item says of how its files were made.

    Parameters
    ----------
    title, sentence
        For people: what it is, and how it was made.
    product_type
        Of the extension sar: what kind of image.
    looks
        Of a cell.
    further
        Ends as properties ``peps:<name>``.
    """

    title: str
    sentence: str
    product_type: str
    looks: Looks
    further: Json


def pair_item(
    identifier: str,
    facts: PairFacts,
    target: MapGrid,
    making: PairMaking,
    assets: Mapping[str, stac.Asset],
) -> Json:
    """Return the STAC item of a result of a pair.

    Parameters
    ----------
    identifier
        The stem of its files.
    facts, target, making
        Its products, its grid, and what was done.
    assets
        By key.
    """
    first, last = sorted(facts.scenes, key=lambda scene: scene.start)
    polarizations = list(
        dict.fromkeys(name for asset in assets.values() for name in asset.polarizations)
    )
    properties = {
        "title": making.title,
        "datetime": stac.instant_text(facts.secondary.time),
        "start_datetime": stac.instant_text(first.time),
        "end_datetime": stac.instant_text(last.end),
        **stac.made(datetime.now(UTC), making.sentence, version("peps")),
        **radar_properties(facts, polarizations or [facts.polarization], making.looks),
        "sar:product_type": making.product_type,
        "gsd": target.resolution,
        **stac.gridded(grid_of(target)),
        "peps:input_products": [title for scene in facts.scenes for title in scene.titles],
        "peps:orbit": [scene.orbit for scene in facts.scenes],
        "peps:days": facts.days,
        **{f"peps:{name}": value for name, value in making.further.items()},
    }
    return stac.item_on(
        grid_of(target),
        facts.shown,
        identifier,
        extensions=_EXTENSIONS,
        properties=properties,
        assets=assets,
    )


def radar_properties(facts: PairFacts, polarizations: Sequence[str], looks: Looks) -> Json:
    """Return what an item says of the radar that saw a pair, and of its cells."""
    return {
        **stac.seen_by_radar(
            facts.reference.platform,
            facts.mode,
            polarizations,
            orbit_direction=facts.orbit_direction,
            relative_orbit=facts.relative_orbit,
        ),
        "sar:looks_range": looks.range,
        "sar:looks_azimuth": looks.azimuth,
    }


def grid_of(target: MapGrid) -> stac.Grid:
    """Return a map as items have it."""
    return stac.Grid(target.tile, target.epsg, target.transform, target.shape)


def _instant(instant: datetime) -> str:
    return f"{instant:%Y:%m:%dT%H:%M:%SZ}"
