"""Where on a serpentine tape a byte lies, and how long a drive takes to get there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """A place on the tape: number of the wrap, distance from the beginning of the tape (m)."""

    wrap: int
    along_m: float


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
    bands
        Strips of the tape's width between servo tracks; each holds as many wraps as the others.
    """

    capacity_bytes: int = 12 * 10**12
    wraps: int = 208
    length_m: float = 960.0
    bands: int = 4

    def place(self, position: int) -> Place:
        """Return where a position (bytes from the beginning of the data) lies."""
        wrap, fraction = divmod(position * self.wraps / self.capacity_bytes, 1)
        return Place(int(wrap), self.length_m * (fraction if wrap % 2 == 0 else 1 - fraction))

    def band(self, wrap: int) -> int:
        """Return the band that a wrap belongs to."""
        return wrap * self.bands // self.wraps


class LocateModel(Protocol):
    """How long a drive takes from one place of a tape to another."""

    @property
    def geometry(self) -> TapeGeometry:
        """The tape."""

    def locate_s(self, origin: Place, target: Place) -> float:
        """Return the time from the end of one reading to the beginning of another, seconds."""

    def rewind_s(self, origin: Place) -> float:
        """Return the time back to the beginning of the tape, seconds."""


@dataclass(frozen=True, slots=True)
class Winding:
    """The time it takes to wind the tape at a constant speed; changing wraps costs nothing."""

    geometry: TapeGeometry = TapeGeometry()
    speed_m_s: float = 10.0

    def locate_s(self, origin: Place, target: Place) -> float:
        """Return the time from the end of one reading to the beginning of another, seconds."""
        return abs(target.along_m - origin.along_m) / self.speed_m_s

    def rewind_s(self, origin: Place) -> float:
        """Return the time back to the beginning of the tape, seconds."""
        return origin.along_m / self.speed_m_s


@dataclass(frozen=True, slots=True)
class MeasuredLocates:
    """A regression over locates measured on LTO drives; it knows wraps, bands and directions.

    References
    ----------
    CERN Tape Archive, ``tapeserver/castor/tape/tapeserver/RAO/CTACostHeuristic.cpp`` (coefficients)
    and ``RAOHelpers.cpp`` (what counts as a step back, a landing zone, a band). Its unit of length,
    the LPOS, is a 168,401st of a pass of LTO-7 type M (2,696 to 171,097), 960 m.
    """

    geometry: TapeGeometry = TapeGeometry()

    def locate_s(self, origin: Place, target: Place) -> float:
        """Return the time from the end of one reading to the beginning of another, seconds."""
        advance_m = target.along_m - origin.along_m
        seconds = _LOCATE_S + _WIND_S_M * abs(advance_m)
        if origin.wrap == target.wrap:
            if advance_m and (advance_m < 0) == (origin.wrap % 2 == 0):
                seconds += _STEP_BACK_S
        else:
            seconds += _WRAP_CHANGE_S
            if (origin.wrap - target.wrap) % 2:
                seconds += _DIRECTION_CHANGE_S
            if self.geometry.band(origin.wrap) != self.geometry.band(target.wrap):
                seconds += _BAND_CHANGE_S
        half_m = self.geometry.length_m / 2
        if (origin.along_m < half_m) != (target.along_m < half_m):
            seconds += _LANDING_ZONE_CHANGE_S
        return seconds

    def rewind_s(self, origin: Place) -> float:
        """Return the time back to the beginning of the tape, seconds."""
        return _WIND_S_M * origin.along_m


_LOCATE_S = 4.29
_WRAP_CHANGE_S = 6.69
_BAND_CHANGE_S = 3.2
_DIRECTION_CHANGE_S = 5.22
_STEP_BACK_S = 11.32
_LANDING_ZONE_CHANGE_S = -6.04
_WIND_S_M = 0.0006192 * 168_401 / 960


@dataclass(frozen=True, slots=True)
class TapeDriveModel:
    """A make of drives and the tape in them. The figures are those of LTO-8.

    Parameters
    ----------
    locate
        How it finds a place on the tape.
    bandwidth_bytes_s
        Streaming rate, bytes/s.
    load_s, unload_s
        To make a tape ready that was put in, to give it out once it is rewound; seconds.
    robot_s
        Time of the robot between drive and shelf, seconds.
    """

    locate: LocateModel = field(default_factory=MeasuredLocates)
    bandwidth_bytes_s: float = 360e6
    load_s: float = 15.0
    unload_s: float = 21.0
    robot_s: float = 10.0

    def mount_s(self) -> float:
        """Return the time to put a tape into an empty drive, seconds."""
        return self.robot_s + self.load_s

    def dismount_s(self, head: int) -> float:
        """Return the time to rewind, unload and shelve a tape; `head` is its position, bytes."""
        rewind_s = self.locate.rewind_s(self.locate.geometry.place(head))
        return rewind_s + self.unload_s + self.robot_s

    def readings_s(self, head: int, spans: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
        """Return when each file begins and ends to stream, seconds after the first locate began.

        Parameters
        ----------
        head
            Position of the head, bytes.
        spans
            Position and size of each file in reading order, bytes.
        """
        now, place = 0.0, self.locate.geometry.place(head)
        readings = []
        for position, size_bytes in spans:
            begin = now + self.locate.locate_s(place, self.locate.geometry.place(position))
            now = begin + size_bytes / self.bandwidth_bytes_s
            place = self.locate.geometry.place(position + size_bytes)
            readings.append((begin, now))
        return readings


# Tape T2: StorageTek T10000D data sheet. 4,608 tracks are 144 passes of its 32 channels.
T10000D_TAPE = TapeGeometry(capacity_bytes=85 * 10**11, wraps=144, length_m=1147.0)
LTO8 = TapeDriveModel()
T10000D = TapeDriveModel(
    MeasuredLocates(T10000D_TAPE), bandwidth_bytes_s=252e6, load_s=13.0, unload_s=23.0
)
