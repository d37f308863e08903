"""The history that the rows of a file make."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from deployments.imports.rows import Rows
from deployments.registration import history
from deployments.shas import commits_of


@dataclass(frozen=True, slots=True)
class History:
    """A file's rows as deploys: indexes of ``rows``, the oldest deploy first. ``duplicates`` are in no order."""

    rows: Rows
    # The shas of the rows, or the longest names of their commits.
    commits: Sequence[bytes]
    deploys: Sequence[int]
    duplicates: Sequence[int]
    records_redeploys: bool

    def rollbacks(self) -> tuple[dict[int, int], dict[int, int]]:
        """Of ``deploys``, as the one rule has them."""
        return history.rollbacks_among([self.commits[index] for index in self.deploys])


def as_history(rows: Rows, *, records_redeploys: bool) -> History:
    """Rows of one moment follow each other as in the file, or from bottom to top if the file goes back in time.

    Of equal rows the first is kept, and of neighbours with the same sha the earlier, unless the deployment
    ``records_redeploys``, as registration does.
    """
    deployed_at, shas = rows.deployed_at, commits_of_rows(rows)
    steps = sum((after > before) - (after < before) for before, after in pairwise(deployed_at))
    in_file = range(len(rows)) if steps >= 0 else reversed(range(len(rows)))
    deploys, duplicates = [], []
    moment, shas_of_moment, previous = None, set[bytes](), None
    for index in sorted(in_file, key=deployed_at.__getitem__):
        if deployed_at[index] != moment:
            moment = deployed_at[index]
            shas_of_moment.clear()
        sha = shas[index]
        if (sha == previous and not records_redeploys) or sha in shas_of_moment:
            duplicates.append(index)
        else:
            deploys.append(index)
            previous = sha
        shas_of_moment.add(sha)
    return History(rows, shas, deploys, duplicates, records_redeploys)


def commits_of_rows(rows: Rows) -> Sequence[bytes]:
    if len(set(map(len, rows.shas))) <= 1:
        return rows.shas
    commits = commits_of({sha.decode() for sha in rows.shas})
    names = {short.encode(): longest.encode() for short, longest in commits.items()}
    return [names.get(sha, sha) for sha in rows.shas] if names else rows.shas
