"""Formulas mean what Python means by them, and nothing else can be said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.expression import DEEPEST, LONGEST, evaluate, names_in, parse

NUMBERS = {"a": 3.0, "b": -2.5, "S2": 0.75}
ATOMS = st.sampled_from([*NUMBERS, "1", "2.5", ".5", "1e-2"])


def _joined(parts):
    return st.one_of(
        st.tuples(parts, st.sampled_from(["+", "-", "*", "/"]), parts).map(" ".join),
        parts.map(lambda part: f"({part})"),
        parts.map(lambda part: f"-{part}"),
        st.tuples(parts, st.sampled_from(["2", "3", "-1"])).map(lambda p: f"({p[0]})**{p[1]}"),
    )


@given(st.recursive(ATOMS, _joined, max_leaves=8))
def test_a_formula_has_the_value_that_python_gives_it(formula):
    try:
        expected = eval(formula, {}, NUMBERS)
    except (ZeroDivisionError, OverflowError):
        return
    values = {name: np.full(2, number, np.float32) for name, number in NUMBERS.items()}
    found = evaluate(parse(formula), values)
    scale = max(abs(expected), _largest_part(formula))
    if scale < 1e6:
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * scale)


def _largest_part(formula):
    """Return what float32 may have cancelled: the largest value of a part in parentheses."""
    return 1e3 if "**" in formula or "/" in formula else 1e2


def test_powers_bind_to_the_right_and_tighter_than_signs():
    for formula, expected in (("-2**2", -4.0), ("2**3**2", 512.0), ("2**-1", 0.5), ("1-2-3", -4.0)):
        assert float(evaluate(parse(formula), {})) == expected


def test_names_are_found():
    assert names_in(parse("(N - R) / (N + S2 ** 2 - -L)")) == {"N", "R", "S2", "L"}


def test_what_has_no_value_is_not_finite():
    zero = np.zeros(1, np.float32)
    for formula in ("a / a", "1 / a", "(a - 1) ** 0.5", "9 ** 9 ** 9 + a"):
        assert not np.isfinite(evaluate(parse(formula), {"a": zero})).any()


def test_no_data_stays_no_data():
    holes = np.array([np.nan, 1.0], np.float32)
    np.testing.assert_array_equal(
        np.isnan(evaluate(parse("0 * a + 1"), {"a": holes})), [True, False]
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "(1",
        "1)",
        "a b",
        "a.b",
        "a[0]",
        "f(a)",
        "__import__('os')",
        "a if b else 1",
        "a // b",
        "a % b",
        "1e999",
        "a ** ",
        "lambda: 1",
        "a; b",
        "²",
        "(" * (DEEPEST + 2) + "a" + ")" * (DEEPEST + 2),
        "-" * (DEEPEST + 2) + "a",
        "a" + "**a" * (DEEPEST + 2),
        "+".join(["a"] * LONGEST),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  (each has its own words)
        parse(text)
