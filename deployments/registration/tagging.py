"""Tags of a deploy that its caller did not tag, from the files it changed."""

from collections.abc import Collection

from pathspec import GitIgnoreSpec

# Sleuth's defaults, "Tags" in its documentation.
DEFAULT_PATTERNS = {
    "migration": ["**/migration/**"],
    "dependencies": ["Pipfile.lock", "requirements.txt", "package-lock.json", "pom.xml"],
    "docker": ["Dockerfile"],
    "database": ["**/db/**"],
    "terraform": ["*tf"],
}
DEFAULT_SPECS = {tag: GitIgnoreSpec.from_lines(patterns) for tag, patterns in DEFAULT_PATTERNS.items()}


def tags_of_paths(paths: Collection[str]) -> tuple[str, ...]:
    return tuple(tag for tag, spec in DEFAULT_SPECS.items() if any(spec.match_file(path.lstrip("/")) for path in paths))
