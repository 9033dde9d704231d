"""What is told of a registration: figures, tie points and pictures."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from peps_wps.chains.contract import Json
from peps_wps.chains.registration_s2.bands import corrected_transform
from peps_wps.chains.registration_s2.match import Match
from peps_wps.writers.publish import published

Float64 = NDArray[np.float64]

_DEGREES = 7  # decimals: a centimetre
_SMALL_EXTENT = 0.25
_FELL = 0.005  # of similarity: less is the smoothing of any interpolation


def report_of(match: Match) -> Json:
    """Return what a registration is worth, as JSON."""
    found, metres = match.registration, match.resolution
    shift, alike = found.shift, match.similarity
    return {
        "reference": match.pair.reference.product.title,
        "product": match.pair.secondary.product.title,
        "band": match.band,
        "model": found.model.kind,
        "shift_px": {"dx": _rounded(shift.dx), "dy": _rounded(shift.dy)},
        "shift_m": {"east": _rounded(metres * shift.dx), "north": _rounded(-metres * shift.dy)},
        "function": _function(match),
        "geotransform": _geotransforms(match),
        "tie_points": _counts(match),
        **_errors(match),
        "model_error_px": _rounded(found.error),
        "ssim": None
        if alike is None
        else {"before": _rounded(alike.before), "after": _rounded(alike.after)},
        "criteria": {kind: round(value, 1) for kind, value in found.criteria.items()},
        "refused_models": dict(found.refused),
        "remarks": _remarks(match),
    }


def _counts(match: Match) -> Json:
    found = match.registration
    places = found.places
    return {
        "places": places.all,
        "without_data": places.empty,
        "under_clouds": places.clouded,
        "found": len(found.tie_points),
        "used": found.tie_points.used,
        "enclosed_percent": round(100.0 * found.extent, 1),
    }


def _errors(match: Match) -> Json:
    """Return the errors of the tie points used, before and after."""
    points = match.registration.tie_points
    used = points.is_used
    lengths = {
        "before": np.hypot(points.dy, points.dx)[used],
        "after": np.hypot(points.residual_y, points.residual_x)[used],
    }
    return {
        f"{name}_{unit}": {when: figure(size * length) for when, length in lengths.items()}
        for name, figure in (("rmse", _rms), ("ce90", _ce90))
        for unit, size in (("px", 1.0), ("m", float(match.resolution)))
    }


def _rounded(value: float) -> float:
    return round(float(value), 5)


def _rms(length: Float64) -> float:
    return _rounded(float(np.sqrt(np.mean(length**2))))


def _ce90(length: Float64) -> float:
    """Return the radius of the circle that holds nine of ten."""
    return _rounded(float(np.percentile(length, 90)))


def _function(match: Match) -> Json:
    """Return the model over the map, metres."""
    model, metres = match.registration.model, match.resolution
    row, column = model.centre
    easting, northing = match.pair.grids[0].transform @ (column + 0.5, row + 0.5)
    terms = ("1", "s", "e", "s s", "s e", "e e")
    return {
        "e": f"(easting - {easting:.3f}) / {metres * model.span:.3f}",
        "s": f"({northing:.3f} - northing) / {metres * model.span:.3f}",
        "terms": list(terms[: len(model.dx)]),
        "east_m": [round(metres * value, 6) for value in model.dx],
        "north_m": [round(-metres * value, 6) for value in model.dy],
    }


def _geotransforms(match: Match) -> Json | None:
    """Return the corrected geotransforms of a product by resolution, None of a polynomial."""
    if match.registration.model.kind == "polynomial":
        return None
    return {
        str(resolution): list(corrected_transform(match, resolution).to_gdal())
        for resolution in match.pair.reference.geometry.transforms
    }


def _remarks(match: Match) -> list[str]:
    """Say what is to be kept in mind."""
    remarks = []
    first, second = (scene.product for scene in match.pair.scenes)
    if first.relative_orbit != second.relative_orbit:
        remarks.append(
            f"seen from relative orbits {first.relative_orbit} and {second.relative_orbit}: errors "
            "of the height model stay between the images"
        )
    if first.level != second.level:
        remarks.append(f"of levels {first.level} and {second.level}")
    alike = match.similarity
    if alike is not None and alike.after < alike.before - _FELL:
        remarks.append("the images are less alike after the registration than before it")
    extent = match.registration.extent
    if extent < _SMALL_EXTENT:
        remarks.append(
            f"the tie points enclose {100.0 * extent:.0f} percent of the ground: elsewhere nothing "
            "confirms the shift"
        )
    points = match.registration.tie_points
    rejected = len(points) - points.used
    if rejected > 0.2 * len(points):
        remarks.append(
            f"{rejected} of {len(points)} tie points contradict the model: ground that moves, "
            "relief, or repeated patterns"
        )
    return remarks


def features(match: Match) -> Iterator[Json]:
    """Yield the tie points as features of GeoJSON, WGS 84 longitude and latitude (RFC 7946)."""
    grid, metres = match.pair.grids[0], match.resolution
    points = match.registration.tie_points
    transform = grid.transform
    easting = transform.c + transform.a * (points.column + 0.5)
    northing = transform.f + transform.e * (points.row + 0.5)
    to_degrees = Transformer.from_crs(grid.epsg, 4326, always_xy=True)
    longitude, latitude = to_degrees.transform(easting, northing)
    columns = {
        "row": points.row + grid.row,
        "column": points.column + grid.column,
        "dx_px": points.dx,
        "dy_px": points.dy,
        "east_m": metres * points.dx,
        "north_m": -metres * points.dy,
        "correlation": points.correlation,
        "sigma_px": points.sigma,
        "residual_dx_px": points.residual_x,
        "residual_dy_px": points.residual_y,
        "residual_east_m": metres * points.residual_x,
        "residual_north_m": -metres * points.residual_y,
    }
    title = match.pair.secondary.product.title
    for index in range(len(points)):
        place = [round(float(longitude[index]), _DEGREES), round(float(latitude[index]), _DEGREES)]
        yield {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": place},
            "properties": {
                "product": title,
                "is_used": bool(points.is_used[index]),
                **{name: round(float(values[index]), 4) for name, values in columns.items()},
            },
        }


def write_features(path: Path, collection: Iterator[Json]) -> None:
    """Write features as a collection, one a line."""
    with published(path) as stream:
        stream.write(b'{"type": "FeatureCollection", "features": [')
        separator = b"\n"
        for feature in collection:
            stream.write(separator + json.dumps(feature, allow_nan=False).encode())
            separator = b",\n"
        stream.write(b"\n]}\n")


def read_features(path: Path) -> Iterator[Json]:
    """Yield the features that `write_features` wrote."""
    yield from json.loads(path.read_bytes())["features"]
