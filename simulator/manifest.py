"""Manifest of a SAFE product, and the names of the product and its files."""

import hashlib
from binascii import crc_hqx
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    kind = "d" if len(images) == 2 else "s"
    mode = acquisition.order.mode.name.lower()
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<xfdu:XFDU {NAMESPACES} \
version="esa/safe/sentinel-1.0/sentinel-1/sar/level-1/grd/standard/{mode}{kind}p">
  <informationPackageMap>
    <xfdu:contentUnit unitType="SAFE Archive Information Package" \
textInfo="Sentinel-1 {acquisition.order.mode.name} Level-1 GRD Product">
{units}    </xfdu:contentUnit>
  </informationPackageMap>
  <metadataSection>
{_metadata(images, terrain)}  </metadataSection>
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


def _metadata(images: Sequence[Image], terrain: Terrain) -> str:
    """Metadata objects that catalogues and readers use."""
    image = images[0]
    footprint = (
        '<safe:frameSet><safe:frame><safe:footPrint srsName="http://www.opengis.net/gml/srs/'
        f'epsg.xml#4326"><gml:coordinates>{_footprint(image, terrain)}</gml:coordinates>'
        "</safe:footPrint></safe:frame></safe:frameSet>"
    )
    parts = {
        "processing": _processing(image),
        "platform": _platform(image),
        "measurementOrbitReference": _orbit_reference(image),
        "generalProductInformation": _product_information(images),
        "acquisitionPeriod": _period(image),
        "measurementFrameSet": footprint,
    }
    return "".join(
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


def _processing(image: Image) -> str:
    """Return who made the product."""
    return f"""<safe:processing name="GRD Post Processing" start="{utc_text(image.stop)}" \
stop="{utc_text(image.stop)}"><safe:facility country="France" name="Simulated" \
organisation="PEPS" site="Simulator"><safe:software name="Sentinel-1 IPF" \
version="{image.acquisition.order.processor.version}"/></safe:facility></safe:processing>"""


def _platform(image: Image) -> str:
    """Satellite and mode."""
    satellite, mode = image.acquisition.satellite, image.acquisition.order.mode
    return f"""<safe:platform>
            <safe:nssdcIdentifier>{satellite.identifier}</safe:nssdcIdentifier>
            <safe:familyName>SENTINEL-1</safe:familyName>
            <safe:number>{satellite.name[-1]}</safe:number>
            <safe:instrument><safe:familyName abbreviation="SAR">Synthetic Aperture Radar\
</safe:familyName><safe:extension><s1sarl1:instrumentMode>
              <s1sarl1:mode>{mode.name}</s1sarl1:mode>
              <s1sarl1:swath>{mode.beam}</s1sarl1:swath>
            </s1sarl1:instrumentMode></safe:extension></safe:instrument>
          </safe:platform>"""


def _orbit_reference(image: Image) -> str:
    """Orbit numbers and pass."""
    acquisition = image.acquisition
    absolute = acquisition.absolute_orbit
    relative = acquisition.satellite.relative_orbit(absolute)
    direction = "ASCENDING" if acquisition.order.ascending else "DESCENDING"
    node = utc_text(acquisition.utc(acquisition.orbit.node_time))
    return f"""<safe:orbitReference>
            <safe:orbitNumber type="start">{absolute}</safe:orbitNumber>
            <safe:orbitNumber type="stop">{absolute}</safe:orbitNumber>
            <safe:relativeOrbitNumber type="start">{relative}</safe:relativeOrbitNumber>
            <safe:relativeOrbitNumber type="stop">{relative}</safe:relativeOrbitNumber>
            <safe:cycleNumber>{absolute // 175 + 1}</safe:cycleNumber>
            <safe:phaseIdentifier>1</safe:phaseIdentifier>
            <safe:extension><s1:orbitProperties>
              <s1:pass>{direction}</s1:pass>
              <s1:ascendingNodeTime>{node}</s1:ascendingNodeTime>
            </s1:orbitProperties></safe:extension>
          </safe:orbitReference>"""


def _product_information(images: Sequence[Image]) -> str:
    """Return data take, polarisations and place among the slices of the pass."""
    acquisition = images[0].acquisition
    polarizations = "".join(
        "<s1sarl1:transmitterReceiverPolarisation>"
        f"{item.polarization}</s1sarl1:transmitterReceiverPolarisation>"
        for item in images
    )
    return f"""<s1sarl1:standAloneProductInformation>
            <s1sarl1:instrumentConfigurationID>7</s1sarl1:instrumentConfigurationID>
            <s1sarl1:missionDataTakeID>{acquisition.datatake}</s1sarl1:missionDataTakeID>
            {polarizations}
            <s1sarl1:productClass>S</s1sarl1:productClass>
            <s1sarl1:productClassDescription>SAR Standard L1 Product\
</s1sarl1:productClassDescription>
            <s1sarl1:productComposition>Slice</s1sarl1:productComposition>
            <s1sarl1:productType>GRD</s1sarl1:productType>
            <s1sarl1:productTimelinessCategory>Fast-24h</s1sarl1:productTimelinessCategory>
            <s1sarl1:sliceProductFlag>true</s1sarl1:sliceProductFlag>
            <s1sarl1:sliceNumber>{images[0].slice_number}</s1sarl1:sliceNumber>
            <s1sarl1:totalSlices>{len(acquisition.frames)}</s1sarl1:totalSlices>
          </s1sarl1:standAloneProductInformation>"""


def _period(image: Image) -> str:
    """Time of the first and last line, and since the ascending node in milliseconds."""
    node = image.acquisition.utc(image.acquisition.orbit.node_time)
    first, last = (1000 * (time - node).total_seconds() for time in (image.start, image.stop))
    return f"""<safe:acquisitionPeriod>
            <safe:startTime>{utc_text(image.start)}</safe:startTime>
            <safe:stopTime>{utc_text(image.stop)}</safe:stopTime>
            <safe:extension><s1:timeANX>
              <s1:startTimeANX>{first:.6e}</s1:startTimeANX>
              <s1:stopTimeANX>{last:.6e}</s1:stopTimeANX>
            </s1:timeANX></safe:extension>
          </safe:acquisitionPeriod>"""


def _footprint(image: Image, terrain: Terrain) -> str:
    """Corners as latitude,longitude: last line near and far, first line far and near."""
    frame = image.frame
    line, sample = np.array([0.0, frame.lines - 1]), np.array([0.0, frame.samples - 1])
    ground = np.degrees(frame.ground(line, sample, terrain)[..., :2])
    first, last = (ground[0], ground[1])
    corners = (last[0], last[1], first[1], first[0])
    return " ".join(f"{latitude:.6f},{longitude:.6f}" for longitude, latitude in corners)
