"""What ``manage.py provision`` says about each mistake in its file."""

import io
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from deployments.api.schemas import load_schema
from orgs.models import Organization
from tests.calls import count_rows
from tests.conftest import World
from tests.factories import make_project
from tests.provisioning.provisioning import ACME, Provision, Rejected, changed

SHOP = ("projects", 0)
STOREFRONT = (*SHOP, "deployments", 0)


class TestMistakes:
    @pytest.mark.parametrize(
        ("steps", "value", "line"),
        [
            (("nam",), "x", "organizations[0].nam: unknown key; did you mean 'name'? Known: slug, name, members, "),
            (("slug",), "Acme", "organizations[0].slug: must have lower-case letters"),
            (("slug",), "acme\n", "organizations[0].slug: must have lower-case letters"),
            (("slug",), 5, "organizations[0].slug: must be text: put quotes around it."),
            (("slug",), None, "organizations[0].slug: has no value: write text."),
            (("projects", 0), None, "organizations[0].projects[0]: has no value: write an object."),
            (("name",), " ", "organizations[0].name: must have a visible character"),
            (("name",), "\u200b\ufe0f \u2060", "organizations[0].name: must have a visible character"),
            ((*SHOP, "name"), "\u200d", "organizations[0].projects[0].name: must have a visible character"),
            ((*STOREFRONT, "name"), "\u0301", "organizations[0].projects[0].deployments[0].name: must have a visible"),
            (("tokens", 0, "name"), "\xad", "organizations[0].tokens[0].name: must have a visible character"),
            (("name",), "a" * 101, "organizations[0].name: is 101 characters long: at most 100."),
            (("name",), "a\0", "organizations[0].name: contains a NUL character: remove it."),
            (("name",), "\ud800", "organizations[0].name: contains half a surrogate pair"),
            (("members",), {}, "organizations[0].members: must be a list."),
            (("members", 0), "ops", "organizations[0].members[0]: must be an object."),
            (("members", 0), {"role": "owner"}, "organizations[0].members[0].email: is missing."),
            (("members", 0, "email"), "ops@", "organizations[0].members[0].email: Enter a valid email address."),
            (("members", 0, "email"), "a\0@b.de", "organizations[0].members[0].email: contains a NUL character"),
            (("members", 0, "email"), "dev@example.com", "organizations[0].members[1].email: 'dev@example.com' is alr"),
            (("members", 0, "role"), "boss", "organizations[0].members[0].role: is 'boss': write one of owner, admin"),
            (("members", 0, "password"), "", "organizations[0].members[0].password: must not be empty."),
            (("tokens", 0, "scopes"), [], "organizations[0].tokens[0].scopes: is empty: list at least one."),
            (("tokens", 0, "scopes"), ["X"], "organizations[0].tokens[0].scopes[0]: is 'X': write one of REGISTER_D"),
            (
                ("tokens", 0, "deployments"),
                [],
                "organizations[0].tokens[0].deployments: is empty: list at least one, or",
            ),
            (
                ("tokens", 0, "deployments"),
                ["storefrnt"],
                "organizations[0].tokens[0].deployments[0]: no deployment 'storefrnt' in organization acme; "
                "did you mean 'storefront'?",
            ),
            (
                ("tokens", 0, "environments"),
                ["production"],
                "organizations[0].tokens[0].environments[0]: 'production' is in several projects: "
                "write one of platform/production, shop/production.",
            ),
            (
                ("tokens", 0, "environments"),
                ["shop/prod"],
                "organizations[0].tokens[0].environments[0]: no environment",
            ),
            (("tokens", 0, "expires"), "2020-01-01", "organizations[0].tokens[0].expires: 2020-01-01 is in the past"),
            (("tokens", 0, "expires"), "soon", "organizations[0].tokens[0].expires: must be a date such as"),
            (("tokens", 0, "expires"), "0001-01-01", "organizations[0].tokens[0].expires: must be a date such as"),
            (("tokens", 0, "expires"), 20300101, "organizations[0].tokens[0].expires: must be text"),
            (
                ("tokens", 0, "name"),
                "reader",
                "organizations[0].tokens[1].name: 'reader' is already used at organizations[0].tok",
            ),
            (
                (*SHOP, "slug"),
                "platform",
                "organizations[0].projects[1].slug: 'platform' is already used at organizations[0].pro",
            ),
            (
                (*SHOP, "environments", 1, "slug"),
                "production",
                "organizations[0].projects[0].environments[1].slug: 'production' is already",
            ),
            (
                (*SHOP, "environments", 1, "default"),
                True,
                "organizations[0].projects[0].environments[1].default: organizations[0].projects[0].environments[0] is",
            ),
            (
                (*SHOP, "environments", 0, "default"),
                False,
                "organizations[0].projects[0].environments[0].default: a project needs a default",
            ),
            (
                (*SHOP, "environments", 0, "default"),
                "yes",
                "organizations[0].projects[0].environments[0].default: must be true or false.",
            ),
            (
                (*SHOP, "environments", 0, "colour"),
                "red",
                "organizations[0].projects[0].environments[0].colour: must be # and six",
            ),
            (
                ("projects", 1, "deployments"),
                [{"slug": "storefront"}],
                "organizations[0].projects[1].deployments[0].slug: 'storefront' is already used at organizations[0]",
            ),
            (
                (*STOREFRONT, "repository"),
                "github",
                "organizations[0].projects[0].deployments[0].repository: must be an",
            ),
            (
                (*STOREFRONT, "repository", "provider"),
                "cvs",
                "organizations[0].projects[0].deployments[0].repository.provider: is 'cvs': write one of custom, g",
            ),
            (
                (*STOREFRONT, "repository", "url"),
                "javascript:alert(1)",
                "organizations[0].projects[0].deployments[0].repository.url: Write an http, https, ssh or git "
                "address, or one as git@host:owner/repo.git.",
            ),
            (
                (*STOREFRONT, "branches", "prod"),
                "main",
                "organizations[0].projects[0].deployments[0].branches.prod: no environment 'prod' in project shop",
            ),
            (
                (*STOREFRONT, "branches", "Production"),
                "main",
                "organizations[0].projects[0].deployments[0].branches.Production: must have lower-case letters",
            ),
            (
                (*STOREFRONT, "branches", "staging"),
                "a*b",
                "organizations[0].projects[0].deployments[0].branches.staging: must be the name of a branch",
            ),
            (
                (*STOREFRONT, "path_includes"),
                ["a\n"],
                "organizations[0].projects[0].deployments[0].path_includes[0]: must",
            ),
        ],
    )
    def test_are_named_by_their_place(
        self, rejected: Rejected, steps: tuple[str | int, ...], value: Any, line: str
    ) -> None:
        lines = rejected(changed(*steps, value=value))
        assert [found for found in lines if found.startswith(line)], lines
        assert all(found.startswith("organizations[0].") for found in lines)

    @pytest.mark.parametrize(
        ("url", "sentence"),
        [
            *(
                (url, "Write an http, https, ssh or git address, or one as git@host:owner/repo.git.")
                for url in (
                    "file:///srv/git/a",
                    "ftp://a.example.com/b",
                    "javascript:alert(1)",
                    "/srv/git",
                    "a:b@c:d",
                    "x",
                    "javascript://gitlab/%0aalert(1)",
                    "http://gitlab/a b",
                    "http://gitlab /a",
                    "http://gitlab/a\n",
                    "http://gitlab/\u2028a",
                    "http://gitlab:port/a",
                    "http://-gitlab/a",
                    "http://git_lab/a",
                    "http://gitlab\\@git.example.com:a/b",
                    "http://2130706433/a",
                    "http:///a",
                    "//gitlab/a",
                )
            ),
            *(
                (url, "Write the address without the password: every member could read it.")
                for url in (
                    "https://me:secret@github.com/a/b",
                    "ssh://me:p@ss@git.example.com/a",
                    "https://:x@a.example.com/",
                    "http://me:secret@gitlab/a",
                )
            ),
            *(
                (url, "Write the address without the user before the @: every member could read it.")
                for url in ("https://ghp_FAKE@github.com/o/r.git", "http://me@gitlab/a")
            ),
        ],
    )
    def test_addresses_of_repositories(self, rejected: Rejected, url: str, sentence: str) -> None:
        place = "organizations[0].projects[0].deployments[0].repository.url"
        assert rejected(changed(*STOREFRONT, "repository", "url", value=url)) == [f"{place}: {sentence}"]

    def test_all_are_reported_at_once(self, rejected: Rejected) -> None:
        file = "organizations: [{slug: acme, members: [{email: a@}, {email: b@}], tokens: [{name: t, expires: x}]}]"
        assert [line.split(":")[0] for line in rejected(file)] == [
            "organizations[0].members[0].email",
            "organizations[0].members[1].email",
            "organizations[0].tokens[0].expires",
        ]

    def test_a_deployment_of_another_project(self, rejected: Rejected, ci: World) -> None:
        make_project(ci.organization, "Platform")
        assert rejected(
            "organizations: [{slug: acme, projects: [{slug: platform, deployments: [{slug: storefront}]}]}]"
        ) == [
            "organizations[0].projects[0].deployments[0].slug: deployment 'storefront' belongs to project 'shop': "
            "a deployment's slug is unique in the organization."
        ]

    def test_the_default_cannot_be_taken_away(self, rejected: Rejected, provision: Provision) -> None:
        provision(ACME)
        production = "{slug: production, default: false}"
        [line] = rejected(f"organizations: [{{slug: acme, projects: [{{slug: shop, environments: [{production}]}}]}}]")
        assert line.startswith("organizations[0].projects[0].environments[0].default: a project needs a default")

    def test_a_password_is_never_repeated(self, rejected: Rejected) -> None:
        for password in ("geheim" * 200, 123456, ["geheim"]):
            assert "geheim" not in " ".join(rejected(changed("members", 0, "password", value=password)))

    def test_a_mistake_at_the_end_undoes_the_beginning(self, rejected: Rejected) -> None:
        rejected("organizations: [{slug: acme}, {slug: globex, members: [{email: nobody}]}]")
        assert not Organization.objects.exists()


