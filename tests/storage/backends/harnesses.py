"""Each kind of backend over a system of its own, with means to make that fail."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
import requests
from moto.server import ThreadedMotoServer

from peps_wps.app import create_app
from storage.backends.faults import Fault
from storage.backends.glacier import GlacierVault
from storage.backends.patience import Patience
from storage.backends.posix import PosixHsm
from storage.backends.s3 import S3Bucket, open_bucket
from storage.backends.simtape import SimulatedTape
from storage.backends.wlcg import WlcgTape
from storage.backends.wlcg_site import TapeSite, site_session
from storage.errors import TapeUnavailableError
from storage.model import ArchiveFile
from storage.recall import RecallPolicy
from tests.archive_world import ArchiveWorld
from tests.background import running
from tests.loopback import on_the_loopback
from tests.patience import stretched, until
from tests.storage.backends.fake_hsm import fake_hsm

NOTHING = ArchiveFile("no/such.zip", 1, "sha256", "00", "posix")
HASTY = Patience(poll_s=0.01, longest_pause_s=0.05, away_s=0.2)


class Harness:
    """A backend and the system behind it.

    `writes` says whether it can store files.
    """

    writes = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backend = self.open()

    def open(self):
        """Return a new backend over the same system, as after a restart."""
        raise NotImplementedError

    def add(self, path: str, content: bytes) -> ArchiveFile:
        """Put a file on tape."""
        return self.backend.store(path, lambda part: part.write(content), writer=Path(path).stem)

    def spoil(self, file: ArchiveFile) -> None:
        """Let a file be unreadable for ever."""
        raise NotImplementedError

    def shorten(self, file: ArchiveFile) -> None:
        """Let half of a file arrive."""
        raise NotImplementedError

    def interrupt(self, file: ArchiveFile) -> None:
        """Break the next transfer of a file off in its middle."""

    def crash(self, handle: str) -> None:
        """Do what the kernel does for a process that dies with a batch under way."""

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let the system not be at work until the block ends."""
        raise NotImplementedError
        yield


class SimtapeHarness(Harness):
    """A simulated library, very fast, with the faults that a test asks for."""

    def open(self):
        self.faults: dict[str, list[Fault | None]] = {}
        return SimulatedTape(
            self.folder / "tape", drives=2, speed=1e5, faults=self._fault, repair_s=1e5
        )

    def _fault(self, file, reading):
        planned = self.faults.get(file.path, [])
        return planned[min(reading, len(planned)) - 1] if planned else None

    def spoil(self, file):
        self.faults[file.path] = [Fault.MEDIA_ERROR]

    def shorten(self, file):
        self.faults[file.path] = [Fault.SHORT_READ]

    def interrupt(self, file):
        self.faults[file.path] = [Fault.SHORT_READ, None]

    def crash(self, handle):
        self.backend._sessions[handle].locks.close()

    @contextmanager
    def away(self):
        kept, self.backend._faults = self.backend._faults, lambda file, reading: Fault.DRIVE_DOWN
        try:
            yield
        finally:
            self.backend._faults = kept
            time.sleep(1.1)  # 1e5 s of the library's clock: the drive is repaired


