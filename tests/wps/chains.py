"""The chains of a service for real clients: echo itself, and stand-ins for what takes minutes."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from peps_wps.chains.contract import FinishedTask, Output, Outputs, Progress
from peps_wps.chains.echo import Echo
from tests.jobs.stand_in_chains import Order, StandIn


class Zips(StandIn):
    """Gives one zip and one picture, as most processes of PEPS do."""

    def gather(
        self, order: Order, finished: Sequence[FinishedTask], folder: Path, progress: Progress
    ) -> Outputs:
        with zipfile.ZipFile(folder / "31TCJ.zip", "w") as archive:
            archive.writestr("31TCJ/clear.txt", "clear")
        (folder / "31TCJ.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        outputs = (
            Output("archive", "application/zip", path="31TCJ.zip"),
            Output("quicklook", "image/png", path="31TCJ.png"),
            Output("tiles", "text/plain", value="1"),
        )
        return Outputs(outputs, {"tiles": ["31TCJ"]})


CHAINS = {
    "echo": Echo(),
    "S1_ORTHO": Zips(),
    "FULL_MAJA": Zips(),
    "AMALTHEE": StandIn(),
    "STAND_IN": StandIn(),
}
