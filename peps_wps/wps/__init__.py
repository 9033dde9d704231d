"""PyWPS as protocol layer: service, front parser, status documents."""
