"""The WSGI entry point: ``gunicorn wsgi:application``."""

from peps_wps import logs
from peps_wps.app import create_app
from peps_wps.config import Config

config = Config.load()
logs.configure(config.logging)
application = create_app(config)
