"""The bodies that are posted; ``@SHA@`` is where the load client writes a sha."""

import json

COMMITS = 20


def small() -> str:
    return json.dumps({"sha": "@SHA@"})


def with_commits() -> str:
    """What the Sleuth CLI sends for a week's work: 20 commits and 20 files."""
    commits = [
        {
            "revision": f"{number:040x}",
            "message": f"Return 404 for baskets that expired ({number})\n\nThey answered 500 since the last release.",
            "author": {"name": "Ada Example", "email": "ada@example.com", "username": "ada"},
            "date": f"2025-03-{number + 1:02}T12:00:00Z",
            "url": f"https://git.example.com/acme/shop/commit/{number:040x}",
            "files": [f"shop/baskets/view_{number}.py", f"tests/baskets/test_view_{number}.py"],
            "parents": [f"{number + 1:040x}"],
        }
        for number in range(COMMITS)
    ]
    files = [{"path": f"shop/baskets/view_{number}.py", "additions": 12, "deletions": 3} for number in range(COMMITS)]
    return json.dumps({"sha": "@SHA@", "branch": "main", "commits": commits, "files": files})


BODIES = {"small": small(), f"{COMMITS} commits": with_commits()}
