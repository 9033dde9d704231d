"""How the numerical kernels are compiled: one decorator, typed.

Every kernel is cached on disk, releases the interpreter lock (threads work on different blocks)
and follows IEEE division. None is parallel inside: the process that runs them is a fork of a warm
one, which Numba's thread pools do not survive.

Numba keeps a cached kernel until the file that defines it changes, not when a kernel that it calls
does. The cache therefore lies in a folder named after all sources of this package: a new version
never runs a kernel with an old one inside. ``NUMBA_CACHE_DIR`` moves it elsewhere.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from numba import njit
from numba.core import config

P = ParamSpec("P")
R = TypeVar("R")


def _cache_folder() -> Path:
    """Return the folder of the kernels of exactly these sources."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for source in sorted(package.glob("*.py")):
        digest.update(source.read_bytes())
    return package / "__pycache__" / f"kernels-{digest.hexdigest()[:16]}"


if "NUMBA_CACHE_DIR" not in os.environ:
    vars(config)["CACHE_DIR"] = str(_cache_folder())


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel at its first call, or load it from the cache."""
    decorate = njit(cache=True, nogil=True, error_model="numpy")
    return cast("Callable[P, R]", decorate(function))
