"""Scenes of known backscatter under simulated speckle."""

import numpy as np

LOOKS = 4.4  # of a Sentinel-1 IW GRDH product (ESA S1-RS-MDA-52-7441, section 5)


def speckled(rng, backscatter, dates):
    """Independent images of `LOOKS` looks of a scene, float32, shape (time, row, column)."""
    speckle = rng.gamma(LOOKS, 1 / LOOKS, (dates, *backscatter.shape))
    return (backscatter * speckle).astype(np.float32)


def enl(power):
    """Equivalent number of looks of a homogeneous area: mean**2 / variance."""
    power = power.astype(np.float64)
    return power.mean() ** 2 / power.var()


def decibels(ratio):
    return 10 * np.log10(ratio)
