"""Identifiers of bursts are those that later processors write."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from peps_wps.readers.burst_id import relative_burst_id
from peps_wps.readers.safe import Safe
from peps_wps.readers.sentinel1_slc_annotation import parse_slc_annotation

EPOCH = datetime(2025, 4, 6, tzinfo=UTC)


def test_identifiers_are_computed_where_the_product_has_none(
    reference_data: Path,
) -> None:
    folder = reference_data / "insar"
    paths = list(folder.glob("s1_annotation_pair/*.SAFE"))
    paths += folder.glob("s1_annotation_and_orbits/*.zip")
    for path in paths:
        safe = Safe.open(path)
        for name in safe.names("annotation/s1"):
            if not name.endswith(".xml"):
                continue
            stated = safe.read(name)
            without = re.sub(rb"<burstId.*?</burstId>", b"", stated)
            assert without != stated
            track = safe.manifest.relative_orbit
            computed, known = (
                [burst.burst_id for burst in parse_slc_annotation(data, name, EPOCH, track).bursts]
                for data in (without, stated)
            )
            assert computed == known


def test_identifiers_start_again_after_the_last_orbit_of_a_cycle() -> None:
    orbit = 12 * 86_400 / 175
    assert relative_burst_id("IW2", orbit + 100.0, 175) == relative_burst_id("IW2", 100.0, 1)


def test_only_swaths_of_bursts_have_identifiers() -> None:
    with pytest.raises(ValueError, match="S3 is not a swath of IW or EW"):
        relative_burst_id("S3", 100.0, 1)
