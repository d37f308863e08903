"""``manage.py provision``: what a file makes, and what a second run changes."""

import io
import json
import re
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from deployments.models import Target
from orgs.models import Environment, Membership, Organization, User
from tests.provisioning.provisioning import ACME, Provision, Rejected, all_rows
from tokens.models import AccessToken
from tokens.services import revoke_token


def flags(output: Any) -> set[str]:
    """The different values of ``created`` in an output, as JSON."""
    return set(re.findall(r'"created": (\w+)', json.dumps(output)))


def test_its_output_is_a_file(provision: Provision) -> None:
    """On this server and on another one. Keys that only the output has are ignored."""
    file = ACME.replace(
        "  - slug: platform", "    impact_sources: [{slug: alerts, kind: incident}]\n  - slug: platform"
    )
    made = provision(file)
    secret = AccessToken.objects.get(name="reader").digest
    assert all(
        key in json.dumps(made) for key in ('"token": "gum_', '"id": ', '"register_url": "http', '"created": true')
    )

    again = provision(json.dumps(made))
    Organization.objects.all().delete()
    anew = provision(json.dumps(again))

    assert flags(again) == {"false"}
    assert [member["email"] for member in anew["organizations"][0]["members"]] == ["ops@example.com", "dev@example.com"]
    assert AccessToken.objects.get(name="reader").digest != secret


def test_the_file_of_the_readme_leads_from_staging_to_production(provision: Provision) -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    sample = re.search(r"^    organizations:\n(?:    .*\n)+", readme, re.MULTILINE)
    assert sample

    provision(textwrap.dedent(sample[0]))

    path = Environment.objects.order_by("position").values_list("slug", flat=True)
    assert list(path) == ["staging", "production"]


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/acme/storefront", "http://localhost:3000/a/b.git", "ssh://git@git.example.com:2222/a/b",
        "git://git.example.com/a/b.git", "git@github.com:acme/storefront.git", "me@10.0.0.1:~/b", "",
        "https://acme@dev.azure.com/acme/shop/_git/storefront",
        "http://gitlab/acme/x.git", "ssh://h/x", "ssh://git@git-1:2222/acme/x", "GIT://3com", "https://bücher/x",
    ],
)  # fmt: skip
def test_addresses_of_repositories_that_are_accepted(provision: Provision, url: str) -> None:
    [acme] = provision(ACME.replace("https://github.com/acme/storefront", json.dumps(url)))["organizations"]
    assert acme["projects"][0]["deployments"][0]["repository"]["url"] == url


def test_a_weak_password_is_the_operator_s_word(provision: Provision, capsys: pytest.CaptureFixture[str]) -> None:
    provision(ACME.replace("correct horse battery", "s3cret"))

    warning = capsys.readouterr().err
    assert User.objects.get(email="ops@example.com").check_password("s3cret")
    assert warning.startswith("Warning: organizations[0].members[0].password: This password is too short.")
    assert warning.count("\n") == 1
    assert "s3cret" not in warning


