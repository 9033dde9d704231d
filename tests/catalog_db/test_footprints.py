import shapely
from shapely import MultiPolygon, Polygon

from catalog_db.catalogue.footprints import Box, placed

CROSSING = [(179.0, 10.0), (-179.0, 10.5), (-179.2, 12.0), (178.8, 11.5)]
PARTS = MultiPolygon(
    [
        Polygon([(179.0, 10.0), (180, 10.25), (180, 11.8), (178.8, 11.5)]),
        Polygon([(-180, 10.25), (-179.0, 10.5), (-179.2, 12.0), (-180, 11.8)]),
    ]
)
BOX = Box(1_788_000, 100_000, 1_810_000, 120_000)


def test_a_footprint_over_the_antimeridian_is_cut_there_and_its_box_is_narrow():
    for ring in (CROSSING, CROSSING[::-1], CROSSING[2:] + CROSSING[:2]):
        footprint, box = placed(Polygon(ring))

        assert footprint.symmetric_difference(PARTS).area < 1e-9
        assert box == BOX


def test_a_footprint_with_longitudes_beyond_180_is_the_same_place():
    footprint, box = placed(Polygon([(x % 360, y) for x, y in CROSSING]))

    assert footprint.symmetric_difference(PARTS).area < 1e-9
    assert box == BOX


def test_a_footprint_cut_already_stays_as_it_is():
    footprint, box = placed(PARTS)

    assert footprint.equals(PARTS)
    assert box == BOX


def test_a_ring_around_a_pole_holds_the_pole():
    footprint, box = placed(Polygon([(0, 85), (90, 86), (180, 85), (-90, 86)]))

    assert footprint.covers(shapely.Point(45, 89))
    assert footprint.covers(shapely.Point(-180, 88))
    assert not footprint.intersects(shapely.Point(45, 85))
    assert box == Box(-1_800_000, 850_000, 1_800_000, 900_000)


def test_a_ring_that_is_closed_along_the_pole_already_stays_as_it_is():
    closed = Polygon([(-180, 85), (-90, 85), (0, 85), (90, 85), (180, 85), (180, 90), (-180, 90)])

    footprint, box = placed(closed)

    assert footprint.equals(closed)
    assert box == Box(-1_800_000, 850_000, 1_800_000, 900_000)


def test_a_hole_stays_in_a_footprint_over_the_antimeridian():
    hole = [(-179.6, 10.8), (-179.4, 10.8), (-179.4, 11.0), (-179.6, 11.0)]

    footprint, _ = placed(Polygon(CROSSING, [hole]))

    assert not footprint.intersects(shapely.Point(-179.5, 10.9))
    assert abs(footprint.area - (PARTS.area - 0.04)) < 1e-9


def test_a_bow_tie_becomes_the_area_that_it_encloses():
    footprint, _ = placed(Polygon([(0, 0), (2, 2), (2, 0), (0, 2)]))

    assert footprint.is_valid
    assert abs(footprint.area - 2.0) < 1e-9


def test_a_box_is_rounded_outwards():
    _, box = placed(shapely.box(1.00001, -2.00001, 1.00002, -2.000001))

    assert box == Box(10_000, -20_001, 10_001, -20_000)
