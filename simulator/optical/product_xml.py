"""Metadata of simulated Sentinel-2 level 1C products (PSD issue 14.9, baseline 05.10)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from simulator.optical.displacement import DETECTOR_SLOPE, DETECTOR_WIDTH

BANDS = (*(f"B{number:02}" for number in range(1, 9)), "B8A", "B09", "B10", "B11", "B12")
BASELINE = "05.10"
ORBIT, RELATIVE_ORBIT = 44_807, 51
_NODES = 23
_STEP = 5_000.0  # metres
_SUN = 38.0, 152.0  # zenith and azimuth, degrees
FIRST_DETECTOR = 4
_LAST_DETECTOR = 10
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'


@dataclass(frozen=True)
class Tile:
    """A tile of a product and its names.

    Parameters
    ----------
    name
        MGRS tile without T.
    epsg, left, top, size
        Zone, upper left corner in metres, pixels of 10 m a side.
    sensing
        UTC.
    cloud_percent
        Share under clouds.
    title, granule, stem
        Product without ``.SAFE``, folder of the granule, beginning of the images' names.
    """

    name: str
    epsg: int
    left: int
    top: int
    size: int
    sensing: datetime
    cloud_percent: float
    title: str
    granule: str
    stem: str

    @classmethod
    def of(
        cls,
        name: str,
        epsg: int,
        left: int,
        top: int,
        size: int,
        sensing: datetime,
        cloud_percent: float,
    ) -> "Tile":
        """Name a tile by its place and time."""
        time = f"{sensing:%Y%m%dT%H%M%S}"
        title = (
            f"S2A_MSIL1C_{time}_N{BASELINE.replace('.', '')}_R{RELATIVE_ORBIT:03}_T{name}_{time}"
        )
        granule = f"GRANULE/L1C_T{name}_A{ORBIT:06}_{time}"
        return cls(
            name, epsg, left, top, size, sensing, cloud_percent, title, granule, f"T{name}_{time}"
        )

    @property
    def datatake(self) -> str:
        """Identifier of the whole acquisition."""
        return f"GS2A_{self.sensing:%Y%m%dT%H%M%S}_{ORBIT:06}_N{BASELINE}"

    @property
    def identifier(self) -> str:
        """Identifier of the granule."""
        time = f"{self.sensing:%Y%m%dT%H%M%S}"
        return f"S2A_OPER_MSI_L1C_TL_2APS_{time}_A{ORBIT:06}_T{self.name}_N{BASELINE}"

    def corners(self) -> NDArray[np.float64]:
        """Return latitude and longitude of the outline, closed, shape (5, 2), degrees."""
        right, bottom = self.left + 10 * self.size, self.top - 10 * self.size
        to_degrees = Transformer.from_crs(self.epsg, 4326)
        easting = [self.left, right, right, self.left, self.left]
        northing = [self.top, self.top, bottom, bottom, self.top]
        return np.column_stack(to_degrees.transform(easting, northing))


def product_xml(tile: Tile) -> str:
    """Return the metadata of the product, ``MTD_MSIL1C.xml``."""
    time = f"{tile.sensing:%Y-%m-%dT%H:%M:%S}.000Z"
    images = "".join(
        f"<IMAGE_FILE>{tile.granule}/IMG_DATA/{tile.stem}_{name}</IMAGE_FILE>\n"
        for name in (*BANDS, "TCI")
    )
    offsets = "".join(
        f'<RADIO_ADD_OFFSET band_id="{band}">-1000</RADIO_ADD_OFFSET>\n'
        for band in range(len(BANDS))
    )
    outline = " ".join(f"{value:.12g}" for value in tile.corners().ravel())
    return f"""{_HEAD}<n1:Level-1C_User_Product \
xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd">
<n1:General_Info><Product_Info>
<PRODUCT_START_TIME>{time}</PRODUCT_START_TIME>
<PRODUCT_STOP_TIME>{time}</PRODUCT_STOP_TIME>
<PRODUCT_URI>{tile.title}.SAFE</PRODUCT_URI>
<PROCESSING_LEVEL>Level-1C</PROCESSING_LEVEL>
<PRODUCT_TYPE>S2MSI1C</PRODUCT_TYPE>
<PROCESSING_BASELINE>{BASELINE}</PROCESSING_BASELINE>
<GENERATION_TIME>{time}</GENERATION_TIME>
<Datatake datatakeIdentifier="{tile.datatake}">
<SPACECRAFT_NAME>Sentinel-2A</SPACECRAFT_NAME>
<DATATAKE_TYPE>INS-NOBS</DATATAKE_TYPE>
<DATATAKE_SENSING_START>{time}</DATATAKE_SENSING_START>
<SENSING_ORBIT_NUMBER>{RELATIVE_ORBIT}</SENSING_ORBIT_NUMBER>
<SENSING_ORBIT_DIRECTION>DESCENDING</SENSING_ORBIT_DIRECTION>
</Datatake>
<Query_Options completeSingleTile="true"><PRODUCT_FORMAT>SAFE_COMPACT</PRODUCT_FORMAT>\
</Query_Options>
<Product_Organisation><Granule_List>
<Granule granuleIdentifier="{tile.identifier}" imageFormat="JPEG2000">
{images}</Granule>
</Granule_List></Product_Organisation>
</Product_Info>
<Product_Image_Characteristics>
<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>\
<SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
<Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>\
<SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
<QUANTIFICATION_VALUE unit="none">10000</QUANTIFICATION_VALUE>
<Radiometric_Offset_List>
{offsets}</Radiometric_Offset_List>
</Product_Image_Characteristics></n1:General_Info>
<n1:Geometric_Info><Product_Footprint><Product_Footprint><Global_Footprint>
<EXT_POS_LIST>{outline}</EXT_POS_LIST>
</Global_Footprint></Product_Footprint></Product_Footprint></n1:Geometric_Info>
<n1:Quality_Indicators_Info>
<Cloud_Coverage_Assessment>{tile.cloud_percent:.4f}</Cloud_Coverage_Assessment>
</n1:Quality_Indicators_Info>
</n1:Level-1C_User_Product>
"""


def tile_xml(tile: Tile) -> str:
    """Return the metadata of the granule, ``MTD_TL.xml``."""
    sizes = "".join(
        f'<Size resolution="{metres}"><NROWS>{tile.size * 10 // metres}</NROWS>'
        f"<NCOLS>{tile.size * 10 // metres}</NCOLS></Size>\n"
        for metres in (10, 20, 60)
    )
    places = "".join(
        f'<Geoposition resolution="{metres}"><ULX>{tile.left}</ULX><ULY>{tile.top}</ULY>'
        f"<XDIM>{metres}</XDIM><YDIM>-{metres}</YDIM></Geoposition>\n"
        for metres in (10, 20, 60)
    )
    masks = "".join(
        f'<MASK_FILENAME bandId="{band}" type="MSK_DETFOO">'
        f"{tile.granule}/QI_DATA/MSK_DETFOO_{name}.jp2</MASK_FILENAME>\n"
        for band, name in enumerate(BANDS)
    )
    return f"""{_HEAD}<n1:Level-1C_Tile_ID \
xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Tile_Metadata.xsd">
<n1:General_Info>
<TILE_ID>{tile.identifier}</TILE_ID>
<SENSING_TIME>{tile.sensing:%Y-%m-%dT%H:%M:%S}.000Z</SENSING_TIME>
</n1:General_Info>
<n1:Geometric_Info><Tile_Geocoding>
<HORIZONTAL_CS_NAME>WGS84 / UTM zone {tile.epsg % 100}</HORIZONTAL_CS_NAME>
<HORIZONTAL_CS_CODE>EPSG:{tile.epsg}</HORIZONTAL_CS_CODE>
{sizes}{places}</Tile_Geocoding>
<Tile_Angles>
<Sun_Angles_Grid>
{_sun_angles()}</Sun_Angles_Grid>
<Mean_Sun_Angle><ZENITH_ANGLE unit="deg">{_SUN[0]}</ZENITH_ANGLE>\
<AZIMUTH_ANGLE unit="deg">{_SUN[1]}</AZIMUTH_ANGLE></Mean_Sun_Angle>
{_view_angles()}</Tile_Angles></n1:Geometric_Info>
<n1:Quality_Indicators_Info>
<Image_Content_QI>
<CLOUDY_PIXEL_PERCENTAGE>{tile.cloud_percent:.4f}</CLOUDY_PIXEL_PERCENTAGE>
</Image_Content_QI>
<Pixel_Level_QI geometry="FULL_RESOLUTION">
{masks}<MASK_FILENAME type="MSK_CLASSI">{tile.granule}/QI_DATA/MSK_CLASSI_B00.jp2</MASK_FILENAME>
</Pixel_Level_QI>
</n1:Quality_Indicators_Info>
</n1:Level-1C_Tile_ID>
"""


def inspire_xml(tile: Tile) -> str:
    """Return the record of the product for catalogues, ``INSPIRE.xml``."""
    return f"""{_HEAD}<gmd:MD_Metadata xmlns:gmd="http://www.isotc211.org/2005/gmd" \
