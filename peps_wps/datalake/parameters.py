"""Which folder holds the results of which parameters.

The operator's standard parameters have the folder without a suffix; any others have one that is a
digest of them, so that files of different making never lie side by side.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping
from typing import Any

from peps_wps.errors import ConfigError

ORTHO = "S1-L1-ORTHO"
_DIGITS = 8


def parameters_hash(parameters: Mapping[str, Any]) -> str:
    """Return eight hexadecimal digits that tell parameters from every other.

    They are the first of the SHA-256 of the canonical JSON: keys sorted, no spaces, no number
    written with a fraction that is whole. Names and values count, nothing else.
    """
    canonical = json.dumps(
        _canonical(parameters), sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    return hashlib.sha256(canonical.encode()).hexdigest()[:_DIGITS]


def collection_folder(
    parameters: Mapping[str, Any], *, standard: Mapping[str, Any], name: str = ORTHO
) -> str:
    """Return the folder of the collection for results of these parameters.

    Parameters
    ----------
    parameters
        All that decides the pixels, JSON values by name.
    standard
        The same for the operator's standard results, as `standard_parameters` gives them.
    name
        Of the collection with standard parameters.

    Returns
    -------
    ``S1-L1-ORTHO``, or ``S1-L1-ORTHO-5f2c09ab``.
    """
    digest = parameters_hash(parameters)
    return name if digest == parameters_hash(standard) else f"{name}-{digest}"


def standard_parameters(setting: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operator's standard parameters.

    Parameters
    ----------
    setting
        ``[datalake] standard``: a JSON object, or words such as ``calibration=sigma0 window=2``;
        empty for the defaults.
    defaults
        All parameters with the values that they have when an order says nothing.

    Raises
    ------
    ConfigError
        When the setting cannot be read, or names what is no parameter.
    """
    chosen = _read(setting)
    unknown = sorted(set(chosen) - set(defaults))
    if unknown:
        raise ConfigError(
            f"[datalake] standard has {unknown[0]}, expected some of {', '.join(sorted(defaults))}"
        )
    return {**defaults, **chosen}


def _read(setting: str) -> dict[str, Any]:
    text = setting.strip()
    if not text.startswith("{"):
        return dict(_word(word) for word in shlex.split(text))
    try:
        chosen: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"[datalake] standard = {text} is no JSON object: {error}") from error
    return chosen


def _word(word: str) -> tuple[str, Any]:
    name, is_given, value = word.partition("=")
    if not (name and is_given):
        raise ConfigError(f"[datalake] standard has {word}, expected a word such as window=2")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value  # a word is text without its quotes


def _canonical(value: Any) -> Any:
    """Return a value such that what means the same is written the same."""
    if isinstance(value, Mapping):
        return {str(key): _canonical(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