class PosixHarness(Harness):
    """A folder of an HSM that recalls on open."""

    def __init__(self, folder, hsm):
        self.hsm = hsm
        super().__init__(folder)

    def open(self):
        return PosixHsm(self.hsm.root, readers=2, time_limit_s=stretched(0.5))

    def add(self, path, content):
        file = super().add(path, content)
        self.hsm.migrate(path)
        return file

    def spoil(self, file):
        path = self.hsm.root / file.path
        path.unlink()
        path.symlink_to("/proc/self/mem")  # which answers EIO at its beginning

    def shorten(self, file):
        kept = self.hsm.shelf / file.path
        os.truncate(kept, file.size_bytes // 2)
        path = self.hsm.root / file.path
        path.unlink()
        shutil.copyfile(kept, path)

    @contextmanager
    def away(self):
        self.hsm.freeze()
        try:
            yield
        finally:
            self.hsm.thaw()
            until(self._is_at_work, pause_s=0.01)

    def _is_at_work(self):
        try:
            self.backend.release(self.backend.submit("slot-1", [NOTHING]))
        except TapeUnavailableError:
            return False
        return True


class Tampering:
    """A service in front of which things go wrong: for the answers of a path, or for all."""

    def __init__(self, app):
        self.app = app
        self.is_away = False
        self.cut: dict[str, str] = {}

    def __call__(self, environ, start_response):
        if self.is_away:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        cut = self.cut.get(environ["PATH_INFO"])
        if cut is None or environ["REQUEST_METHOD"] != "GET":
            return self.app(environ, start_response)
        kept = []
        body = self.app(environ, lambda *answer: kept.append(answer[:2]))
        content = b"".join(body)
        body.close()
        status, headers = kept[0]
        half = content[: len(content) // 2]
        if cut == "once":
            del self.cut[environ["PATH_INFO"]]
        else:
            headers = [one for one in headers if one[0] != "Content-Length"]
            headers.append(("Content-Length", str(len(half))))
        start_response(status, headers)
        return [half]


class WlcgHarness(Harness):
    """Our own tape service, live on the loopback, with recalls at work behind it."""

    writes = False

    def __init__(self, folder):
        self.world = ArchiveWorld(folder / "site")
        self.tampering = Tampering(create_app(self.world.config, self.world.engine))
        self._exits = ExitStack()
        self.url = self._exits.enter_context(on_the_loopback(self.tampering))
        policy = RecallPolicy(max_attempts=1, idle_s=0.02, lease_s=20.0)
        self._exits.enter_context(running(self.world.service(policy)))
        super().__init__(folder)

    def open(self):
        site = TapeSite(self.url, site_session(None, None))
        return WlcgTape(
            site,
            site_session(None, None),
            self.url,
            batches=2,
            folder="/archive",
            patience=HASTY,
        )

    def add(self, path, content):
        title = Path(path).stem
        uid = self.world.add(title, content, collection=path.split("/")[0])
        file = self.world.archive.find(uid).file
        return ArchiveFile(file.path, file.size_bytes, "sha256", file.checksum, "wlcg")

    def spoil(self, file):
        self.world.tape_file(Path(file.path).stem).unlink()

    def shorten(self, file):
        self.tampering.cut[f"/archive/{file.path}"] = "always"

    def interrupt(self, file):
        self.tampering.cut[f"/archive/{file.path}"] = "once"

    @contextmanager
    def away(self):
        self.tampering.is_away = True
        try:
            yield
        finally:
            self.tampering.is_away = False

    def close(self):
        self._exits.close()


class BreakingBucket(S3Bucket):
    """A bucket whose transfers break off in the middle, or end there."""

    def __init__(self, client, bucket):
        super().__init__(client, bucket)
        self.cut: dict[str, str] = {}

    def read(self, key, start, tag):
        found_tag, chunks = super().read(key, start, tag)
        cut = self.cut.pop(key, None) if self.cut.get(key) == "once" else self.cut.get(key)
        return found_tag, self._half(b"".join(chunks), cut) if cut else chunks

    def _half(self, content, cut):
        yield content[: len(content) // 2]
        if cut == "once":
            raise TapeUnavailableError("the connection broke off")


class GlacierHarness(Harness):
    """A bucket of moto, whose restores take two looks."""

    def __init__(self, folder, url):
        self.url = url
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        client.create_bucket(Bucket="cold")
        self.client = client
        super().__init__(folder)

    def open(self):
        real = open_bucket("cold", region="us-east-1", endpoint_url=self.url)
        self.bucket = BreakingBucket(real._client, "cold")
        scratch = self.folder / "scratch"
        return GlacierVault(self.bucket, scratch=scratch, batches=2, prefix="peps/", patience=HASTY)

    def spoil(self, file):
        self.client.delete_object(Bucket="cold", Key=f"peps/{file.path}")

    def shorten(self, file):
        self.bucket.cut[f"peps/{file.path}"] = "always"

    def interrupt(self, file):
        self.bucket.cut[f"peps/{file.path}"] = "once"

    @contextmanager
    def away(self):
        kept = self.bucket._client
        settings = kept.meta.config
        self.bucket._client = boto3.client(
            "s3", endpoint_url="http://127.0.0.1:9", region_name="us-east-1", config=settings
        )
        try:
            yield
        finally:
            self.bucket._client = kept


@contextmanager
def moto_server(monkeypatch):
    """The address of moto's S3, whose restores are told to be under way twice."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    transition = {
        "model_name": "s3::keyrestore",
        "transition": {"progression": "manual", "times": 2},
    }
    requests.post(f"{url}/moto-api/state-manager/set-transition", json=transition, timeout=5)
    try:
        yield url
    finally:
        server.stop()


@contextmanager
def harness(kind: str, folder: Path, monkeypatch) -> Iterator[Harness]:
    """Give the harness of one kind of backend until the block ends."""
    with ExitStack() as exits:
        if kind == "simtape":
            yield SimtapeHarness(folder)
        elif kind == "posix":
            yield PosixHarness(folder, exits.enter_context(fake_hsm(folder)))
        elif kind == "wlcg":
            found = WlcgHarness(folder)
            exits.callback(found.close)
            yield found
        else:
            yield GlacierHarness(folder, exits.enter_context(moto_server(monkeypatch)))
