"""The tags that the changed files give a deploy whose caller names none."""

from collections.abc import Collection

from pathspec import GitIgnoreSpec

# Sleuth's, from "Tags" in its documentation.
DEFAULT_PATTERNS = {
    "migration": ["**/migration/**"],
    "dependencies": ["Pipfile.lock", "requirements.txt", "package-lock.json", "pom.xml"],
    "docker": ["Dockerfile"],
    "database": ["**/db/**"],
    "terraform": ["*tf"],
}
# The regular expressions of the patterns: match_file() takes ten times as long, and there may be 50,000 paths.
DEFAULT_EXPRESSIONS = {
    tag: [pattern.regex for pattern in GitIgnoreSpec.from_lines(patterns).patterns if pattern.regex]
    for tag, patterns in DEFAULT_PATTERNS.items()
}


def tags_of_paths(paths: Collection[str]) -> tuple[str, ...]:
    relative = [path.lstrip("/") for path in paths]
    return tuple(
        tag
        for tag, expressions in DEFAULT_EXPRESSIONS.items()
        if any(any(map(expression.match, relative)) for expression in expressions)
    )
