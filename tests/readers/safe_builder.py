"""Small Sentinel-1 GRD products made by hand, for tests that need to know every number in them."""

import hashlib
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

TITLE = "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8"
START = "2021-08-09T17:39:53.153776"
STOP = "2021-08-09T17:40:18.152800"


@dataclass
class SafeRecipe:
    """What varies between the products; arrays have shape (line, sample)."""

    title: str = TITLE
    product_type: str = "GRD"
    mode: str = "IW"
    ipf: str = "003.31"
    number: str = "A"
    dn: dict[str, NDArray[np.uint16]] = field(default_factory=dict)
    projection: str = "Ground Range"
    calibration: bool = True
    dn_table: float = 474.0
    noise: float | None = 100.0
    footprint: str = "46.0,1.5 46.4,4.8 44.9,5.1 44.5,1.9"
    aws_names: bool = False


def stem(recipe: SafeRecipe, polarization: str) -> str:
    if recipe.aws_names:
        return f"{recipe.mode.lower()}-{polarization.lower()}"
    return f"s1a-{recipe.mode.lower()}-grd-{polarization.lower()}-20210809t173953-001"


def write_folder(recipe: SafeRecipe, parent: Path) -> Path:
    """Write the product as a folder; the measurements are uncompressed strips of one line."""
    root = parent / f"{recipe.title}.SAFE"
    (root / "annotation" / "calibration").mkdir(parents=True)
    (root / "measurement").mkdir()
    (root / "manifest.safe").write_text(manifest(recipe))
    for polarization, dn in recipe.dn.items():
        name = stem(recipe, polarization)
        (root / "annotation" / f"{name}.xml").write_text(annotation(recipe, polarization, dn.shape))
        folder = root / "annotation" / "calibration"
        if recipe.calibration:
            (folder / f"calibration-{name}.xml").write_text(calibration(recipe, dn.shape))
        if recipe.noise is not None:
            (folder / f"noise-{name}.xml").write_text(noise(recipe, dn.shape))
        write_tiff(root / "measurement" / f"{name}.tiff", dn, BLOCKYSIZE=1)
    state_files(root)
    return root


def state_files(root: Path) -> None:
    """Have the manifest state every other file of a folder, as it is now."""
    path = root / "manifest.safe"
    text = re.sub("(?s)<dataObjectSection>.*</dataObjectSection>", "", path.read_text())
    files = sorted(one for one in root.rglob("*") if one.is_file() and one != path)
    objects = "".join(
        f'<dataObject><byteStream size="{one.stat().st_size}">'
        f'<fileLocation href="./{one.relative_to(root)}"/>'
        f'<checksum checksumName="MD5">{hashlib.md5(one.read_bytes()).hexdigest()}</checksum>'
        "</byteStream></dataObject>"
        for one in files
    )
    section = f"<dataObjectSection>{objects}</dataObjectSection>"
    path.write_text(text.replace("</x:XFDU>", f"{section}</x:XFDU>"))


def write_tiff(path: Path, dn: NDArray[np.uint16], **options: object) -> None:
    """Write a TIFF as GDAL does, with a transform so that it is not warned about."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=dn.shape[0],
        width=dn.shape[1],
        count=1,
        dtype=dn.dtype,
        transform=rasterio.Affine(10, 0, 0, 0, -10, 0),
        **options,
    ) as dataset:
        dataset.write(dn, 1)


def zip_folder(root: Path, path: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, f"{root.name}/{file.relative_to(root)}")
    return path


def manifest(recipe: SafeRecipe) -> str:
    polarizations = "".join(
        f"<p:transmitterReceiverPolarisation>{p}</p:transmitterReceiverPolarisation>"
        for p in recipe.dn or {"VV": None, "VH": None}
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<x:XFDU xmlns:x="urn:ccsds:schema:xfdu:1" xmlns:safe="http://www.esa.int/safe/sentinel-1.0"
 xmlns:s1="http://www.esa.int/safe/sentinel-1.0/sentinel-1"
 xmlns:p="http://www.esa.int/safe/sentinel-1.0/sentinel-1/sar/level-1"
 xmlns:gml="http://www.opengis.net/gml">
<safe:processing><safe:facility>
<safe:software name="Sentinel-1 IPF" version="{recipe.ipf}"/></safe:facility></safe:processing>
<safe:platform><safe:familyName>SENTINEL-1</safe:familyName><safe:number>{recipe.number}</safe:number>
<p:instrumentMode><p:mode>{recipe.mode}</p:mode><p:swath>{recipe.mode}</p:swath></p:instrumentMode>
</safe:platform>
<safe:orbitReference><safe:orbitNumber type="start">39156</safe:orbitNumber>
<safe:relativeOrbitNumber type="start">59</safe:relativeOrbitNumber>
<safe:cycleNumber>238</safe:cycleNumber>
<s1:orbitProperties><s1:pass>ASCENDING</s1:pass></s1:orbitProperties></safe:orbitReference>
<p:standAlone><p:missionDataTakeID>302867</p:missionDataTakeID>{polarizations}
<p:productType>{recipe.product_type}</p:productType></p:standAlone>
<safe:acquisitionPeriod><safe:startTime>{START}</safe:startTime>
<safe:stopTime>{STOP}</safe:stopTime></safe:acquisitionPeriod>
<safe:footPrint><gml:coordinates>{recipe.footprint}</gml:coordinates></safe:footPrint>
</x:XFDU>"""


