"""Which chain does a process: the ``CHAINS`` of the module that the configuration names."""

import importlib
from typing import Any

from peps_wps.chains.contract import Chain
from peps_wps.config import Config
from peps_wps.errors import ConfigError, InvalidInputError


def chain_of(config: Config, process: str) -> Chain[Any]:
    """Return the chain of a process.

    Raises
    ------
    InvalidInputError
        When no chain has this name.
    ConfigError
        When ``[processing] chains`` names no module with chains.
    """
    chains = chains_of(config)
    if process not in chains:
        known = ", ".join(sorted(chains))
        raise InvalidInputError("identifier", f"{process} is no known process, expected: {known}")
    return chains[process]


def chains_of(config: Config) -> dict[str, Chain[Any]]:
    """Return the chains by the names of their processes.

    Raises
    ------
    ConfigError
        When ``[processing] chains`` names no module with chains.
    """
    name = config.processing.chains
    try:
        chains: dict[str, Chain[Any]] = importlib.import_module(name).CHAINS
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"[processing] chains = {name} cannot be used: {error}") from error
    return chains
