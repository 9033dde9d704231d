"""Manifest of a SAFE product, and the names of the product and its files."""

import hashlib
from binascii import crc_hqx
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from simulator.instrument import Satellite
from simulator.product_xml import Image, utc_text
from simulator.terrain import Terrain

NAMESPACES = (
    'xmlns:xfdu="urn:ccsds:schema:xfdu:1" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:safe="http://www.esa.int/safe/sentinel-1.0" '
    'xmlns:s1="http://www.esa.int/safe/sentinel-1.0/sentinel-1" '
    'xmlns:s1sar="http://www.esa.int/safe/sentinel-1.0/sentinel-1/sar" '
    'xmlns:s1sarl1="http://www.esa.int/safe/sentinel-1.0/sentinel-1/sar/level-1"'
)
POLARIZATION_CODES = {
    ("VV",): "SV",
    ("HH",): "SH",
    ("VH",): "VH",
    ("HV",): "HV",
    ("VV", "VH"): "DV",
    ("HH", "HV"): "DH",
}


@dataclass(frozen=True)
class ProductFile:
    """A file of a product: its path inside, size in bytes, checksum and role in the manifest."""

    path: str
    size: int
    md5: str
    role: str

    @classmethod
    def of(cls, path: str, content: bytes, role: str) -> "ProductFile":
        """Describe a file from its content."""
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return cls(path, len(content), digest, role)


def image_stem(image: Image) -> str:
    """Name of the files of one image, without prefix and extension."""
    acquisition = image.acquisition
    return (
        f"{acquisition.satellite.name}-{acquisition.order.mode.beam}-grd-{image.polarization}-"
        f"{image.start:%Y%m%dT%H%M%S}-{image.stop:%Y%m%dT%H%M%S}-"
        f"{acquisition.absolute_orbit:06d}-{acquisition.datatake:06x}-{image.number:03d}"
    ).lower()


def product_title(image: Image, polarizations: Sequence[str], manifest: bytes) -> str:
    """Title of a product, closed by the CRC-16 of its manifest, as ESA's are."""
    acquisition = image.acquisition
    mode = acquisition.order.mode
    return (
        f"{acquisition.satellite.name}_{mode.beam}_{mode.product_type}_1S"
        f"{POLARIZATION_CODES[tuple(polarizations)]}_"
        f"{image.start:%Y%m%dT%H%M%S}_{image.stop:%Y%m%dT%H%M%S}_"
        f"{acquisition.absolute_orbit:06d}_{acquisition.datatake:06X}_"
        f"{crc_hqx(manifest, 0xFFFF):04X}"
    )


def manifest_xml(images: Sequence[Image], files: Sequence[ProductFile], terrain: Terrain) -> bytes:
    """Manifest of the product that holds some images of one frame."""
    image = images[0]
    acquisition = image.acquisition
    mode, satellite = acquisition.order.mode, acquisition.satellite
    absolute = acquisition.absolute_orbit
    node = acquisition.utc(acquisition.orbit.node_time)
    kind = "d" if len(images) == 2 else "s"
    parts = {
        "processing": processing_xml(
            "GRD Post Processing", acquisition.order.processor.version, image.stop
        ),
        "platform": platform_xml(satellite, mode.name, [mode.beam]),
        "measurementOrbitReference": orbit_reference_xml(
            (absolute, satellite.relative_orbit(absolute)),
            node,
            ascending=acquisition.order.ascending,
        ),
        "generalProductInformation": information_xml(
            acquisition.datatake,
            [item.polarization for item in images],
            "GRD",
            (image.slice_number, len(acquisition.frames)),
        ),
        "acquisitionPeriod": period_xml(image.start, image.stop, node),
        "measurementFrameSet": frame_set_xml(_corners(image, terrain)),
    }
    return package_xml(
        f"grd/standard/{mode.name.lower()}{kind}p", f"{mode.name} Level-1 GRD", parts, files
    )


