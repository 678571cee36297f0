"""How YAML scalars are interpreted, as tables."""

import math

import pytest

from planton.manifest import scalars


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("1.30", "a number"),
        ("1", "a number"),
        ("-1", "a number"),
        ("+1.5e3", "a number"),
        ("1e3", "a number"),
        (".5", "a number"),
        ("1.", "a number"),
        ("1_000", "a number"),
        ("0x1F", "a number"),
        ("0b11", "a number"),
        (".inf", "a number"),
        ("-.INF", "a number"),
        (".NaN", "a number"),
        ("010", "an octal number"),
        ("0o17", "an octal number"),
        ("08", "an octal number"),
        ("no", "a boolean"),
        ("On", "a boolean"),
        ("y", "a boolean"),
        ("TRUE", "a boolean"),
        ("1.29.0", ""),
        ("1.29.0+k3s1", ""),
        ("12:30:45", ""),
        ("2024-01-31", ""),
        ("2001-12-14t21:59:43.10-05:00", ""),
        ("10.0.0.0/24", ""),
        ("-", ""),
        (".", ""),
        ("e3", ""),
        ("nO", ""),
        ("inf", ""),
        ("4a", ""),
        ("0", "a number"),
    ],
)
def test_a_scalar_that_yaml_does_not_read_as_text_is_recognized(text: str, reading: str) -> None:
    """YAML 1.1 and 1.2 are both considered."""
    assert scalars.other_reading(text) == reading


@pytest.mark.parametrize(
    ("text", "quoted", "value"),
    [
        ("5", False, 5),
        ("5", True, 5),
        ("-5", True, -5),
        ("5.0", False, 5),
        ("1e2", False, 100),
        ("0x10", False, 16),
        ("0b11", False, 3),
        ("0o17", False, 15),
        ("1_000", False, 1000),
        ("0", False, 0),
        ("010", False, None),
        ("5.5", False, None),
        ("five", False, None),
        (" 5", True, None),
        ("5.0", True, None),
        ("٣", True, None),
        ("1:30", False, None),
        (".inf", False, None),
        (".nan", False, None),
        ("", True, None),
        ("9" * 100, False, None),
        ("0x", False, None),
        ("0b_", False, None),
    ],
)
def test_an_integer_is_the_same_in_both_versions_of_yaml(text: str, *, quoted: bool, value: int | None) -> None:
    """Otherwise the scalar is no integer."""
    assert scalars.to_integer(text, quoted=quoted) == value


@pytest.mark.parametrize(
    ("text", "quoted", "value"),
    [
        ("1.5", False, 1.5),
        ("1.5", True, 1.5),
        ("1_0.5", False, 10.5),
        ("3", False, 3.0),
        ("-.inf", False, -math.inf),
        (".Inf", False, math.inf),
        ("Infinity", True, math.inf),
        ("x", False, None),
        ("010", False, None),
    ],
)
def test_a_float_has_the_form_of_yaml_or_of_quoted_json(text: str, *, quoted: bool, value: float | None) -> None:
    """Other text is no number."""
    assert scalars.to_float(text, quoted=quoted) == value


def test_nan_is_read_in_both_spellings() -> None:
    """The quoted spelling is that of JSON."""
    assert math.isnan(scalars.to_float(".nan", quoted=False) or 0)
    assert math.isnan(scalars.to_float("NaN", quoted=True) or 0)