xmlns:gco="http://www.isotc211.org/2005/gco">
<gmd:fileIdentifier><gco:CharacterString>{tile.title}</gco:CharacterString></gmd:fileIdentifier>
</gmd:MD_Metadata>
"""


def manifest_xml(tile: Tile, product: Path) -> str:
    """Return the manifest of the files that lie in the product's folder."""
    files = sorted(path for path in product.rglob("*") if path.is_file())
    objects = "".join(_data_object(path, product) for path in files)
    return f"""{_HEAD}<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1" \
xmlns:safe="http://www.esa.int/safe/sentinel/1.1" xmlns:gml="http://www.opengis.net/gml" \
version="esa/safe/sentinel/1.1/sentinel-2/msi/archive_l1c_user_product">
<informationPackageMap>
<xfdu:contentUnit textInfo="SENTINEL-2 MSI Level-1C User Product" unitType="Product_Level-1C"/>
</informationPackageMap>
<metadataSection>
<metadataObject ID="acquisitionPeriod" classification="DESCRIPTION" category="DMD">
<metadataWrap mimeType="text/xml" vocabularyName="SAFE" textInfo="Acquisition Period"><xmlData>
<safe:acquisitionPeriod>
<safe:startTime>{tile.sensing:%Y-%m-%dT%H:%M:%S}.000Z</safe:startTime>
<safe:stopTime>{tile.sensing:%Y-%m-%dT%H:%M:%S}.000Z</safe:stopTime>
</safe:acquisitionPeriod></xmlData></metadataWrap></metadataObject>
</metadataSection>
<dataObjectSection>
{objects}</dataObjectSection>
</xfdu:XFDU>
"""


def _data_object(path: Path, product: Path) -> str:
    name = path.relative_to(product).as_posix()
    digest = hashlib.sha3_256(path.read_bytes()).hexdigest()
    kind = "text/xml" if path.suffix == ".xml" else "application/octet-stream"
    identifier = name.replace("/", "_").replace(".", "_")
    return (
        f'<dataObject ID="{identifier}"><byteStream mimeType="{kind}" size="{path.stat().st_size}">'
        f'<fileLocation locatorType="URL" href="./{name}"/>'
        f'<checksum checksumName="SHA3-256">{digest}</checksum></byteStream></dataObject>\n'
    )


def _sun_angles() -> str:
    row, column = np.mgrid[0:_NODES, 0:_NODES] * _STEP
    zenith = _SUN[0] + 8e-6 * row - 2e-6 * column
    azimuth = _SUN[1] + 4e-6 * row + 9e-6 * column
    return _grid("Zenith", zenith) + _grid("Azimuth", azimuth)


def _view_angles() -> str:
    """Return planes of angles of every band and detector, NaN where it did not look."""
    row, column = np.mgrid[0:_NODES, 0:_NODES] * _STEP
    seam = (column + DETECTOR_SLOPE * row) / (10.0 * DETECTOR_WIDTH)
    across = (column + DETECTOR_SLOPE * row - 60_000.0) / 786_000.0
    parts, means = [], []
    for band in range(len(BANDS)):
        parallax = np.radians(0.1 * band)
        for detector in range(FIRST_DETECTOR, _LAST_DETECTOR + 1):
            along = (np.radians(1.3) + parallax) * (1 if detector % 2 else -1)
            zenith = np.degrees(np.hypot(across, along))
            azimuth = np.degrees(np.arctan2(across, along)) % 360.0
            is_seen = np.abs(seam - (detector - FIRST_DETECTOR) - 0.5) < 0.5 + 0.2
            parts.append(
                f'<Viewing_Incidence_Angles_Grids bandId="{band}" detectorId="{detector}">\n'
                + _grid("Zenith", np.where(is_seen, zenith, np.nan))
                + _grid("Azimuth", np.where(is_seen, azimuth, np.nan))
                + "</Viewing_Incidence_Angles_Grids>\n"
            )
        means.append(
            f'<Mean_Viewing_Incidence_Angle bandId="{band}">'
            f'<ZENITH_ANGLE unit="deg">{np.degrees(np.abs(across).mean()):.6f}</ZENITH_ANGLE>'
            f'<AZIMUTH_ANGLE unit="deg">{98.0:.6f}</AZIMUTH_ANGLE>'
            "</Mean_Viewing_Incidence_Angle>\n"
        )
    means = ["<Mean_Viewing_Incidence_Angle_List>\n", *means]
    return "".join([*parts, *means, "</Mean_Viewing_Incidence_Angle_List>\n"])


def _grid(name: str, values: NDArray[np.float64]) -> str:
    """Return a grid of angles in degrees."""
    rows = "".join(
        "<VALUES>" + " ".join("NaN" if np.isnan(v) else f"{v:.6g}" for v in row) + "</VALUES>\n"
        for row in values
    )
    return (
        f'<{name}><COL_STEP unit="m">{_STEP:g}</COL_STEP><ROW_STEP unit="m">{_STEP:g}</ROW_STEP>\n'
        f"<Values_List>\n{rows}</Values_List></{name}>\n"
    )
