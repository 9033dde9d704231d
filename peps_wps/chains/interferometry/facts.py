"""What results say of the products of a pair: told by the tasks that read them, as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import shapely
from shapely.geometry.base import BaseGeometry

from peps_wps.chains.contract import FinishedTask, Json
from peps_wps.chains.interferometry.bursts import SlcPair, near_incidence, outline
from peps_wps.chains.interferometry.cells import BurstRecord
from peps_wps.readers.sentinel1_slc import SlcProduct

ORBIT_REMARK = {
    "precise": "",
    "restituted": "the orbit of {title} is a restituted one, centimetres less exact",
    "annotation": (
        "no orbit file covers {title}: the vectors of its annotation were used, "
        "which may leave ramps of phase"
    ),
}
# Independent looks from which what is left of the bias of the coherence is below 0.02.
_ENOUGH_LOOKS = 20.0


def missing_heights(share: float) -> tuple[str, ...]:
    """Return what is to be told of a share of heights that no file holds, nothing of none."""
    if share <= 0.0:
        return ()
    return (f"{100 * share:.2g} percent of the heights are missing, taken as sea level",)


def few_looks(looks: float) -> tuple[str, ...]:
    """Return what is to be told of few independent looks of coherences, nothing of enough."""
    if looks >= _ENOUGH_LOOKS:
        return ()
    return (
        f"coherences stand on {looks:.1f} independent looks: they scatter widely, and lie off by "
        f"some hundredths on the average; {_ENOUGH_LOOKS:g} or more are sound",
    )


@dataclass(frozen=True)
class SceneFacts:
    """One pass of a pair: times UTC as ISO 8601, the orbit that was used and its kind.

    `title` is that of its product, or of several with "and" between; `titles` are those of all.
    """

    title: str
    platform: str
    start: str
    stop: str
    orbit_number: int
    orbit: str
    orbit_kind: str
    processor: str
    titles: tuple[str, ...]

    @classmethod
    def of(cls, product: SlcProduct) -> "SceneFacts":
        """Return what is told of an opened product."""
        manifest = product.manifest
        return cls(
            product.title,
            manifest.platform,
            manifest.start.isoformat(),
            manifest.stop.isoformat(),
            manifest.orbit_number,
            product.orbit_source,
            product.orbit_kind,
            str(manifest.ipf_version or ""),
            product.titles,
        )

    @classmethod
    def from_json(cls, body: Json) -> "SceneFacts":
        """Return the facts of a pass of JSON; without `titles`, from before slices."""
        return cls(**{**body, "titles": tuple(body.get("titles", [body["title"]]))})

    @property
    def time(self) -> datetime:
        """Its first line."""
        return datetime.fromisoformat(self.start)

    @property
    def end(self) -> datetime:
        """Its last line."""
        return datetime.fromisoformat(self.stop)


@dataclass(frozen=True)
class PairFacts:
    """A pair.

    Parameters
    ----------
    reference, secondary
        Its products.
    polarization, mode, orbit_direction, relative_orbit
        Of both.
    near_incidence
        The least incidence angle, radians.
    outline
        WKT of what its bursts show, degrees, longitudes continuous.
    remarks
        What is to be kept in mind.
    """

    reference: SceneFacts
    secondary: SceneFacts
    polarization: str
    mode: str
    orbit_direction: str
    relative_orbit: int
    near_incidence: float
    outline: str
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, pair: SlcPair) -> "PairFacts":
        """Return what is told of an opened pair."""
        scenes = SceneFacts.of(pair.reference), SceneFacts.of(pair.secondary)
        manifest = pair.reference.manifest
        orbits = [ORBIT_REMARK[one.orbit_kind].format(title=one.title) for one in scenes]
        return cls(
            *scenes,
            pair.reference.polarization,
            manifest.mode,
            manifest.orbit_direction,
            manifest.relative_orbit,
            near_incidence(pair, pair.keys),
            shapely.to_wkt(outline(pair), rounding_precision=6),
            (*(remark for remark in orbits if remark), *pair.remarks),
        )

    def to_json(self) -> Json:
        """Return the facts as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Json) -> "PairFacts":
        """Return the facts that `to_json` gave."""
        scenes = {name: SceneFacts.from_json(body[name]) for name in ("reference", "secondary")}
        return cls(**{**body, **scenes, "remarks": tuple(body["remarks"])})

    def above(self, missing: float) -> "PairFacts":
        """Return the facts with a remark where a share of the heights below is missing."""
        remarks = (*self.remarks, *missing_heights(missing))
        return replace(self, remarks=remarks)

    @property
    def scenes(self) -> tuple[SceneFacts, SceneFacts]:
        """Both products."""
        return self.reference, self.secondary

    @property
    def shown(self) -> BaseGeometry:
        """What its bursts show."""
        return shapely.from_wkt(self.outline)

    @property
    def days(self) -> float:
        """Days from the reference to the secondary."""
        seconds = (self.secondary.time - self.reference.time).total_seconds()
        return round(seconds / 86_400.0, 3)

    @property
    def stem(self) -> str:
        """Begin of file names: ``s1a_iw_vv_ASC_030_20210809_20210821``."""
        days = "_".join(f"{scene.time:%Y%m%d}" for scene in self.scenes)
        direction = {"ascending": "ASC", "descending": "DES"}[self.orbit_direction]
        return (
            f"{self.reference.platform.lower()}_{self.mode.lower()}_{self.polarization.lower()}_"
            f"{direction}_{self.relative_orbit:03d}_{days}"
        )


def cells_body(pair: SlcPair, records: Sequence[BurstRecord]) -> Json:
    """Return what a task tells that computed some bursts of a pair."""
    return {
        "pair": PairFacts.of(pair).to_json(),
        "bursts": [record.to_json() for record in records],
    }


@dataclass(frozen=True)
class FinishedBurst:
    """A burst that an earlier task computed, and where its file lies."""

    record: BurstRecord
    task: FinishedTask


def finished_bursts(earlier: Sequence[FinishedTask]) -> tuple[PairFacts, list[FinishedBurst]]:
    """Return what tasks with bodies of `cells_body` told of one pair."""
    facts = PairFacts.from_json(earlier[0].result.body["pair"])
    bursts = [
        FinishedBurst(BurstRecord.from_json(body), task)
        for task in earlier
        for body in task.result.body["bursts"]
    ]
    return facts, bursts
