"""Warming leaves nothing to compile for real work."""

import importlib
import pkgutil

import numpy as np
from affine import Affine

import algorithms
from algorithms.block import Block
from algorithms.radar import calibration, ortho_kernels, resampling
from algorithms.radar import model as radar_model
from algorithms.radar.border import BorderFinder
from algorithms.radar.calibration import backscatter
from algorithms.radar.geometry import RadarGeometry
from algorithms.radar.ortho import block_positions, prepare_tile, source_window
from algorithms.radar.resampling import RADIUS, resample
from algorithms.warm import warm


def kernels_of(module):
    return {
        f"{module.__name__}.{name}": value
        for name, value in vars(module).items()
        if hasattr(value, "signatures") and value.__module__ == module.__name__
    }


def compiled_signatures():
    modules = (calibration, ortho_kernels, radar_model, resampling)
    kernels = {name: kernel for module in modules for name, kernel in kernels_of(module).items()}
    return {name: len(kernel.signatures) for name, kernel in kernels.items()}


def called_by(kernel):
    """Names of what a kernel calls: kernels among them come loaded inside it."""
    function = kernel.py_func
    found = (function.__globals__.get(name) for name in function.__code__.co_names)
    return {f"{one.__module__}.{one.__name__}" for one in found if hasattr(one, "signatures")}


def test_no_kernel_is_left_cold():
    warm()
    found = pkgutil.walk_packages(algorithms.__path__, "algorithms.")
    modules = [importlib.import_module(one.name) for one in found]
    kernels = {name: kernel for module in modules for name, kernel in kernels_of(module).items()}
    inside_others = {name for kernel in kernels.values() for name in called_by(kernel)}
    cold = {name for name, kernel in kernels.items() if not kernel.signatures}
    assert "algorithms.speckle.box.mean_of_row" in inside_others
    assert cold - inside_others == set()


def test_a_real_block_compiles_nothing_more(massif_central):
    warm()
    before = compiled_signatures()

    geometry = RadarGeometry.from_annotations([massif_central])
    nodes = prepare_tile(
        geometry,
        epsg=32631,
        transform=Affine(10, 0, 540_000, 0, -10, 5_050_000),
        shape=(128, 128),
        height_range=(0.0, 500.0),
    )
    heights = np.full((200, 200), 200.0, np.float32)
    positions = block_positions(
        nodes, Block(0, 0, 128, 128), heights, Affine(1e-3, 0, 3.4, 0, -1e-3, 45.7)
    )
    window = source_window(geometry, positions, 3)
    shape = window.last_line - window.first_line, window.last_sample - window.first_sample
    numbers = np.full(shape, 100, np.uint16)
    numbers.flags.writeable = False
    power = backscatter(
        numbers,
        first_line=window.first_line,
        first_sample=window.first_sample,
        table=massif_central.calibration["sigma0"],
        noise=massif_central.noise,
    )
    for method in RADIUS:
        values = resample(power, *positions.relative_to(window), method=method)
        assert np.isfinite(values).all()
    finder = BorderFinder(*shape)
    finder.add(numbers)
    finder.border()

    assert before["algorithms.radar.ortho_kernels.fill_positions"] >= 1
    assert compiled_signatures() == before
