"""Which shas name one commit: the one comparison of duplicates, rollbacks, filters, look-ups and imports.

A commit has one whole sha and many abbreviations, and tools send either. Git and image tags are compared whole.
"""

import re
from collections.abc import Iterable

from django.db.models import Q

# Git never abbreviates to fewer digits.
SHORTEST = 7
# Of SHA-1 and SHA-256.
WHOLE = (40, 64)
# What people may write of one.
BEGINNING = re.compile(r"[0-9a-f]{4,64}", re.ASCII)
HASH = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}", re.ASCII)
IN_CAPITALS = re.compile(rf"(?=[0-9a-f]*[A-F])[0-9A-Fa-f]{{{SHORTEST},64}}", re.ASCII)


def folded(sha: str) -> str:
    """As it is stored and looked up: a hash in small letters, since git reads it in any case."""
    return sha if sha.islower() or not IN_CAPITALS.fullmatch(sha) else sha.lower()


def is_abbreviation(sha: str) -> bool:
    return len(sha) not in WHOLE and HASH.fullmatch(sha) is not None


def is_whole(sha: str) -> bool:
    return len(sha) in WHOLE and HASH.fullmatch(sha) is not None


def begins(short: str, long: str) -> bool:
    """Whether ``short`` abbreviates ``long``. Digits alone may be the number of a build or a day: they abbreviate only
    a whole sha."""
    return (
        SHORTEST <= len(short) < len(long)
        and len(short) not in WHOLE
        and long.startswith(short)
        and HASH.fullmatch(long) is not None
        and (len(long) in WHOLE or not short.isdigit())
    )


def is_same_commit(one: str, other: str) -> bool:
    """For two shas beside which there are no others that an abbreviation could mean."""
    return one == other or begins(one, other) or begins(other, one)


def commits_of(shas: Iterable[str]) -> dict[str, str]:
    """The longest name of the commit that each abbreviation among ``shas`` means. One that could mean several commits
    is left out: it stands for itself."""
    names = set(shas)
    if len(set(map(len, names))) <= 1:
        return {}
    hashes = sorted(name for name in names if HASH.fullmatch(name))
    found = {}
    for index, short in enumerate(hashes):
        longest = short
        # Those that begin with it follow it, and each of one commit's begins with the one before.
        for place in range(index + 1, len(hashes)):
            if not hashes[place].startswith(short):
                break
            if begins(short, hashes[place]):
                if not hashes[place].startswith(longest):
                    longest = short
                    break
                longest = hashes[place]
        if longest != short:
            found[short] = longest
    return found


def names_among(shas: Iterable[str], sha: str) -> set[str]:
    """``sha`` and those of ``shas`` that mean the same commit."""
    names = {sha, *shas}
    commits = commits_of(names)
    commit = commits.get(sha, sha)
    return {name for name in names if commits.get(name, name) == commit}


# --- Looking up ---


def begins_with(column: str, hash_: str) -> Q:
    """Whether a text begins with these hexadecimal digits, in a form that an index finds under any collation."""
    return Q((f"{column}__gte", hash_), (f"{column}__lt", successor(hash_)))


def successor(hash_: str) -> str:
    """A text that sorts after every text with this beginning, by code points and in any language."""
    digits = "0123456789abcdefg"
    return hash_[:-1] + digits[digits.index(hash_[-1]) + 1]


def abbreviations(beginning: str) -> list[str]:
    return [beginning[:length] for length in range(SHORTEST, len(beginning))]


def named_like(column: str, beginning: str) -> Q:
    """A condition for an index: what begins with these digits, and what abbreviates them."""
    shorter = abbreviations(beginning)
    if len(beginning) in WHOLE:
        return Q((f"{column}__in", [*shorter, beginning]))
    found = begins_with(column, beginning)
    return found | Q((f"{column}__in", shorter)) if shorter else found
