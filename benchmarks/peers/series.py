"""Inverts a stack with insar-rs: run by `benchmarks.time_series` in that engine's environment.

    python series.py STACK.npz ANSWER.npz [close]

`close` corrects wrong cycles by triangles first.
"""

import sys
import time

import insar_rs
import numpy as np


def main():
    given, answer = sys.argv[1:3]
    is_closed = "close" in sys.argv[3:]
    with np.load(given) as stack:
        phases = np.ascontiguousarray(stack["phases"])
        first, second = (stack["pairs"][:, k].astype(int).tolist() for k in (0, 1))
        days = stack["days"].astype(int).tolist()
    small = np.ascontiguousarray(phases[:, :4, :4])
    insar_rs.invert_sbas(small, first, second, days)
    start = time.process_time()
    if is_closed:
        phases = insar_rs.correct_unwrap_errors(phases, first, second)[0]
    series = insar_rs.invert_sbas(phases, first, second, days)
    velocity = insar_rs.estimate_velocity(series, days)
    cpu_s = time.process_time() - start
    np.savez(answer, displacement=series, velocity=velocity, cpu_s=cpu_s)


if __name__ == "__main__":
    main()
