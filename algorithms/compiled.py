"""How the numerical kernels are compiled: one decorator, typed.

Every kernel is cached on disk, releases the interpreter lock (threads work on different blocks)
and follows IEEE division. None is parallel inside: the process that runs them is a fork of a warm
one, which Numba's thread pools do not survive.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel at its first call, or load it from the cache."""
    decorate = njit(cache=True, nogil=True, error_model="numpy")
    return cast("Callable[P, R]", decorate(function))