class TestCreating:
    def test_prints_what_it_created(self, provision: Provision) -> None:
        [acme] = provision(ACME)["organizations"]
        assert (acme["slug"], acme["name"], acme["created"]) == ("acme", "Acme", True)
        assert acme["members"][0] == {"email": "ops@example.com", "name": "", "role": "owner", "created": True}
        assert acme["members"][1]["role"] == "developer"
        shop = acme["projects"][0]
        assert [(item["slug"], item["default"]) for item in shop["environments"]] == [
            ("production", True),
            ("staging", False),
        ]
        assert shop["deployments"] == [
            {
                "slug": "storefront",
                "name": "Storefront",
                "repository": {"provider": "github", "url": "https://github.com/acme/storefront"},
                "path_includes": ["web/**"],
                "path_excludes": ["web/docs/**"],
                "records_redeploys": False,
                "branches": {"production": "main", "staging": "release/*"},
                "created": True,
            }
        ]
        ci, reader = acme["tokens"]
        assert (ci["deployments"], ci["environments"], ci["expires"]) == (
            ["storefront"],
            None,
            "2030-01-01T00:00:00+00:00",
        )
        assert reader["environments"] == ["shop/production", "shop/staging"]
        assert AccessToken.objects.get(name="reader").expires_at == datetime(2030, 1, 1, 16, tzinfo=UTC)

    def test_a_new_token_works_where_it_is_allowed(self, provision: Provision, client: Any) -> None:
        tokens = provision(ACME)["organizations"][0]["tokens"]
        path = "/api/1/deployments/acme/storefront/register_deploy"
        answers = [
            client.post(path, {"sha": "a1"}, headers={"Authorization": f"Bearer {token['token']}"}).status_code
            for token in tokens
        ]
        assert answers == [200, 403]

    def test_users_get_a_password_and_no_staff_rights(self, provision: Provision) -> None:
        provision(ACME)
        ops, dev = User.objects.get(email="ops@example.com"), User.objects.get(email="dev@example.com")
        assert ops.check_password("correct horse battery")
        assert not dev.has_usable_password()
        assert not User.objects.filter(is_staff=True).exists()

    def test_a_name_that_is_left_out_comes_from_the_slug(self, provision: Provision) -> None:
        platform = provision(ACME)["organizations"][0]["projects"][1]
        assert platform["name"] == "Platform"
        assert Environment.objects.get(project__slug="platform").is_default

    def test_json_and_standard_input(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        text = '\ufeff{\n\t"organizations": [{"slug": "acme", "name": "\\ud83d\\ude80 \\/"}]}'
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        call_command("provision", "-", stdout=io.StringIO())
        assert Organization.objects.get().name == "🚀 /"

    def test_keys_and_texts_that_yaml_takes_for_something_else(self, provision: Provision) -> None:
        provision("organizations: [{slug: a, projects: [{slug: p, name: 2024-01-01, environments: [{slug: 'on'}]}]}]")
        provision("organizations: [{slug: a, projects: [{slug: p, deployments: [{slug: d, branches: {on: main}}]}]}]")
        assert Target.objects.get().environment.slug == "on"


class TestAgain:
    def test_changes_nothing(self, provision: Provision) -> None:
        first = provision(ACME)
        before = all_rows()
        second = provision(ACME)
        assert all_rows() == before
        assert (flags(first), flags(second)) == ({"true"}, {"false"})
        assert '"token"' not in json.dumps(second)

    def test_makes_what_exists_as_the_file_says(self, provision: Provision) -> None:
        provision(ACME)
        [acme] = provision(
            """
            organizations:
            - slug: acme
              name: Acme Ltd
              members: [{email: DEV@example.com, role: observer, name: Dev, password: another long one}]
              tokens:
              - {name: ci, scopes: [READ, ALL], deployments: null, environments: [staging], expires: null}
              projects:
              - slug: shop
                name: The Shop
                environments:
                - {slug: staging, name: Stage, colour: "#111111", description: "", default: true}
                - {slug: canary}
                - {slug: production}
                deployments:
                - slug: storefront
                  name: Front
                  repository: {provider: custom}
                  path_includes: []
                  branches: {production: "*", canary: main}
            """
        )["organizations"]
        assert (acme["name"], acme["created"]) == ("Acme Ltd", False)
        assert acme["members"] == [{"email": "dev@example.com", "name": "Dev", "role": "observer", "created": False}]
        assert not User.objects.get(email="dev@example.com").has_usable_password()
        [ci] = acme["tokens"]
        assert (ci["scopes"], ci["deployments"], ci["environments"]) == (["READ", "ALL"], None, ["shop/staging"])
        assert (ci["expires"], ci["created"]) == (None, False)
        [shop] = acme["projects"]
        assert [(item["slug"], item["default"], item["created"]) for item in shop["environments"]] == [
            ("staging", True, False),
            ("canary", False, True),
            ("production", False, False),
        ]
        assert list(Environment.objects.filter(project__slug="shop").values_list("slug", "name", "position")) == [
            ("staging", "Stage", 0),
            ("canary", "Canary", 1),
            ("production", "Production", 2),
        ]
        [front] = shop["deployments"]
        assert front["repository"] == {"provider": "custom", "url": "https://github.com/acme/storefront"}
        assert (front["path_includes"], front["path_excludes"]) == ([], ["web/docs/**"])
        assert front["branches"] == {"staging": "release/*", "canary": "main", "production": "*"}

    def test_leaves_alone_what_the_file_leaves_out(self, provision: Provision) -> None:
        provision(ACME)
        before = all_rows()
        provision(
            """
            organizations:
            - slug: acme
              members: [{email: ops@example.com}]
              tokens: [{name: ci}]
              projects: [{slug: shop, environments: [{slug: production}], deployments: [{slug: storefront}]}]
            """
        )
        provision("organizations: [{slug: acme}]")
        assert all_rows() == before

    def test_an_expired_token_stays_and_a_revoked_one_is_replaced(self, provision: Provision) -> None:
        provision(ACME)
        token = AccessToken.objects.get(name="ci")
        AccessToken.objects.filter(pk=token.pk).update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
        again = ACME.replace("expires: 2030-01-01}", "expires: 2020-01-01}")
        assert flags(provision(again)) == {"false"}
        revoke_token(token=token)
        [replaced, _] = provision(ACME)["organizations"][0]["tokens"]
        assert replaced["created"]
        assert replaced["token"].startswith("gum_")

    def test_the_last_owner_hands_over_to_one_further_down(self, provision: Provision, rejected: Rejected) -> None:
        provision(ACME)
        ops, new = "{email: ops@example.com, role: developer}", "{email: new@example.com, role: %s}"
        file = f"organizations: [{{slug: acme, members: [{ops}, {new}]}}]"
        [line] = rejected(file % "admin")
        assert line.startswith("organizations[0].members[0].role: ops@example.com is the last owner of Acme")
        [acme] = provision(file % "owner")["organizations"]
        assert [(member["email"], member["role"]) for member in acme["members"]] == [
            ("ops@example.com", "developer"),
            ("new@example.com", "owner"),
        ]

    def test_a_user_of_another_organization_joins(self, provision: Provision) -> None:
        provision(ACME)
        User.objects.filter(email="ops@example.com").update(is_staff=True)
        file = "organizations: [{slug: globex, members: [{email: ops@example.com, password: a different one}]}]"
        assert provision(file)["organizations"][0]["members"][0]["created"]
        ops = User.objects.get(email="ops@example.com")
        assert ops.check_password("correct horse battery")
        assert Membership.objects.filter(user=ops).count() == 2
