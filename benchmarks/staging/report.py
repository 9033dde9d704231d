"""Figures of simulated runs, and a picture of what the drives did."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from benchmarks.staging.library import MAX_WAIT_S, Run

_COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
_ROW, _WIDTH = 26, 900


def waits_min(run: Run) -> np.ndarray:
    """Return how long each request waited, minutes."""
    return np.array([one.wait_s for one in run.served]) / 60


def slack_min(run: Run) -> float:
    """Return by how much the longest wait stays below max_wait and the longest batch, minutes."""
    return (MAX_WAIT_S + run.longest_session_s) / 60 - float(waits_min(run).max())


def unfairness(run: Run) -> float:
    """Return by how much one user's mean wait differs from the mean of all, of users alike."""
    waits: dict[str, list[float]] = defaultdict(list)
    for one in run.served:
        waits[one.user].append(one.wait_s)
    means = np.array([np.mean(of_user) for of_user in waits.values()])
    return float(np.abs(means / means.mean() - 1).max())


def unfairness_halfway(run: Run) -> float:
    """Return the like for the bytes that each user has at half of the time."""
    has: dict[str, int] = defaultdict(int)
    for one in run.served:
        has[one.user] += one.size_bytes if one.ready_s <= run.makespan_s / 2 else 0
    amounts = np.array(list(has.values()))
    return float(np.abs(amounts / amounts.mean() - 1).max())


def is_oldest_first(run: Run, since_s: float) -> bool:
    """Tell whether, from a time on, tapes were mounted in the order of their oldest request."""
    oldest = [one.oldest for one in run.sessions if one.is_mount and one.begin_s > since_s]
    return oldest == sorted(oldest)


def draw_drives(run: Run, path: Path) -> None:
    """Write the timeline of the drives as SVG: a bar a batch, its colour that of the tape."""
    drives = sorted({one.drive for one in run.sessions})
    scale = _WIDTH / run.makespan_s
    height = _ROW * (len(drives) + 1)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-70 0 {_WIDTH + 80} {height}" '
        'font-family="sans-serif" font-size="11">'
    ]
    for row, drive in enumerate(drives):
        lines.append(f'<text x="-66" y="{_ROW * row + 17}">{drive}</text>')
        for one in (one for one in run.sessions if one.drive == drive):
            color = _COLORS[int(one.tape[1:]) % len(_COLORS)]
            lines.append(
                f'<rect x="{one.begin_s * scale:.1f}" y="{_ROW * row + 4}" '
                f'width="{(one.end_s - one.begin_s) * scale:.1f}" height="{_ROW - 8}" '
                f'fill="{color}" stroke="white"><title>{one.tape}: {one.files} files</title></rect>'
            )
    for hour in np.arange(0, run.makespan_s / 3600, 0.5):
        x = hour * 3600 * scale
        lines.append(f'<text x="{x:.1f}" y="{height - 8}">{hour:g} h</text>')
    path.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")
