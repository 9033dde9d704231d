"""Tags of the registered bands and the STAC item beside them."""

from collections.abc import Mapping
from pathlib import Path

from peps_wps.chains.contract import Json
from peps_wps.chains.optical import results
from peps_wps.chains.optical.grid import SceneGrid
from peps_wps.chains.registration_s2.bands import RegisteredBand, corrected_transform
from peps_wps.chains.registration_s2.match import Match
from peps_wps.chains.registration_s2.order import Order
from peps_wps.writers import stac

VRT = "application/x-gdal-vrt"
_PICTURES = {
    "residuals": "Errors before and after",
    "vectors": "Displacements before and after, metres",
    "difference": "Difference to the reference before and after",
}


def tags_of(match: Match, order: Order) -> dict[str, str]:
    """Return the tags of the GeoTIFFs."""
    tags = results.tags_of(match.pair.secondary, "digital numbers", _lineage(match, order))
    return {**tags, "REGISTERED_ON": match.pair.reference.product.title}


def _lineage(match: Match, order: Order) -> str:
    applied = (
        "resampled once by cubic B-splines"
        if order.apply == "resample"
        else "its pixels as they are, their geotransform corrected"
    )
    return (
        f"{match.pair.secondary.product.title} registered on "
        f"{match.pair.reference.product.title} by {match.registration.tie_points.used} tie points "
        f"of {match.band}, model {match.registration.model.kind}; {applied}"
    )


def item_of(
    folder: Path,
    stem: str,
    match: Match,
    order: Order,
    bands: Mapping[str, RegisteredBand],
    pictures: Mapping[str, str],
    report: Json,
) -> Json:
    """Return the item of a registered product; its grid is that of its finest band."""
    assets = {name: _band_asset(name, band, match) for name, band in bands.items()}
    for kind, name in pictures.items():
        role = "thumbnail" if kind == "difference" else "overview"
        assets[kind] = results.asset_of(folder / name, _PICTURES[kind], role, media_type=stac.PNG)
    assets["tie_points"] = results.asset_of(
        folder / f"{stem}_tie_points.geojson",
        "Tie points",
        "metadata",
        media_type="application/geo+json",
    )
    assets["report"] = results.asset_of(
        folder / f"{stem}_report.json", "Report", "metadata", media_type="application/json"
    )
    return results.item_of(
        match.pair.secondary,
        stem,
        _finest_grid(match, bands),
        title=f"Sentinel-2 on tile {results.tile_of(match.pair.reference)}, registered",
        lineage=_lineage(match, order),
        assets=assets,
        further={
            name: report[name]
            for name in ("reference", "model", "shift_m", "rmse_m", "ce90_m", "ssim")
        },
    )


def _band_asset(name: str, band: RegisteredBand, match: Match) -> stac.Asset:
    radiometry = match.pair.secondary.radiometry
    scale = 1.0 / radiometry.quantification
    raster = stac.Raster(
        "uint16", 0.0, float(band.resolution), scale, radiometry.offsets[name] * scale
    )
    media_type = VRT if band.grid is None else stac.COG
    title = f"{name}, digital numbers"
    return results.asset_of(band.path, title, "data", raster=raster, media_type=media_type)


def _finest_grid(match: Match, bands: Mapping[str, RegisteredBand]) -> SceneGrid:
    """Return the grid of the finest band: the reference's, or the product's own, corrected."""
    finest = min(bands.values(), key=lambda band: band.resolution)
    if finest.grid is not None:
        return finest.grid
    geometry = match.pair.secondary.geometry
    return SceneGrid(
        geometry.epsg,
        finest.resolution,
        0,
        0,
        geometry.shapes[finest.resolution],
        corrected_transform(match, finest.resolution),
    )
