"""Tape backends behind `storage.backend.TapeBackend`: simulated, HSM folder, WLCG REST, Glacier."""
