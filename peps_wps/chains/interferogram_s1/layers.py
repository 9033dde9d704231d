"""The files that an order of S1_INTERFEROGRAM comes to."""

from peps_wps.chains.interferogram_s1.order import Order
from peps_wps.chains.interferometry.geometry_layers import (
    height_layer,
    incidence_layer,
    look_layer,
    mask_layer,
    vertical_layer,
)
from peps_wps.chains.interferometry.mapping import (
    Layer,
    complex_layer,
    number_layer,
    phase_layer,
    value_layer,
)
from peps_wps.chains.interferometry.solve import Merged, Solution

WRAPPED, FILTERED, DISPLACEMENT = "wrapped", "filtered", "displacement"
COHERENCE = "coherence"


def layers_of(order: Order, whole: Merged, solution: Solution) -> list[Layer]:
    """Return the layers of a result."""
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
        displacement = solution.displacement
        layers += [
            value_layer("unwrapped", "Unwrapped phase", solution.phase, "rad"),
            value_layer(
                DISPLACEMENT,
                "Displacement along the line of sight, positive towards the satellite",
                displacement,
                "m",
            ),
            vertical_layer(displacement),
            number_layer(
                "components",
                "Number of the connected component: cycles are reliable within one, 0 in none",
                solution.unwrapped.components,
            ),
        ]
    layers += [incidence_layer(), look_layer(), height_layer()]
    return [*layers, mask_layer()] if order.masks else layers
