"""Where on a serpentine tape a byte lies, and in which order files are read with little winding."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TapeGeometry:
    """A serpentine tape: wraps written forth and back. The figures are those of LTO-8.

    Parameters
    ----------
    capacity_bytes
        Native capacity.
    wraps
        Passes from one end to the other.
    length_m
        Length of a pass, metres.
    """

    capacity_bytes: int = 12 * 10**12
    wraps: int = 208
    length_m: float = 960.0

    def distance_m(self, origin: int, position: int) -> float:
        """Return how far the tape is wound between two positions, metres along the tape.

        Wraps lie side by side: a position half a tape of data away may be under the next head.
        """
        return abs(self._along_m(position) - self._along_m(origin))

    def _along_m(self, position: int) -> float:
        """Distance of a position from the beginning of the tape, metres."""
        wrap, fraction = divmod(position / self.capacity_bytes * self.wraps, 1)
        return self.length_m * (fraction if wrap % 2 == 0 else 1 - fraction)


def nearest_first(
    geometry: TapeGeometry, start: int, spans: Sequence[tuple[int, int]]
) -> list[int]:
    """Return the indices of files in reading order, the nearest to the head next.

    Parameters
    ----------
    geometry
        The tape.
    start
        Position of the head, bytes.
    spans
        Position and size of each file, bytes.
    """
    left = list(range(len(spans)))
    ordered = []
    head = start
    while left:
        index = min(left, key=lambda one: (geometry.distance_m(head, spans[one][0]), spans[one]))
        left.remove(index)
        ordered.append(index)
        head = sum(spans[index])
    return ordered
