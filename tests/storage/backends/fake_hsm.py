"""An HSM for tests: a folder whose stubs block whoever opens them until their bytes are back.

A process holds a lease (fcntl, F_SETLEASE) on every stub, a sparse file. The kernel tells it when
somebody opens one and lets that wait until the lease is given up, which happens when the bytes
have been written: what a DMAPI does for a real HSM, without root and without FUSE.
"""

import fcntl
import multiprocessing
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

_FORK = multiprocessing.get_context("fork")


class FakeHsm:
    """The folder `root`, whose stubs are filled from the folder `shelf` after `delay_s`."""

    def __init__(self, root: Path, shelf: Path, delay_s: float = 0.01) -> None:
        self.root, self.shelf, self.delay_s = root, shelf, delay_s
        self._pipe, remote = _FORK.Pipe()
        self._process = _FORK.Process(target=self._serve, args=(remote,), daemon=True)
        self._process.start()
        remote.close()

    def migrate(self, path: str) -> None:
        """Take the bytes of a file to the shelf and leave a stub."""
        file, kept = self.root / path, self.shelf / path
        size = file.stat().st_size
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(file.read_bytes())
        os.truncate(file, 0)
        os.truncate(file, size)
        self._ask("hold", path)

    def freeze(self) -> None:
        """Recall nothing more; who opens a stub waits."""
        self._ask("freeze", "")

    def thaw(self) -> None:
        """Go on."""
        self._ask("thaw", "")

    def stop(self) -> None:
        """End; whoever waits gets zeros."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _ask(self, what: str, path: str) -> None:
        self._pipe.send((what, path))
        assert self._pipe.recv() == "done"

    def _serve(self, pipe) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGIO})
        held: dict[str, int] = {}
        is_frozen = False
        while True:
            signal.sigtimedwait({signal.SIGIO}, 0.01)
            while pipe.poll():
                what, path = pipe.recv()
                if what == "hold":
                    held[path] = os.open(self.root / path, os.O_RDWR)
                    fcntl.fcntl(held[path], fcntl.F_SETLEASE, fcntl.F_WRLCK)
                is_frozen = what == "freeze" or (is_frozen and what != "thaw")
                pipe.send("done")
            for path in [] if is_frozen else list(held):
                if fcntl.fcntl(held[path], fcntl.F_GETLEASE) != fcntl.F_WRLCK:
                    self._recall(path, held.pop(path))

    def _recall(self, path: str, descriptor: int) -> None:
        time.sleep(self.delay_s)
        os.pwrite(descriptor, (self.shelf / path).read_bytes(), 0)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(descriptor)


@contextmanager
def fake_hsm(folder: Path):
    """An HSM in two new folders, until the block ends."""
    root, shelf = folder / "hsm", folder / "shelf"
    root.mkdir()
    shelf.mkdir()
    hsm = FakeHsm(root, shelf)
    try:
        yield hsm
    finally:
        hsm.stop()
