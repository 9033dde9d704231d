"""The orbit polynomial against a circle, a precise orbit file and its own limits."""

import xml.etree.ElementTree as ET
import zipfile
from datetime import datetime

import numpy as np
import pytest

from algorithms.radar.grd import StateVectors
from algorithms.radar.orbit import fit_orbit

RADIUS, RATE = 7_071_000.0, 1.06e-3  # m, rad/s


def circle(time):
    angle = RATE * time
    zero = np.zeros_like(angle)
    position = RADIUS * np.stack([np.cos(angle), np.sin(angle), zero], axis=-1)
    velocity = RADIUS * RATE * np.stack([-np.sin(angle), np.cos(angle), zero], axis=-1)
    return position, velocity


def test_a_circular_orbit_is_followed_to_a_micrometre():
    time = np.arange(-100.0, 101.0, 10.0)
    orbit = fit_orbit(StateVectors(time, *circle(time)), -15.0, 15.0)
    between = np.linspace(-15.0, 15.0, 301)

    position, velocity = circle(between)

    np.testing.assert_allclose(orbit.position(between), position, atol=1e-6)
    np.testing.assert_allclose(orbit.velocity(between), velocity, atol=1e-7)


def test_a_precise_orbit_is_predicted_between_vectors_twice_as_far_apart(reference_data):
    vectors = precise_vectors(next((reference_data / "s1" / "orbits").glob("S1A*POEORB*.zip")))
    middle = vectors.time[len(vectors.time) // 2]
    thinned = StateVectors(vectors.time[::2], vectors.position[::2], vectors.velocity[::2])
    orbit = fit_orbit(thinned, middle - 15.0, middle + 15.0)
    inside = np.abs(vectors.time - middle) <= 20.0

    error = orbit.position(vectors.time[inside]) - vectors.position[inside]

    # The file gives micrometres; gravity beyond the degree of the polynomial leaves less than 1 mm.
    assert np.abs(error).max() < 1e-3


def precise_vectors(path):
    with zipfile.ZipFile(path) as archive:
        root = ET.fromstring(archive.read(archive.namelist()[0]))
    nodes = root.findall(".//OSV")
    instants = [datetime.fromisoformat(node.findtext("UTC")[4:]) for node in nodes]

    def columns(*names):
        return np.array([[float(node.findtext(name)) for name in names] for node in nodes])

    return StateVectors(
        np.array([(instant - instants[0]).total_seconds() for instant in instants]),
        columns("X", "Y", "Z"),
        columns("VX", "VY", "VZ"),
    )


def test_a_scene_outside_the_vectors_is_refused():
    time = np.arange(0.0, 100.0, 10.0)

    with pytest.raises(ValueError, match=r"cover 0\.000 s to 90\.000 s, the scene needs 200\.000"):
        fit_orbit(StateVectors(time, *circle(time)), 200.0, 225.0)


def test_too_few_vectors_are_refused():
    time = np.arange(0.0, 70.0, 10.0)

    with pytest.raises(ValueError, match="7 state vectors around the scene, 8 are needed"):
        fit_orbit(StateVectors(time, *circle(time)), 20.0, 40.0)
