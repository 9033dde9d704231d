"""Orders that die without a word, and whether the datalake is then as if they had not."""

import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# What leaves a trace on disk is done through these.
_STEPS = ("link", "replace", "rename", "unlink", "fsync", "mkdir", "rmdir")


def die_after(steps: int) -> None:
    """Have this process killed where it would take the last of so many steps."""
    left = steps

    def counted(step: Callable[..., Any]) -> Callable[..., Any]:
        def take(*args: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(*args, **named)

        return take

    for name in _STEPS:
        setattr(os, name, counted(getattr(os, name)))


def assert_same(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Compare what is published, by path: pixels and documents."""
    assert found.keys() == expected.keys()
    for name, content in expected.items():
        if isinstance(content, np.ndarray):
            np.testing.assert_array_equal(found[name], content, err_msg=name)
        else:
            assert found[name] == content, name
