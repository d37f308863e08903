"""Whatever its details: a deploy is stored, and the answer names exactly those that are stored otherwise than sent."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deployments.models import Deploy
from tests.conftest import World

EXAMPLES = settings(
    deadline=None,
    database=None,
    # The world is the same for all examples, which is what is wanted.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# What may be cut at so many characters, and what is left out if it has more: half of it would be something else.
CUT = {
    "commits[0].message": 100_000,
    "commits[0].author.name": 255,
    "commits[0].author.username": 255,
    "pull_requests[0].title": 1000,
    "pull_requests[0].author": 255,
}
LEFT_OUT = {
    "commits[0].author.email": 254,
    "commits[0].url": 2000,
    "pull_requests[0].branch": 255,
    "pull_requests[0].url": 2000,
    "files[0].url": 2000,
    "links.build": 2000,
}
LINES = ("files[0].additions", "files[0].deletions")
MOST_LINES = 2**31 - 1

wrong = st.sampled_from([True, 1.5, [], ["a"], {}, {"a": "b"}, -1, 2**31, 2**63 - 1])


def texts(path: str, most: int) -> st.SearchStrategy[str]:
    """Around the limit. Some letters have several bytes, or are two units in UTF-16."""
    start = "https://b.example/" if path.endswith(("url", "build")) else ""
    lengths = st.sampled_from([1, most - 1, most, most + 1, most + 500])
    return st.builds(
        lambda letter, length: f"{start}{letter * length}"[: max(length, 20)], st.sampled_from("aé😀"), lengths
    )


details = st.fixed_dictionaries(
    {},
    optional={path: st.one_of(texts(path, most), wrong) for path, most in (CUT | LEFT_OUT).items()}
    | {path: st.one_of(st.integers(0, MOST_LINES), wrong) for path in LINES},
)


@EXAMPLES
@given(details)
def test_what_is_named_is_what_is_stored_otherwise(ci: World, sent: dict[str, Any]) -> None:
    answer = ci.register(**body_of(sent), headers={"Prefer": "return=representation"})

    assert answer.status_code == 200
    named = {sentence.partition(" ")[0] for sentence in answer.json().get("dropped", [])}
    deploy = Deploy.objects.get()
    stored = stored_details(deploy)
    deploy.delete()
    assert {path: stored[path] for path in sent} == {path: fitting(path, value) for path, value in sent.items()}
    assert named == {path for path, value in sent.items() if stored[path] != value}
    assert ("X-Dropped" in answer.headers) == bool(named)


def fitting(path: str, value: Any) -> Any:
    if path in LINES:
        return value if type(value) is int and 0 <= value <= MOST_LINES else 0
    if not isinstance(value, str):
        return ""
    if path in CUT:
        return value[: CUT[path]]
    return value if len(value) <= LEFT_OUT[path] else ""


def body_of(sent: dict[str, Any]) -> dict[str, Any]:
    commit: dict[str, Any] = {"revision": "a", "author": {}}
    places = {
        "commits[0].author": commit["author"],
        "commits[0]": commit,
        "pull_requests[0]": {"number": 1},
        "files[0]": {"path": "a"},
        "links": {},
    }
    for path, value in sent.items():
        place, _, name = path.rpartition(".")
        places[place][name] = value
    return {
        "sha": "a",
        "commits": [commit],
        "pull_requests": [places["pull_requests[0]"]],
        "files": [places["files[0]"]],
        "links": places["links"],
    }


def stored_details(deploy: Deploy) -> dict[str, Any]:
    commit, pull, file = deploy.commits.get(), deploy.pull_requests.get(), deploy.files.get()
    link = deploy.links.first()
    return {
        "commits[0].message": commit.message,
        "commits[0].author.name": commit.author_name,
        "commits[0].author.username": commit.author_username,
        "commits[0].author.email": commit.author_email,
        "commits[0].url": commit.url,
        "pull_requests[0].title": pull.title,
        "pull_requests[0].author": pull.author,
        "pull_requests[0].branch": pull.branch,
        "pull_requests[0].url": pull.url,
        "files[0].url": file.url,
        "files[0].additions": file.additions,
        "files[0].deletions": file.deletions,
        "links.build": link.url if link else "",
    }
