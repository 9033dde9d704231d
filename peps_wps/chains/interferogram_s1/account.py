"""What an interferogram's metadata say: products, geometry, what was found, signs, warnings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from algorithms.interferometry.spectral_diversity import AzimuthShift
from peps_wps.chains.contract import Json
from peps_wps.chains.interferogram_s1.order import Order
from peps_wps.chains.interferometry.air_path import AirPath
from peps_wps.chains.interferometry.describe import SIGNS, geometry_of, lineage, scene_document
from peps_wps.chains.interferometry.facts import FinishedBurst, PairFacts, few_looks
from peps_wps.chains.interferometry.order_fields import looks_text
from peps_wps.chains.interferometry.solve import KeptPair, Merged, Solution
from peps_wps.chains.interferometry.terrain import Relief

# Coherence above which the phase of many looks says something.
_COHERENT = 0.3
_LOW_PERCENT = 10.0  # of cells that are so


@dataclass(frozen=True)
class Account:
    """An order, and what became of it.

    Parameters
    ----------
    order, facts, bursts
        What was asked, the products, the bursts that were computed.
    kept, whole, solution
        The interferogram.
    shift
        The azimuth misregistration; None where it was not looked for, or not found.
    relief
        The terrain of the map.
    air_path
        What the air adds; None where it is not taken off.
    """

    order: Order
    facts: PairFacts
    bursts: tuple[FinishedBurst, ...]
    kept: KeptPair
    shift: AzimuthShift | None
    whole: Merged
    solution: Solution
    relief: Relief
    air_path: AirPath | None = None

    @cached_property
    def geometry(self) -> Json:
        """Baseline, incidence and height of ambiguity at the middle of the image."""
        low, high = self.relief.terrain.height_range or (0.0, 0.0)
        return geometry_of(self.whole.grid.frame, self.kept.secondary_frame, 0.5 * (low + high))

    @cached_property
    def sentence(self) -> str:
        """How it was made."""
        order = self.order
        done = [f"interferogram of {looks_text(order.looks)} looks"]
        if order.filtered:
            exponent = "adaptive" if order.exponent is None else f"{order.exponent:g}"
            done.append(f"filtered (Goldstein, exponent {exponent})")
        if order.unwrap is not None:
            done.append(f"unwrapped ({order.unwrap})")
        if self.air_path is not None:
            done.append(f"less the {self.air_path.air.note}")
        return lineage(self.facts, ", ".join(done))

    @cached_property
    def coherence(self) -> Json:
        """Numbers of the coherence."""
        found = self.whole.coherence[self.whole.held]
        return {
            "median": _rounded(np.median(found)) if found.size else None,
            "mean": _rounded(np.mean(found)) if found.size else None,
            "above_0.3_percent": _percent(found > _COHERENT),
        }

    @cached_property
    def unwrapping(self) -> Json | None:
        """Numbers of the unwrapped phase."""
        unwrapped, looks = self.solution.unwrapped, self.solution.unwrapped_looks
        if unwrapped is None or looks is None:
            return None
        solved = np.isfinite(unwrapped.phase)
        return {
            "method": self.order.unwrap,
            "cells": looks_text(looks),
            "phase_unwrapped": FILTERED_PHASE if self.order.filtered else RAW_PHASE,
            "components": int(unwrapped.components.max()),
            "in_components_percent": _percent(unwrapped.components[solved] > 0),
            "in_largest_percent": _percent(unwrapped.components[solved] == 1),
            "reference": (
                "the mean phase of the most coherent 15 x 15 cells of the largest component is 0"
            ),
            "least_coherence": self.order.min_coherence,
        }

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is to be kept in mind of the result."""
        missing = max([self.relief.missing, *(one.record.missing for one in self.bursts)])
        found = [*self.facts.above(missing).remarks, *few_looks(self.whole.coherence_looks)]
        if self.order.esd and self.shift is None:
            found.append(
                "the azimuth misregistration could not be measured: no overlap of bursts is "
                "coherent enough, or there is none; phases may jump between bursts"
            )
        if (self.coherence["above_0.3_percent"] or 0.0) < _LOW_PERCENT:
            found.append(
                f"the coherence is low: {self.coherence['above_0.3_percent'] or 0.0:.1f} percent "
                f"of the cells are above {_COHERENT}; phases say little there"
            )
        if self.unwrapping is not None and self.unwrapping["components"] == 0:
            found.append("no cycles of the phase are reliable: displacements say nothing")
        return tuple(found)

    def document(self) -> Json:
        """Return the metadata."""
        order, shift = self.order, self.shift
        return {
            "reference": scene_document(self.facts.reference),
            "secondary": scene_document(self.facts.secondary),
            "days": self.facts.days,
            "relative_orbit": self.facts.relative_orbit,
            "orbit_direction": self.facts.orbit_direction,
            "polarization": self.facts.polarization,
            "bursts": [one.record.name for one in self.bursts],
            "looks": {
                "range": order.looks.range,
                "azimuth": order.looks.azimuth,
                "independent": round(self.whole.looks, 2),
                "coherence": round(self.whole.coherence_looks, 2),
            },
            **self.geometry,
            "azimuth_shift": None
            if shift is None
            else {
                "lines": round(shift.lines, 6),
                "standard_error": round(shift.standard_error, 6),
                "concentration": round(shift.concentration, 4),
                "cells": shift.cells,
            },
            "coherence": self.coherence,
            "unwrapping": self.unwrapping,
            "dem": self.relief.datum,
            "troposphere": self.air_path and self.air_path.air.note,
            "signs": SIGNS,
            "warnings": list(self.warnings),
        }


FILTERED_PHASE, RAW_PHASE = "filtered", "not filtered"


def _percent(mask: Any) -> float | None:
    """Return the percent of a mask that is true, None of an empty one."""
    return round(100.0 * float(np.mean(mask)), 3) if mask.size else None


def _rounded(value: Any) -> float:
    return round(float(value), 4)
