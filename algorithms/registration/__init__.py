"""Fine registration: how one image must move to lie on another of the same ground.

Tie points by the engine of `algorithms.correlation`, a model of few parameters through them that no
false point bends, what it is worth, and one resampling.
"""

from algorithms.registration.engine import Registration, register
from algorithms.registration.errors import RegistrationError
from algorithms.registration.model import Kind, Model, Shift
from algorithms.registration.tie_points import Places, TiePoints

__all__ = [
    "Kind",
    "Model",
    "Places",
    "Registration",
    "RegistrationError",
    "Shift",
    "TiePoints",
    "register",
]
