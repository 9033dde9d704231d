"""Services that run in threads while a test looks on."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Protocol


class Service(Protocol):
    """What runs until it is told to stop."""

    def run(self, stop: Event) -> object: ...


@contextmanager
def running(*services: Service) -> Iterator[None]:
    """Run services; when the block is left they are told to stop, and have."""
    stop = Event()
    threads = [Thread(target=service.run, args=(stop,)) for service in services]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
