"""Where compiled kernels are kept: a folder for exactly these sources.

Numba keeps a compiled kernel until the file that defines it changes, not when a kernel that it
calls does, in another file. In a folder named after all sources with kernels, a new version never
runs a kernel with an old one inside. ``NUMBA_CACHE_DIR`` puts them elsewhere; then its owner
empties it at an update.
"""

import hashlib
import os
import shutil
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"
PACKAGES = ("algorithms", "simulator")  # whose kernels call each other across files


def use_own_folder() -> None:
    """Tell Numba, in this process and its children, to keep kernels in the folder of the sources.

    Numba reads its environment when it is imported: call this before.
    """
    os.environ.setdefault(VARIABLE, str(own_folder()))


def own_folder() -> Path:
    """Return the folder of the kernels of the sources as they are now."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for source in sorted(file for package in PACKAGES for file in (root / package).rglob("*.py")):
        digest.update(str(source.relative_to(root)).encode() + b"\0" + source.read_bytes())
    parent = root / PACKAGES[0] / "__pycache__"
    if not os.access(parent if parent.is_dir() else parent.parent, os.W_OK):
        parent = Path.home() / ".cache" / "peps"
    return parent / f"kernels-{digest.hexdigest()[:16]}"


def remove_older() -> None:
    """Remove the folders of other versions of the sources; who still runs one compiles again."""
    own = own_folder()
    for folder in own.parent.glob("kernels-*"):
        if folder != own:
            shutil.rmtree(folder, ignore_errors=True)
