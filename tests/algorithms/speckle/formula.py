"""The multitemporal filter term by term, in float64, as plainly as NumPy says it."""

import numpy as np


def box_sum(image, radius):
    """Sum over squares, the last pixels repeated beyond the edges."""
    padded = np.pad(image, radius, mode="edge")
    side = 2 * radius + 1
    return np.lib.stride_tricks.sliding_window_view(padded, (side, side)).sum(axis=(2, 3))


def mean_by_formula(image, radius):
    image = image.astype(np.float64)
    count = np.maximum(box_sum((image > 0).astype(np.float64), radius), 1)
    return np.where(image > 0, box_sum(image, radius) / count, 0.0)


def quegan_by_formula(stack, radius):
    """The formula of Quegan and Yu."""
    means = np.array([mean_by_formula(image, radius) for image in stack])
    outcore = np.sum(np.divide(stack, means, out=np.zeros(stack.shape), where=means > 0), axis=0)
    number = np.sum(stack > 0, axis=0)
    return means * outcore / np.maximum(number, 1)
