"""A composer in pure Python, for a PyYAML that was built without libyaml."""

from __future__ import annotations

from yaml import composer, parser, reader, scanner


class Parser(reader.Reader, scanner.Scanner, parser.Parser, composer.Composer):
    """What ``yaml.CParser`` is, in Python."""

    def __init__(self, text: str) -> None:
        reader.Reader.__init__(self, text)
        scanner.Scanner.__init__(self)
        parser.Parser.__init__(self)
        composer.Composer.__init__(self)
