"""Text regardless of case, the same on both databases.

``icontains`` and its kin fold ASCII only on SQLite and whatever its locale knows on PostgreSQL. A pattern that names
both cases of each letter means the same to Python's ``re``, which SQLite is lent, and to PostgreSQL.
"""

import re


def caseless(text: str) -> str:
    """A pattern for ``regex`` look-ups that finds ``text`` in any case, with any white space where it has some."""
    return r"\s+".join("".join(map(either_case, word)) for word in text.split())


def either_case(character: str) -> str:
    cases = sorted({case for case in (character, character.lower(), character.upper()) if len(case) == 1})
    return f"[{''.join(cases)}]" if len(cases) > 1 else re.escape(character)
