"""The tape service and its door, without the rest of the application."""

from werkzeug.test import Client

from peps_wps.app import Application
from peps_wps.services import Services
from peps_wps.web import download, tape_rest
from tests.archive_world import ArchiveWorld


def client_of(world: ArchiveWorld) -> Client:
    services = Services.of(world.config, world.engine)
    return Client(Application(services, [*tape_rest.rules(), *download.rules()]))
