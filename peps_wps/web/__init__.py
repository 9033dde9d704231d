"""The other protocols of the one WSGI application: resto, downloads, health."""