def package_xml(
    version: str, text: str, parts: Mapping[str, str], files: Sequence[ProductFile]
) -> bytes:
    """Manifest of any product of Sentinel-1: metadata objects by their name, and files."""
    objects = "".join(
        f"""    <dataObject ID="{_identifier(file)}" repID="{file.role}">
      <byteStream mimeType="{_mime_type(file)}" size="{file.size}">
        <fileLocation locatorType="URL" href="./{file.path}"/>
        <checksum checksumName="MD5">{file.md5}</checksum>
      </byteStream>
    </dataObject>
"""
        for file in files
    )
    units = "".join(
        f'      <xfdu:contentUnit unitType="Metadata Unit" repID="{file.role}">'
        f'<dataObjectPointer dataObjectID="{_identifier(file)}"/></xfdu:contentUnit>\n'
        for file in files
    )
    metadata = "".join(
        f"""    <metadataObject ID="{name}" classification="DESCRIPTION" category="DMD">
      <metadataWrap mimeType="text/xml" vocabularyName="SAFE" textInfo="{name}">
        <xmlData>
          {content}
        </xmlData>
      </metadataWrap>
    </metadataObject>
"""
        for name, content in parts.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<xfdu:XFDU {NAMESPACES} \
version="esa/safe/sentinel-1.0/sentinel-1/sar/level-1/{version}">
  <informationPackageMap>
    <xfdu:contentUnit unitType="SAFE Archive Information Package" \
textInfo="Sentinel-1 {text} Product">
{units}    </xfdu:contentUnit>
  </informationPackageMap>
  <metadataSection>
{metadata}  </metadataSection>
  <dataObjectSection>
{objects}  </dataObjectSection>
</xfdu:XFDU>
""".encode()


def _identifier(file: ProductFile) -> str:
    """Return the identifier of a file in the manifest: its name without punctuation."""
    stem = file.path.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("-", "")
    prefix = "product" if file.role == "s1Level1ProductSchema" else ""
    return prefix + stem


def _mime_type(file: ProductFile) -> str:
    """MIME type of a file."""
    return "text/xml" if file.path.endswith(".xml") else "application/octet-stream"


def frame_set_xml(corners: Sequence[tuple[float, float]]) -> str:
    """Footprint of (longitude, latitude) in degrees, in ESA's order: latitude first."""
    ring = " ".join(f"{latitude:.6f},{longitude:.6f}" for longitude, latitude in corners)
    return (
        '<safe:frameSet><safe:frame><safe:footPrint srsName="http://www.opengis.net/gml/srs/'
        f'epsg.xml#4326"><gml:coordinates>{ring}</gml:coordinates>'
        "</safe:footPrint></safe:frame></safe:frameSet>"
    )


def processing_xml(name: str, version: str, stop: datetime) -> str:
    """Return who made the product, with which version of the processor."""
    return f"""<safe:processing name="{name}" start="{utc_text(stop)}" \
stop="{utc_text(stop)}"><safe:facility country="France" name="Simulated" \
organisation="PEPS" site="Simulator"><safe:software name="Sentinel-1 IPF" \
version="{version}"/></safe:facility></safe:processing>"""


def platform_xml(satellite: Satellite, mode: str, swaths: Sequence[str]) -> str:
    """Satellite, mode and swaths."""
    names = "".join(f"\n              <s1sarl1:swath>{name}</s1sarl1:swath>" for name in swaths)
    return f"""<safe:platform>
            <safe:nssdcIdentifier>{satellite.identifier}</safe:nssdcIdentifier>
            <safe:familyName>SENTINEL-1</safe:familyName>
            <safe:number>{satellite.name[-1]}</safe:number>
            <safe:instrument><safe:familyName abbreviation="SAR">Synthetic Aperture Radar\
</safe:familyName><safe:extension><s1sarl1:instrumentMode>
              <s1sarl1:mode>{mode}</s1sarl1:mode>{names}
            </s1sarl1:instrumentMode></safe:extension></safe:instrument>
          </safe:platform>"""


def orbit_reference_xml(orbits: tuple[int, int], node: datetime, *, ascending: bool) -> str:
    """Absolute and relative orbit number, pass, and time of the ascending node."""
    absolute, relative = orbits
    return f"""<safe:orbitReference>
            <safe:orbitNumber type="start">{absolute}</safe:orbitNumber>
            <safe:orbitNumber type="stop">{absolute}</safe:orbitNumber>
            <safe:relativeOrbitNumber type="start">{relative}</safe:relativeOrbitNumber>
            <safe:relativeOrbitNumber type="stop">{relative}</safe:relativeOrbitNumber>
            <safe:cycleNumber>{absolute // 175 + 1}</safe:cycleNumber>
            <safe:phaseIdentifier>1</safe:phaseIdentifier>
            <safe:extension><s1:orbitProperties>
              <s1:pass>{"ASCENDING" if ascending else "DESCENDING"}</s1:pass>
              <s1:ascendingNodeTime>{utc_text(node)}</s1:ascendingNodeTime>
            </s1:orbitProperties></safe:extension>
          </safe:orbitReference>"""


def information_xml(
    datatake: int, polarizations: Sequence[str], product_type: str, place: tuple[int, int]
) -> str:
    """Return data take, polarisations and place among the slices of the pass: number, total."""
    channels = "".join(
        f"<s1sarl1:transmitterReceiverPolarisation>{name}</s1sarl1:transmitterReceiverPolarisation>"
        for name in polarizations
    )
    return f"""<s1sarl1:standAloneProductInformation>
            <s1sarl1:instrumentConfigurationID>7</s1sarl1:instrumentConfigurationID>
            <s1sarl1:missionDataTakeID>{datatake}</s1sarl1:missionDataTakeID>
            {channels}
            <s1sarl1:productClass>S</s1sarl1:productClass>
            <s1sarl1:productClassDescription>SAR Standard L1 Product\
</s1sarl1:productClassDescription>
            <s1sarl1:productComposition>Slice</s1sarl1:productComposition>
            <s1sarl1:productType>{product_type}</s1sarl1:productType>
            <s1sarl1:productTimelinessCategory>Fast-24h</s1sarl1:productTimelinessCategory>
            <s1sarl1:sliceProductFlag>true</s1sarl1:sliceProductFlag>
            <s1sarl1:sliceNumber>{place[0]}</s1sarl1:sliceNumber>
            <s1sarl1:totalSlices>{place[1]}</s1sarl1:totalSlices>
          </s1sarl1:standAloneProductInformation>"""


def period_xml(start: datetime, stop: datetime, node: datetime) -> str:
    """Time of the first and last line, and since the ascending node in milliseconds."""
    first, last = (1000 * (time - node).total_seconds() for time in (start, stop))
    return f"""<safe:acquisitionPeriod>
            <safe:startTime>{utc_text(start)}</safe:startTime>
            <safe:stopTime>{utc_text(stop)}</safe:stopTime>
            <safe:extension><s1:timeANX>
              <s1:startTimeANX>{first:.6e}</s1:startTimeANX>
              <s1:stopTimeANX>{last:.6e}</s1:stopTimeANX>
            </s1:timeANX></safe:extension>
          </safe:acquisitionPeriod>"""


def _corners(image: Image, terrain: Terrain) -> list[tuple[float, float]]:
    """Longitude and latitude, degrees: last line near and far, first line far and near."""
    frame = image.frame
    line, sample = np.array([0.0, frame.lines - 1]), np.array([0.0, frame.samples - 1])
    ground = np.degrees(frame.ground(line, sample, terrain)[..., :2])
    first, last = (ground[0], ground[1])
    return [(float(x), float(y)) for x, y in (last[0], last[1], first[1], first[0])]
