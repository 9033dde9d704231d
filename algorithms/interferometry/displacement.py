"""From unwrapped phase to displacement of the ground."""

import numpy as np

from algorithms.interferometry.model import Float32


def line_of_sight_displacement(phase: Float32, wavelength: float) -> Float32:
    """Return the displacement along the line of sight, metres, positive towards the sensor.

    Parameters
    ----------
    phase
        Unwrapped arg(reference conj(secondary)), radians, any shape.
    wavelength
        Metres.
    """
    return (phase * np.float32(-wavelength / (4.0 * np.pi))).astype(np.float32)


def phase_of_displacement(line_of_sight: Float32, wavelength: float) -> Float32:
    """Return the unwrapped phase (rad) of a displacement: inverse of the above, alike."""
    return (line_of_sight * np.float32(-4.0 * np.pi / wavelength)).astype(np.float32)


def vertical_displacement(line_of_sight: Float32, incidence_angle: Float32) -> Float32:
    """Return the vertical displacement, metres, positive up, if all movement were vertical.

    Parameters
    ----------
    line_of_sight
        Displacement towards the sensor, metres.
    incidence_angle
        From the ellipsoid's normal, radians, same shape.
    """
    return (line_of_sight / np.cos(incidence_angle)).astype(np.float32)


def height_of_ambiguity(
    wavelength: float, slant_range: float, incidence_angle: float, perpendicular_baseline: float
) -> float:
    """Return the height (m) that turns the phase once: wavelength R sin(incidence) / (2 B).

    Infinite for a baseline of 0.
    """
    if perpendicular_baseline == 0.0:
        return np.inf
    across = wavelength * slant_range * float(np.sin(incidence_angle))
    return across / (2.0 * perpendicular_baseline)
