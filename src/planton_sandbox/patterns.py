"""Patterns for paths: the subset of regular expressions that matches in time linear in the length of the text.

Look-arounds, references and word boundaries are not supported. The matcher tries all start positions at once and never
backtracks.
"""

from __future__ import annotations

import dataclasses
import functools
import re

MAXIMUM_LENGTH = 256
MAXIMUM_REPEATS = 32
MAXIMUM_STATES = 512
MAXIMUM_MEMORY = 4096
_QUANTIFIER = re.compile(r"\*|\+|\?|\{(?P<least>\d{1,3})(?P<range>,(?P<most>\d{0,3}))?\}")
_CLASSES = "dDwWsS"


@dataclasses.dataclass(slots=True)
class _State:
    """A state of the automaton. It consumes a matching character, or none.

    Attributes:
        following: The next states.
        character: The expression of the consumed character; ``None`` when it consumes none.
        anchor: ``^`` or ``$`` when it passes only there.
    """

    following: list[int] = dataclasses.field(default_factory=list)
    character: re.Pattern[str] | None = None
    anchor: str = ""


class Pattern:
    """A compiled pattern."""

    def __init__(self, text: str) -> None:
        """Compile ``text``.

        Raises:
            ValueError: when it is not a pattern, or one that is not supported.
        """
        if len(text) > MAXIMUM_LENGTH:
            message = f"it has more than {MAXIMUM_LENGTH} characters"
            raise ValueError(message)
        self._text = text
        self._at = 0
        self._states: list[_State] = []
        first, last = self._alternatives()
        if self._at < len(text):
            message = f"unbalanced parenthesis at position {self._at}"
            raise ValueError(message)
        self._first = first
        self._last = last
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def found_in(self, text: str) -> bool:
        """Return whether the pattern matches anywhere in ``text``."""
        states: frozenset[int] = frozenset()
        for position in range(len(text) + 1):
            states = self._closure(states, first=position == 0, last=position == len(text))
            if self._last in states:
                return True
            if position < len(text):
                states = self._step(states, text[position])
        return False

    def _closure(self, states: frozenset[int], *, first: bool, last: bool) -> frozenset[int]:
        """Return the states reached without consuming a character, including the first: a match can begin anywhere."""
        reached = {*states, self._first}
        waiting = list(reached)
        while waiting:
            state = self._states[waiting.pop()]
            if state.character is not None or (state.anchor == "^" and not first) or (state.anchor == "$" and not last):
                continue
            for following in state.following:
                if following not in reached:
                    reached.add(following)
                    waiting.append(following)
        return frozenset(reached)

    def _step(self, states: frozenset[int], character: str) -> frozenset[int]:
        reached = self._steps.get((states, character))
        if reached is None:
            taking = (self._states[state] for state in states)
            reached = frozenset(
                following
                for state in taking
                if state.character is not None and state.character.fullmatch(character)
                for following in state.following
            )
            if len(self._steps) >= MAXIMUM_MEMORY:
                self._steps.clear()
            self._steps[states, character] = reached
        return reached

    def _new(self, state: _State) -> int:
        if len(self._states) >= MAXIMUM_STATES:
            message = "it is too long, or repeats too much"
            raise ValueError(message)
        self._states.append(state)
        return len(self._states) - 1

    def _alternatives(self) -> tuple[int, int]:
        first, last = self._new(_State()), self._new(_State())
        while True:
            begin, end = self._sequence()
            self._states[first].following.append(begin)
            self._states[end].following.append(last)
            if not self._text.startswith("|", self._at):
                return first, last
            self._at += 1

    def _sequence(self) -> tuple[int, int]:
        first = last = self._new(_State())
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            begin, end = self._repeated()
            self._states[last].following.append(begin)
            last = end
        return first, last

    def _repeated(self) -> tuple[int, int]:
        start = self._at
        begin, end = self._atom()
        match = _QUANTIFIER.match(self._text, self._at)
        if match is None:
            return begin, end
        after = match.end()
        # A lazy repetition matches the same texts.
        after += self._text.startswith("?", after)
        least, most = _bounds(match)
        first = last = self._new(_State())
        self._at = after
        if most == 0:
            return first, first
        for number in range(max(least, most or 0, 1)):
            if number:
                self._at = start
                begin, end = self._atom()
            enter = last
            self._states[enter].following.append(begin)
            last = self._new(_State())
            self._states[end].following.append(last)
            if number >= least:
                self._states[enter].following.append(last)
        if most is None:
            self._states[last].following.append(begin)
        self._at = after
        if _QUANTIFIER.match(self._text, after):
            message = f"multiple repeat at position {after}"
            raise ValueError(message)
        return first, last

    def _atom(self) -> tuple[int, int]:
        text, at = self._text, self._at
        character = text[at]
        if character == "(":
            return self._group()
        if character in "*+?" or (character == "{" and _QUANTIFIER.match(text, at)):
            message = f"nothing to repeat at position {at}"
            raise ValueError(message)
        if character in "^$":
            self._at += 1
            state = self._new(_State(anchor=character))
            return state, state
        if character == "[":
            self._at = _end_of_class(text, at)
            expression = text[at : self._at]
        elif character == "\\":
            self._at += 2
            expression = text[at : self._at]
            if len(expression) != 2 or (expression[1].isalnum() and expression[1] not in _CLASSES):  # noqa: PLR2004 - two characters
                message = f"{expression} is not supported"
                raise ValueError(message)
        else:
            self._at += 1
            expression = "." if character == "." else re.escape(character)
        try:
            taken = re.compile(expression)
        except re.error as error:
            raise ValueError(str(error)) from error
        last = self._new(_State())
        return self._new(_State(character=taken, following=[last])), last

    def _group(self) -> tuple[int, int]:
        self._at += 3 if self._text.startswith("(?:", self._at) else 1
        if self._text.startswith("?", self._at):
            message = "(?: is the only group with a question mark that is supported"
            raise ValueError(message)
        first, last = self._alternatives()
        if not self._text.startswith(")", self._at):
            message = "missing ), unterminated group"
            raise ValueError(message)
        self._at += 1
        return first, last


@functools.lru_cache(maxsize=256)
def compiled(text: str) -> Pattern:
    """Return a pattern, compiled once.

    Raises:
        ValueError: when it is not a pattern, or one that is not supported.
    """
    return Pattern(text)


def _bounds(match: re.Match[str]) -> tuple[int, int | None]:
    """Return the bounds of a repetition; the maximum is ``None`` for any number."""
    if match[0] in {"*", "+", "?"}:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[match[0]]
    least = int(match["least"])
    most = least if match["range"] is None else (int(match["most"]) if match["most"] else None)
    if max(least, most or 0) > MAXIMUM_REPEATS or (most is not None and most < least):
        message = f"{match[0]}: at most {MAXIMUM_REPEATS} repetitions, and the greater number last"
        raise ValueError(message)
    return least, most


def _end_of_class(text: str, at: int) -> int:
    """Return the end of the character class that begins at a position."""
    end = at + 1
    end += text.startswith("^", end)
    end += text.startswith("]", end)
    while end < len(text) and text[end] != "]":
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        message = "unterminated character set"
        raise ValueError(message)
    return end + 1