class TestUnreadableFiles:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("", "line 1: the file must have the key 'organizations' at its top."),
            ("- a", "line 1: the file must have the key 'organizations' at its top."),
            ("{}", "organizations: is missing."),
            ("organizations:", "organizations: has no value: write a list."),
            ("organizations:\n- slug: a\n  slug: b", "line 3: the key 'slug' appears twice in one mapping."),
            ('{"organizations": [], "organizations": []}', "The key 'organizations' appears twice in one object."),
            ("organizations:\n- &a {slug: a}", "line 2: anchors (&) and aliases (*) are not allowed"),
            ("organizations: *a", "line 1: anchors (&) and aliases (*) are not allowed"),
            ("organizations:\n- slug: !!python/name:os.system", "line 2: tags (!) are not allowed"),
            ("organizations:\n- <<: {slug: a}", "organizations[0].<<: unknown key."),
            ("organizations:\n- [a: b: c", "line 2: "),
            ("\torganizations: []", "line 1: while scanning for the next token, found character '\\t'"),
            ("a: 1\n---\nb: 2", "line 2: expected a single document in the stream, but found another document."),
            ("? [a]\n: b", "line 1: a key must be text."),
            ("organizations:\n- slug: a\0", "line 2: the character U+0000 is not allowed."),
            ('organizations:\n- slug: "\\U00110000"', "line 2: this escape is not a character."),
            (b"organizations:\n- \xff", "line 2: not UTF-8."),
            ("[" * 5000, "line 1: nested deeper than 20 levels."),
            ('{"a":' * 5000, "The file is nested too deeply."),
            ('{"organizations":' * 900 + "1" + "}" * 900, "The file is nested too deeply."),
            (
                '{"organizations": [], "\\ud800": 1}',
                "\ufffd: the key contains half a surrogate pair: send valid Unicode.",
            ),
            ('{"organizations": [{"a\\u0000": 1}]}', "organizations[0].a\ufffd: the key contains a NUL character"),
            ("organizations: " + "9" * 5000, "organizations: must be a list."),
            ("organizations: []\n" + "#" * 1_000_000, "The file is larger than 1,000,000 bytes."),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_are_rejected_in_one_line(self, rejected: Rejected, text: str | bytes, line: str) -> None:
        lines = rejected(text)
        assert lines[0].startswith(line)
        assert all(found.isprintable() for found in lines)

    def test_no_file(self, db: None, tmp_path: Path) -> None:
        for path in (tmp_path, tmp_path / "missing.yaml"):
            with pytest.raises(CommandError, match="directory"):
                call_command("provision", str(path))

    def test_a_database_that_is_not_migrated(self, provision: Provision) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE deployments_impactsource RENAME TO elsewhere")
        with pytest.raises(CommandError, match=r"nothing was stored: run manage\.py migrate first\."):
            provision("organizations: []")

    def test_output_that_cannot_be_written_undoes_the_run(self, db: None, tmp_path: Path) -> None:
        class Closed(io.StringIO):
            def write(self, text: str) -> int:
                raise BrokenPipeError(32, "Broken pipe")

        (tmp_path / "file.yaml").write_text(ACME)
        before = count_rows()
        with pytest.raises(CommandError, match="Broken pipe"):
            call_command("provision", str(tmp_path / "file.yaml"), stdout=Closed())
        assert count_rows() == before


def test_the_schema_is_valid() -> None:
    jsonschema_rs.meta.validate(load_schema("provision"))
