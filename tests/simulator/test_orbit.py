import numpy as np
import pytest

from simulator.orbit import NODAL_PERIOD_S, NominalOrbit

ORBIT = NominalOrbit(node_longitude=0.3, node_time=1000.0)
TIME = np.linspace(1000.0, 1000.0 + NODAL_PERIOD_S, 2000)


def test_velocity_is_the_derivative_of_position():
    _, velocity = ORBIT.states(TIME)
    after, before = ORBIT.states(TIME + 0.05)[0], ORBIT.states(TIME - 0.05)[0]

    # Central difference: omega**2 v h**2 / 6 = 3e-6 m/s, and rounding of 7e6 m.
    np.testing.assert_allclose(velocity, (after - before) / 0.1, rtol=0, atol=1e-5)


def test_the_orbit_is_that_of_sentinel_1():
    position, velocity = ORBIT.states(TIME)
    radius = np.linalg.norm(position, axis=1)

    # Mean altitude 693 km over the equatorial radius, eccentricity 0.001: +-8 km.
    assert radius.mean() - 6_378_137 == pytest.approx(693_000, abs=2_000)
    assert np.ptp(radius) == pytest.approx(2 * 0.00117 * radius.mean(), rel=0.01)
    # The highest latitude of a retrograde orbit is the supplement of its inclination.
    assert np.degrees(np.arcsin(position[:, 2] / radius)).max() == pytest.approx(81.82, abs=0.01)
    assert 7_400 < np.linalg.norm(velocity, axis=1).min() < 7_700


def test_the_node_is_crossed_northwards_at_its_longitude():
    position, velocity = ORBIT.states(np.array(1000.0))

    assert abs(position[2]) < 1e-6
    assert velocity[2] > 0
    assert np.arctan2(position[1], position[0]) == pytest.approx(0.3)


def test_a_trajectory_of_vectors_ten_seconds_apart_is_exact_to_a_tenth_of_a_millimetre():
    time = 2000.0 + 10.0 * np.arange(16)
    between = np.linspace(2040.0, 2110.0, 333)
    trajectory = ORBIT.trajectory(time)
    position, velocity = ORBIT.states(between)

    assert np.abs(trajectory.position_at(between) - position).max() < 1e-4
    assert np.abs(trajectory.velocity_at(between) - velocity).max() < 1e-6


def test_shifting_moves_along_and_across_the_track():
    trajectory = ORBIT.trajectory(2000.0 + 10.0 * np.arange(16))
    move = trajectory.shifted(30.0, 40.0).position - trajectory.position
    forward = trajectory.velocity / np.linalg.norm(trajectory.velocity, axis=1)[:, None]

    np.testing.assert_allclose(np.linalg.norm(move, axis=1), 50.0, rtol=1e-4)
    np.testing.assert_allclose((move * forward).sum(axis=1), 30.0, rtol=1e-4)
