"""Finding rows by the slug or name that a caller wrote, and text regardless of case."""

import re
from typing import Any

from django.db.models import QuerySet

from orgs import aliases
from orgs.models import Environment
from orgs.text import shortened

SLUGS_LISTED = 20


def by_slug_or_name(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The rows with this slug; if there are none, those with this name, or environments with this alias. Case does not
    matter."""
    folded = text.casefold()
    same_slug = rows.filter(slug=folded)
    if same_slug.exists():
        return same_slug
    # Python compares the names, because each database folds case differently.
    same_name = [pk for pk, name in rows.values_list("pk", "name") if name.casefold() == folded]
    if not same_name and rows.model is Environment:
        same_name = list(rows.filter(alias_rows__name=aliases.folded(text)).values_list("pk", flat=True))
    return rows.filter(pk__in=same_name)


def unknown_sentence(noun: str, text: str, rows: QuerySet[Any]) -> str:
    """Says that no ``noun`` is called ``text``, and lists the slugs of ``rows``, which the caller may choose from."""
    slugs = sorted(set(rows.order_by().values_list("slug", flat=True)))
    more = f" and {len(slugs) - SLUGS_LISTED:,} more" if len(slugs) > SLUGS_LISTED else ""
    known = f": there {'are' if len(slugs) > 1 else 'is'} {', '.join(slugs[:SLUGS_LISTED])}{more}" if slugs else ""
    return f"There is no {noun} {shortened(text, 100)}{known}."


# --- Text regardless of case, the same on both databases ---
# ``icontains`` folds only ASCII on SQLite, and what the server's locale knows on PostgreSQL. A pattern with both cases
# of each letter means the same to PostgreSQL and to Python's ``re``, which Django uses on SQLite.


def caseless(text: str) -> str:
    """A pattern for ``regex`` look-ups that ignores case, and the kind and amount of white space between words."""
    return r"\s+".join("".join(map(either_case, word)) for word in text.split())


def either_case(character: str) -> str:
    cases = sorted({case for case in (character, character.lower(), character.upper()) if len(case) == 1})
    return f"[{''.join(cases)}]" if len(cases) > 1 else re.escape(character)
