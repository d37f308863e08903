"""Who registers deploys must not replace a history: that takes a scope of its own."""

import pytest

from deployments.models import Deploy
from tests.calls import assert_sentence, bearer
from tests.conftest import World
from tests.factories import make_token
from tests.imports.importing import dated, post_file
from tokens.scopes import Scope


@pytest.mark.parametrize("query", ["", "?dry_run=1"])
@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        ([Scope.IMPORT_DEPLOYS], 200),
        ([Scope.READ, Scope.IMPORT_DEPLOYS], 200),
        ([Scope.ALL], 200),
        ([Scope.REGISTER_DEPLOY], 403),
        ([Scope.REGISTER_DEPLOY, Scope.REGISTER_IMPACT, Scope.READ], 403),
    ],
)
def test_scopes(ci: World, scopes: list[Scope], status: int, query: str) -> None:
    ci.register(sha="old")
    _, secret = make_token(ci.organization, *scopes)

    response = post_file(ci, dated("a b"), headers=bearer(secret), query=query)

    assert response.status_code == status
    if status == 403:
        assert "IMPORT_DEPLOYS" in assert_sentence(response)
    assert Deploy.objects.filter(sha="old").exists() is (status == 403 or bool(query))


def test_it_does_not_register(ci: World) -> None:
    _, secret = make_token(ci.organization, Scope.IMPORT_DEPLOYS)

    assert ci.register(sha="a", secret=secret).status_code == 403
    assert ci.record(name="a", secret=secret).status_code == 403
