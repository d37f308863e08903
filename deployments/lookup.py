"""What a caller means by a slug or a name, as registering finds an environment."""

import re
from typing import Any

from django.db.models import QuerySet

from orgs.text import shortened

NAMED = 20


def by_slug_or_name(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Those that have this slug, else those that have this name, in any case."""
    folded = text.casefold()
    same = rows.filter(slug=folded)
    if same.exists():
        return same
    # Not compared by the databases, which fold case in ways of their own.
    return rows.filter(pk__in=[pk for pk, name in rows.values_list("pk", "name") if name.casefold() == folded])


def unknown_sentence(noun: str, text: str, rows: QuerySet[Any]) -> str:
    """The sentence for who called something that is not among ``rows``, which it names."""
    slugs = sorted(set(rows.order_by().values_list("slug", flat=True)))
    more = f" and {len(slugs) - NAMED:,} more" if len(slugs) > NAMED else ""
    there = f": there {'are' if len(slugs) > 1 else 'is'} {', '.join(slugs[:NAMED])}{more}" if slugs else ""
    return f"There is no {noun} {shortened(text, 100)}{there}."


# --- Text regardless of case, the same on both databases ---
# ``icontains`` and its kin fold ASCII only on SQLite and whatever its locale knows on PostgreSQL. A pattern that names
# both cases of each letter means the same to Python's ``re``, which SQLite is lent, and to PostgreSQL.


def caseless(text: str) -> str:
    """A pattern for ``regex`` look-ups that finds ``text`` in any case, with any white space where it has some."""
    return r"\s+".join("".join(map(either_case, word)) for word in text.split())


def either_case(character: str) -> str:
    cases = sorted({case for case in (character, character.lower(), character.upper()) if len(case) == 1})
    return f"[{''.join(cases)}]" if len(cases) > 1 else re.escape(character)
