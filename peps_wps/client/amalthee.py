"""The verbs of libamalthee, which users of the CNES computing centre know, over this client."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peps_wps.client.errors import ClientError, UnreachableError
from peps_wps.client.filters import Filters, Time
from peps_wps.client.peps import Peps
from peps_wps.client.products import MOST_RECORDS
from peps_wps.client.wps import JobStatus

PROCESS = "AMALTHEE"


@dataclass(frozen=True)
class Availability:
    """A product, and whether it is on disk."""

    name: str
    available: bool


class Amalthee:
    """A selection of products that is brought from tape to disk.

    Parameters
    ----------
    service
        ``peps``; others had other archives.
    peps
        The server; the usual one where none is given.

    Examples
    --------
    >>> a = Amalthee("peps")  # doctest: +SKIP
    >>> a.search("S2ST", "2021-06-01", "2021-09-01", {"tileid": "31TCJ"})  # doctest: +SKIP
    >>> job = a.fill_datalake()  # doctest: +SKIP
    """

    def __init__(self, service: str = "peps", peps: Peps | None = None) -> None:
        if service != "peps":
            raise ValueError(f"the service is {service}, expected peps")
        self._peps = peps or Peps()
        self._products: dict[str, bool] = {}
        self.job: str | None = None

    @property
    def products(self) -> list[Availability]:
        """The selection, as it was seen last; ``pandas.DataFrame`` takes it as it is."""
        return [Availability(name, on_disk) for name, on_disk in self._products.items()]

    def search(
        self,
        collection: str,
        start: Time,
        end: Time,
        parameters: Mapping[str, str] | None = None,
        nthreads: int = 1,  # noqa: ARG002  (scripts give it; pages follow one another)
    ) -> None:
        """Add what a search finds to the selection.

        Parameters
        ----------
        collection
            ``S1``, ``S2``, ``S2ST`` or ``S3``.
        start, end
            Of sensing.
        parameters
            Further ones, by their names in resto.
        nthreads
            Changes nothing.
        """
        filters = Filters(collection=collection, start=start, end=end, others=parameters or {})
        for product in self._peps.search(filters):
            self._products[product.title] = product.mode == "disk"

    def add(self, names: Iterable[str]) -> None:
        """Add products to the selection by their titles."""
        for name in names:
            product = self._peps.find(name)
            self._products[product.title] = product.mode == "disk"

    def check_datalake(self) -> list[Availability]:
        """Look again which products are on disk; return the selection."""
        names = list(self._products)
        for begin in range(0, len(names), MOST_RECORDS):
            self._products.update(self._on_disk(names[begin : begin + MOST_RECORDS]))
        return self.products

    def fill_datalake(self) -> str:
        """Order that the selection be brought to disk; return the identifier of the job.

        Raises
        ------
        RefusedError
            When the server refuses the order.
        """
        if not self._products:
            raise ClientError("nothing is selected: search or add products first")
        self.job = self._peps.order(PROCESS, products=list(self._products)).id
        return self.job

    def wait(self, job: str | None = None, interval_s: float = 5.0) -> JobStatus:
        """Return when a job, the last one where none is named, is over."""
        return self._peps.wps.follow(self._known(job), lambda _: None, interval_s=interval_s)

    def create_links(self, directory: str | Path, job: str | None = None) -> list[Path]:
        """Make a link ``<title>.zip`` to each product that the server tells a local path of.

        Parameters
        ----------
        directory
            Where; it is made if it is not there.
        job
            Whose products; those of the last one where none is named.

        Raises
        ------
        ClientError
            When the server tells no path: this machine has no share in its disks, perhaps.
        """
        folder = Path(directory)
        paths = {
            one["title"]: Path(one["path"])
            for one in self._report(self._known(job)).get("products", ())
            if one.get("path")
        }
        if not paths:
            raise ClientError("the server tells no local path of these products")
        folder.mkdir(parents=True, exist_ok=True)
        links = []
        for title, path in paths.items():
            link = folder / f"{Path(title).name}.zip"
            link.unlink(missing_ok=True)
            link.symlink_to(path)
            links.append(link)
        return links

    def _on_disk(self, names: list[str]) -> dict[str, bool]:
        try:
            localities = self._peps.tape.localities(names)
        except UnreachableError:  # a server without a tape service
            return {name: self._peps.find(name).mode == "disk" for name in names}
        return {name: "DISK" in localities.get(name, "") for name in names}

    def _known(self, job: str | None) -> str:
        if (known := job or self.job) is None:
            raise ClientError("nothing was ordered yet")
        return known

    def _report(self, job: str) -> dict[str, Any]:
        """Return the report of a job."""
        outputs = self._peps.wps.status(job).outputs
        for output in reversed(outputs):
            if output.href is not None and output.href.endswith(".json"):
                with self._peps.server.send("GET", output.href) as answer:
                    report: dict[str, Any] = answer.json()
                return report
        raise UnreachableError(f"job {job} has no report")
