"""The WSGI entry point: ``gunicorn wsgi:application``."""

from peps_wps.app import create_app
from peps_wps.config import Config

application = create_app(Config.load())
