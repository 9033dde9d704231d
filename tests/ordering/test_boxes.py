"""Bounding boxes as one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peps_wps.ordering.boxes import CRS84, Box

coordinates = st.floats(-1e6, 1e6).map(lambda number: float(f"{number:.15g}"))
corners = st.tuples(coordinates, coordinates) | st.tuples(coordinates, coordinates, coordinates)
names = st.sampled_from([CRS84, "EPSG:4326", "urn:ogc:def:crs:EPSG::32631"])


@given(corners.flatmap(lambda lower: st.tuples(st.just(lower), corners, names)))
def test_a_box_comes_back_from_its_text(drawn):
    lower, upper, crs = drawn
    box = Box(lower, (upper * 2)[: len(lower)], crs)

    assert Box.of_text(str(box)) == box


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,43,2,44", Box((1, 43), (2, 44))),
        (" 1 , 43, 2 ,44 , EPSG:4326", Box((1, 43), (2, 44), "EPSG:4326")),
        (
            "46,102,47,103,urn:ogc:def:crs:EPSG:6.6:4326,2",
            Box((46, 102), (47, 103), "urn:ogc:def:crs:EPSG:6.6:4326"),
        ),
        ("1,43,0,2,44,9", Box((1, 43, 0), (2, 44, 9))),
        # Across the antimeridian the western corner has the larger longitude.
        ("179,-1,-179,1", Box((179, -1), (-179, 1))),
    ],
)
def test_clients_write_boxes_so(text, expected):
    assert Box.of_text(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,nan", "1,2,3,inf", "1,2,3,4,", "1,2,3,4,crs,3"],
)
def test_what_is_no_box_is_refused(text):
    with pytest.raises(ValueError, match="is no box"):
        Box.of_text(text)
