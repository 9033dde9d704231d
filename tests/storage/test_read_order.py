"""Files of a tape are read in an order that costs little winding."""

import random
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.read_order import read_order
from storage.tape_geometry import T10000D_TAPE, MeasuredLocates, Place, TapeGeometry, Winding

MODELS = {
    "winding": Winding(),
    "measured": MeasuredLocates(),
    "measured-t10000d": MeasuredLocates(T10000D_TAPE),
}
each_model = pytest.mark.parametrize("locate", MODELS.values(), ids=MODELS.keys())


def on_tape(draw, count, capacity_bytes=85 * 10**11):
    return [
        (draw.randrange(capacity_bytes - 5 * 10**9), draw.randrange(56 * 10**7, 41 * 10**8))
        for _ in range(count)
    ]


def winding_s(locate, head, spans, order):
    """From the head to every file in turn and back to the beginning of the tape."""
    stops = [(head, head), *((spans[one][0], sum(spans[one])) for one in order)]
    places = [(locate.geometry.place(begin), locate.geometry.place(end)) for begin, end in stops]
    between_s = sum(locate.locate_s(one[1], other[0]) for one, other in pairwise(places))
    return between_s + locate.rewind_s(places[-1][1])


@given(
    st.sampled_from(list(MODELS.values())),
    st.lists(st.tuples(st.integers(0, 8 * 10**12), st.integers(1, 10**11)), max_size=20),
    st.integers(0, 8 * 10**12),
)
def test_every_file_is_read_once_and_the_order_saves_time(locate, spans, head):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.read_order._ROUNDS", 0)
        nearest_first = read_order(locate, head, spans)
    order = read_order(locate, head, spans)
    assert sorted(order) == list(range(len(spans)))
    limit_s = winding_s(locate, head, spans, nearest_first)
    assert winding_s(locate, head, spans, order) <= limit_s + 1e-6


@each_model
def test_few_files_are_read_nearly_as_fast_as_by_the_best_of_all_orders(locate):
    draw = random.Random(3)
    chosen_s = best_s = 0.0
    for _ in range(12):
        spans, head = on_tape(draw, 6), draw.randrange(8 * 10**12)
        chosen_s += winding_s(locate, head, spans, read_order(locate, head, spans))
        best_s += min(winding_s(locate, head, spans, order) for order in permutations(range(6)))
    assert chosen_s < 1.02 * best_s


@each_model
def test_a_tape_of_files_is_read_in_less_than_half_of_the_winding_of_position_order(locate):
    draw = random.Random(5)
    for count, least_gain in ((20, 1.7), (200, 2.4)):
        spans = on_tape(draw, count)
        chosen_s = winding_s(locate, 0, spans, read_order(locate, 0, spans))
        by_position = sorted(range(count), key=spans.__getitem__)
        assert winding_s(locate, 0, spans, by_position) > least_gain * chosen_s


def test_positions_side_by_side_on_neighbouring_wraps_are_near():
    geometry = TapeGeometry(capacity_bytes=1000, wraps=10, length_m=100)
    assert geometry.place(0) == Place(0, 0)
    assert geometry.place(99) == Place(0, pytest.approx(99))
    assert geometry.place(101) == Place(1, pytest.approx(99))
    assert geometry.place(200) == Place(2, pytest.approx(0))
    winding = Winding(geometry, speed_m_s=10)
    assert winding.locate_s(geometry.place(99), geometry.place(101)) == pytest.approx(0)
    assert winding.locate_s(geometry.place(0), geometry.place(50)) == pytest.approx(5)


def test_measured_locates_cost_what_was_published():
    # Each term of the regression by itself, at places 96 m (16,840.1 LPOS) apart or none.
    locate = MeasuredLocates(TapeGeometry(wraps=112, length_m=960.0))
    far_s = 0.0006192 * 16_840.1

    def seconds(origin, target):
        return locate.locate_s(Place(*origin), Place(*target))

    assert seconds((0, 100), (0, 100)) == pytest.approx(4.29)
    assert seconds((0, 100), (0, 196)) == pytest.approx(4.29 + far_s)
    assert seconds((0, 196), (0, 100)) == pytest.approx(4.29 + 11.32 + far_s)
    assert seconds((1, 196), (1, 100)) == pytest.approx(4.29 + far_s)
    assert seconds((1, 100), (1, 196)) == pytest.approx(4.29 + 11.32 + far_s)
    assert seconds((0, 100), (2, 100)) == pytest.approx(4.29 + 6.69)
    assert seconds((0, 100), (1, 100)) == pytest.approx(4.29 + 6.69 + 5.22)
    assert seconds((27, 100), (29, 100)) == pytest.approx(4.29 + 6.69 + 3.2)
    assert seconds((0, 432), (0, 528)) == pytest.approx(4.29 - 6.04 + far_s)


def test_nearest_first_agrees_with_the_order_of_the_cern_tape_archive(monkeypatch):
    # CTA's RAOTest.cpp: eight files of 1 GB on LTO-7M, blocks of 256,000 bytes of which 208,187
    # fill a wrap (mean of its first three); its order is nearest first without improvement.
    monkeypatch.setattr("storage.read_order._ROUNDS", 0)
    blocks = [420_000, 300_000, 30_528, 26_712, 0, 19_080, 15_264, 34_344]
    geometry = TapeGeometry(capacity_bytes=112 * 208_187 * 256_000, wraps=112)
    spans = [(block * 256_000, 10**9) for block in blocks]
    assert read_order(MeasuredLocates(geometry), 0, spans) == [4, 6, 3, 7, 2, 5, 0, 1]
