"""The files that an order of S1_INTERFEROGRAM comes to."""

from algorithms.interferometry.displacement import phase_of_displacement
from algorithms.interferometry.geocoding import values_on_map
from peps_wps.chains.interferogram_s1.order import Order
from peps_wps.chains.interferometry.air_path import AirPath
from peps_wps.chains.interferometry.geometry_layers import (
    height_layer,
    incidence_layer,
    look_layer,
    mask_layer,
    vertical_layer,
)
from peps_wps.chains.interferometry.mapping import (
    AnyArray,
    Layer,
    Seen,
    complex_layer,
    number_layer,
    phase_layer,
    value_layer,
)
from peps_wps.chains.interferometry.solve import Merged, Solution

WRAPPED, FILTERED, DISPLACEMENT = "wrapped", "filtered", "displacement"
COHERENCE = "coherence"


def layers_of(
    order: Order, whole: Merged, solution: Solution, air_path: AirPath | None = None
) -> list[Layer]:
    """Return the layers of a result; `air_path` is taken off the displacement."""
    layers = [phase_layer(WRAPPED, "Wrapped phase", whole.cells.interferogram)]
    if solution.filtered is not None:
        layers.append(phase_layer(FILTERED, "Wrapped phase, filtered", solution.filtered))
    if order.complex_interferogram:
        layers.append(complex_layer("complex", "Complex interferogram", whole.cells.interferogram))
    layers += [
        value_layer(COHERENCE, "Coherence, without the bias of few looks", whole.coherence),
        value_layer("amplitude", "Amplitude of the reference, not calibrated", whole.amplitude),
    ]
    if solution.unwrapped is not None:
        layers += [
            *_displacement_layers(solution, air_path),
            number_layer(
                "components",
                "Number of the connected component: cycles are reliable within one, 0 in none",
                solution.unwrapped.components,
            ),
        ]
    layers += [incidence_layer(), look_layer(), height_layer()]
    return [*layers, mask_layer()] if order.masks else layers


def _displacement_layers(solution: Solution, air_path: AirPath | None) -> list[Layer]:
    """Return the layers of unwrapped phase and displacement, and of what the air adds to paths."""
    cells = solution.displacement

    def displacement(seen: Seen) -> AnyArray:
        values = values_on_map(cells, seen.grid, seen.view)
        return values if air_path is None else values + air_path.of(seen)

    def phase(seen: Seen) -> AnyArray:
        return phase_of_displacement(displacement(seen), solution.wavelength)

    title = "Displacement along the line of sight, positive towards the satellite"
    layers = [
        Layer("unwrapped", "Unwrapped phase", phase, unit="rad"),
        Layer(DISPLACEMENT, title, displacement, unit="m"),
        vertical_layer(displacement),
    ]
    if air_path is not None:
        title = "Longer path in the troposphere at the second date, added to the displacement"
        layers.append(Layer("troposphere", title, air_path.of, unit="m"))
    return layers