def annotation(recipe: SafeRecipe, polarization: str, shape: tuple[int, ...]) -> str:
    orbits = "".join(
        f"<orbit><time>2021-08-09T17:{39 + second // 60}:{second % 60:02d}.000000</time>"
        "<frame>Earth Fixed</frame>"
        f"<position><x>{7.0e6 - second}</x><y>{1.0e3 + second}</y>"
        f"<z>{second * 7500.0}</z></position>"
        "<velocity><x>-1.0</x><y>1.0</y><z>7500.0</z></velocity></orbit>"
        for second in range(0, 100, 10)
    )
    points = "".join(
        f"<geolocationGridPoint><azimuthTime>{START}</azimuthTime>"
        f"<slantRangeTime>5.3e-03</slantRangeTime><line>{line}</line><pixel>{pixel}</pixel>"
        "<latitude>45.0</latitude><longitude>3.0</longitude><height>100.0</height>"
        "<incidenceAngle>30.0</incidenceAngle></geolocationGridPoint>"
        for line in (0, shape[0] - 1)
        for pixel in (0, shape[1] // 2, shape[1] - 1)
    )
    return f"""<product><adsHeader><polarisation>{polarization}</polarisation></adsHeader>
<generalAnnotation><productInformation><projection>{recipe.projection}</projection>
</productInformation><orbitList>{orbits}</orbitList></generalAnnotation>
<imageAnnotation><imageInformation>
<productFirstLineUtcTime>{START}</productFirstLineUtcTime>
<azimuthTimeInterval>1.5e-03</azimuthTimeInterval><rangePixelSpacing>1.0e+01</rangePixelSpacing>
<numberOfSamples>{shape[1]}</numberOfSamples><numberOfLines>{shape[0]}</numberOfLines>
</imageInformation></imageAnnotation>
<coordinateConversion><coordinateConversionList><coordinateConversion>
<azimuthTime>{START}</azimuthTime><sr0>8.0e+05</sr0><srgrCoefficients count="2">0.0 2.0
</srgrCoefficients><gr0>0.0</gr0><grsrCoefficients count="3">8.0e5 0.5 1e-7</grsrCoefficients>
</coordinateConversion></coordinateConversionList></coordinateConversion>
<geolocationGrid><geolocationGridPointList>{points}</geolocationGridPointList></geolocationGrid>
</product>"""


def calibration(recipe: SafeRecipe, shape: tuple[int, ...]) -> str:
    vectors = "".join(
        f'<calibrationVector><line>{line}</line><pixel count="2">0 {shape[1] - 1}</pixel>'
        '<sigmaNought count="2">600 500</sigmaNought><betaNought count="2">474 474</betaNought>'
        f'<gamma count="2">{550 + line} 450</gamma>'
        f'<dn count="2">{recipe.dn_table} {recipe.dn_table}</dn></calibrationVector>'
        for line in (-1, shape[0])
    )
    return f"""<calibration><calibrationVectorList>{vectors}
</calibrationVectorList></calibration>"""


def noise(recipe: SafeRecipe, shape: tuple[int, ...]) -> str:
    lines, samples = shape
    if recipe.ipf < "002.90":
        return f"""<noise><noiseVectorList><noiseVector><line>0</line>
<pixel count="2">0 {samples - 1}</pixel><noiseLut count="2">{recipe.noise} {recipe.noise}</noiseLut>
</noiseVector></noiseVectorList></noise>"""
    return f"""<noise><noiseRangeVectorList><noiseRangeVector><line>0</line>
<pixel count="2">0 {samples - 1}</pixel>
<noiseRangeLut count="2">{recipe.noise} {recipe.noise}</noiseRangeLut></noiseRangeVector>
</noiseRangeVectorList><noiseAzimuthVectorList><noiseAzimuthVector><swath>IW1</swath>
<firstAzimuthLine>0</firstAzimuthLine><firstRangeSample>0</firstRangeSample>
<lastAzimuthLine>{lines - 1}</lastAzimuthLine><lastRangeSample>{samples - 1}</lastRangeSample>
<line count="2">0 {lines - 1}</line><noiseAzimuthLut count="2">1.0 1.1</noiseAzimuthLut>
</noiseAzimuthVector></noiseAzimuthVectorList></noise>"""
