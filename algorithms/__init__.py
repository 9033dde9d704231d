"""Pure numerics: arrays in, arrays out; no file, network, clock or global state."""
