"""``import_deploys``: a CSV file in place of a history."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from deployments.models import Call, Deploy, HistoryImport, Target
from deployments.request_log.writer import request_log
from orgs.models import AuditEvent
from tests.calls import MULTIPART, assert_sentence, basic, bearer, call, count_rows, multipart, text_of
from tests.conftest import World
from tests.factories import make_deployment, make_token
from tests.imports.histories import history, in_short, minute
from tests.imports.importing import END, dated, field_part, file_part, import_path, post_file, rows
from tests.registration.requests import log
from tokens.scopes import Scope


def shas(world: World, environment: str = "production") -> str:
    return in_short(history(world, environment))


def refused(world: World, data: bytes | str, **fields: Any) -> str:
    """The sentence of a refusal that stored nothing."""
    before = count_rows()
    response = post_file(world, data, **fields)
    assert response.status_code == 400, response.content
    assert count_rows() == before
    return assert_sentence(response)


class TestReplacing:
    def test_the_history_is_that_of_the_file(self, ci: World) -> None:
        ci.register(sha="old", commits=[{"revision": "old", "message": "Old"}])
        ci.register(sha="elsewhere", environment="staging")

        response = post_file(ci, dated("a b c"))

        assert (response.status_code, text_of(response)) == (200, "Success")
        assert shas(ci) == "a b c[live]"
        assert shas(ci, "staging") == "elsewhere[live]"
        deploy = Deploy.objects.get(sha="c")
        assert (deploy.deployed_at, deploy.token) == (datetime(2024, 5, 3, 12, tzinfo=UTC), ci.token)
        assert (deploy.deployment, deploy.project, deploy.organization) == (ci.deployment, ci.project, ci.organization)
        assert (deploy.environment.slug, deploy.lead_time, deploy.commit_count) == ("production", None, 0)

    def test_into_an_environment_where_nothing_was(self, ci: World) -> None:
        assert post_file(ci, dated("a b"), environment="Staging").status_code == 200
        assert shas(ci, "staging") == "a b[live]"
        assert not Target.objects.filter(environment__slug="production").exists()

    @pytest.mark.parametrize(
        ("file", "linked"),
        [
            ("a b a", "a b[rolled back] a[rollback, live]"),
            ("a b c a b", "a b[rolled back] c[rolled back] a[rollback, rolled back] b[rollback, live]"),
            ("a b c b a", "a b[rolled back] c[rolled back] b[rollback, rolled back] a[rollback, live]"),
            ("a b c d b d", "a b c[rolled back] d[rolled back] b[rollback, rolled back] d[rollback, live]"),
        ],
    )
    def test_rollbacks_are_found_as_registration_finds_them(
        self, ci: World, other: World, file: str, linked: str
    ) -> None:
        assert post_file(ci, dated(file)).status_code == 200
        for day, sha in enumerate(file.split(), 1):
            assert other.register(sha=sha, date=f"2024-05-{day:02}T12:00:00Z").status_code == 200

        assert history(ci) == history(other)
        assert shas(ci) == linked

    def test_registration_goes_on_from_there(self, ci: World) -> None:
        post_file(ci, dated("a b c"))
        assert ci.register(sha="c").status_code == 400
        assert ci.register(sha="b").status_code == 200
        assert shas(ci) == "a b c[rolled back] b[rollback, live]"

    def test_the_answer_counts_where_it_is_asked_to(self, ci: World) -> None:
        ci.register(sha="old")
        headers = bearer(ci.secret) | {"Prefer": "return=representation"}
        response = post_file(ci, dated("a b b c"), headers=headers)
        assert response.json() == {"deploys": 3, "duplicates": 1, "unsuccessful": 0, "replaced": 1}

    def test_what_happened_is_in_the_audit_log(self, ci: World) -> None:
        ci.register(sha="old")
        post_file(ci, dated("a b"))
        event = AuditEvent.objects.get(action="import.applied")
        assert (event.actor_label, event.subject_label) == ("access token ci", "Storefront in Production")
        assert event.changes == {"file": "deploys.csv", "deploys": 2, "replaced": 1}


class TestFiles:
    @pytest.mark.parametrize(
        "data",
        [
            "sha,date \n3c02378,2024-05-02T08:34:02 \n6f0d7cf,2024-05-01T15:03:55\n",
            "sha,date\r\n6f0d7cf,2024-05-01T15:03:55\r\n3c02378,2024-05-02T08:34:02\r\n",
            "\ufeffsha,date\n6f0d7cf,2024-05-01T15:03:55\n3c02378,2024-05-02T08:34:02",
            'Date,SHA\n"2024-05-01 15:03:55",  "6f0d7cf"\n2024-05-02T10:34:02+02:00,3c02378\n',
            "\n\nsha;date;\n6f0d7cf;2024-05-01T15:03:55Z;\n;;\n   \n3c02378;2024-05-02T08:34:02Z;\n\n",
            "who\tsha\tdate\nx\t6f0d7cf\t2024-05-01T15:03:55\ny\t3c02378\t2024-05-02T08:34:02\n",
            'sha,note,date\n6f0d7cf,"two\nlines, and ""more""",2024-05-01T15:03:55\n3c02378,,2024-05-02T08:34:02\n',
            b"note,sha,date\n\xff\xfe,6f0d7cf,2024-05-01T15:03:55\n\0,3c02378,2024-05-02T08:34:02,more,cells\n",
        ],
        ids=["Sleuth's sample", "CRLF", "byte-order mark", "quoted, any order", "semicolons", "tabs", "line break",
             "what is ignored"],
    )  # fmt: skip
    def test_every_spelling(self, ci: World, data: bytes | str) -> None:
        assert text_of(post_file(ci, data)) == "Success"
        assert shas(ci) == "6f0d7cf 3c02378[live]"
        moments = [deploy.deployed_at for deploy in Deploy.objects.order_by("deployed_at")]
        assert moments == [datetime(2024, 5, 1, 15, 3, 55, tzinfo=UTC), datetime(2024, 5, 2, 8, 34, 2, tzinfo=UTC)]

    def test_more_columns_are_taken(self, ci: World) -> None:
        title = "Tab\there \\ and \\N and ünïcode"
        data = (
            "first_commit_at,email,author,title,branch,date,sha,environment,deployment\n"
            f'2024-05-01T12:00:00Z,ada@example.com,Ada,"{title}\r\nMore",main,2024-05-01T13:00:00Z,a\\b,'
            "Production,storefront\n"
            "2024-05-03,,,,,2024-05-02,c,,\n"
        )
        assert text_of(post_file(ci, data)) == "Success"
        first, second = Deploy.objects.order_by("deployed_at")
        assert (first.sha, first.branch, first.author_name, first.author_email) == (
            "a\\b",
            "main",
            "Ada",
            "ada@example.com",
        )
        assert (first.title.replace("\t", " "), first.lead_time) == (title.replace("\t", " "), 3600)
        assert second.first_commit_at == datetime(2024, 5, 3, tzinfo=UTC)
        assert second.lead_time is None

    def test_rows_of_one_moment_keep_their_order(self, ci: World) -> None:
        post_file(ci, rows("a,2024-05-01", "b,2024-05-02", "c,2024-05-02", "d,2024-05-03"))
        assert shas(ci) == "a b c d[live]"
        post_file(ci, rows("d,2024-05-03", "c,2024-05-02", "b,2024-05-02", "a,2024-05-01"))
        assert shas(ci) == "a b c d[live]"
        post_file(ci, rows("c,2024-05-02", "b,2024-05-02"))
        assert shas(ci) == "c b[live]"

    def test_rows_that_say_nothing_new_are_left_out(self, ci: World) -> None:
        """The same sha in neighbours, or again at the same moment: registration calls that a duplicate."""
        post_file(
            ci, rows("a,2024-05-01", "b,2024-05-02", "a,2024-05-01", "b,2024-05-03", "b,2024-05-02", "c,2024-05-04")
        )
        assert shas(ci) == "a b c[live]"
        assert Deploy.objects.get(sha="b").deployed_at == datetime(2024, 5, 2, tzinfo=UTC)
        done = HistoryImport.objects.get()
        assert (done.deploy_count, done.duplicate_count) == (3, 3)

    def test_more_rows_than_a_batch(self, ci: World) -> None:
        start = datetime(2020, 1, 1, tzinfo=UTC)
        lines = [f"{n % 5999:x},{(start + timedelta(minutes=n)).isoformat()}" for n in range(12_000)]
        assert text_of(post_file(ci, rows(*reversed(lines)))) == "Success"
        assert Deploy.objects.count() == 12_000
        assert Deploy.objects.exclude(restores=None).count() == 6_001
        # The rest was undone by the first rollback after it, which reaches back to the deploy before.
        rollback = Deploy.objects.get(deployed_at=start + timedelta(minutes=5999))
        assert (rollback.restores, rollback.rolled_back.count()) == (Deploy.objects.get(deployed_at=start), 5998)

    def test_the_file_may_be_a_field(self, ci: World) -> None:
        body = multipart(("csv_file", dated("a b")), ("environment", "staging"))
        assert text_of(call(import_path(ci), body, content_type=MULTIPART, headers=bearer(ci.secret))) == "Success"
        assert shas(ci, "staging") == "a b[live]"


class TestRefusals:
    @pytest.mark.parametrize(
        ("lines", "sentence"),
        [
            (["a,2024-05-01", ",2024-05-01"], "sha is missing: line 3."),
            (["a,soon", "b,", "c, ", "d"], "date is not in ISO 8601: line 2; date is missing: line 3, line 4, line 5."),
            (
                ["a,2024-05-01", "", '"b\nb",2024-05-01', "c\0,2024-05-01"],
                "sha has a line break or another control character: line 4; sha is not UTF-8 text: line 6.",
            ),
            ([f"{'x' * 256},2024-05-01"], "sha is longer than 255 characters: line 2."),
            (
                ["a,1969-12-31", "a,9999-12-31", "a,0000-00-00"],
                "date is before 2000, which means no time: line 2, line 4; date is not in ISO 8601: line 3.",
            ),
            (['a,2024-05-01,"x\ny"', "b,"], "date is missing: line 4."),
        ],
    )
    def test_each_wrong_line_is_named(self, ci: World, lines: list[str], sentence: str) -> None:
        assert refused(ci, rows(*lines)) == f"Nothing was imported: {sentence}"

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ("sha,date,email\na,2024-05-01,nobody", "email is no e-mail address: line 2."),
            ("sha,date,first_commit_at\na,2024-05-01,soon", "first_commit_at is not in ISO 8601: line 2."),
            ("sha,date,environment\na,2024-05-01,staging", "environment is not production: line 2."),
            ("sha,date,deployment\na,2024-05-01,other", "deployment is not storefront: line 2."),
            (b"sha,date\n\xff,2024-05-01", "sha is not UTF-8 text: line 2."),
            (b"sha,date,title\na,2024-05-01,\xff", "title is not UTF-8 text: line 2."),
        ],
    )
    def test_each_wrong_cell_is_named(self, ci: World, data: bytes | str, sentence: str) -> None:
        assert refused(ci, data) == f"Nothing was imported: {sentence}"

    def test_ten_thousand_lines_are_named_and_the_others_counted(self, ci: World) -> None:
        answer = post_file(ci, rows(*(["a,soon", ",2024-05-01"] * 5_001)))
        dates, shas_, more = text_of(answer).removeprefix("Nothing was imported: ").split("; ")
        assert answer.status_code == 400
        assert dates == "date is not in ISO 8601: " + ", ".join(f"line {n}" for n in range(2, 10_001, 2))
        assert shas_ == "sha is missing: " + ", ".join(f"line {n}" for n in range(3, 10_002, 2))
        assert more == "and 2 more."
        request_log.flush()
        assert Call.objects.get().answer == text_of(answer)[:500]

    def test_a_date_in_the_future(self, ci: World) -> None:
        tomorrow = timezone.now() + timedelta(days=1, minutes=1)
        assert "date is in the future: line 3." in refused(ci, rows("a,2024-05-01", f"b,{tomorrow.isoformat()}"))

    def test_a_clock_that_was_ahead(self, ci: World) -> None:
        ahead = timezone.now() + timedelta(hours=5)

        assert post_file(ci, rows(f"a,{ahead.isoformat()}")).status_code == 200
        assert ci.register(sha="b").status_code == 200

        first, second = Deploy.objects.order_by("id")
        assert first.deployed_at < first.created_at < second.deployed_at
        assert second.target.live_deploy == second

    @pytest.mark.parametrize("date", ["0001-01-01T00:00:00Z", "1970-01-01", "0000-00-00 00:00:00", "0"])
    def test_a_time_of_zero_is_an_unknown_first_commit(self, ci: World, date: str) -> None:
        assert post_file(ci, f"sha,date,first_commit_at\na,2024-05-01,{date}\n").status_code == 200
        assert Deploy.objects.get().first_commit_at is None

    @pytest.mark.parametrize(
        ("data", "part"),
        [
            ("", "Line 1 names no column sha"),
            ("a,2024-05-01\n", "Line 1 names no column sha"),
            ("\nsha\na\n", "Line 2 names no column date"),
            ("sha,date,SHA \n", "Line 1 names the column sha twice."),
            ("sha,date\n", "the file has no row below its first line"),
            ("sha,date\n\n , \n", "the file has no row below its first line"),
            ("sha,date\na,2024-05-01\n".encode("utf-16"), "The file is not UTF-8 text"),
            ("sha,date\na,2024-05-01\n".encode("utf-16-le"), "The file is not UTF-8 text"),
            (b"PK\x03\x04\0\0\0", "The file is not UTF-8 text"),
            (b"\x89PNG\r\n\x1a\n", "Line 1 names no column sha"),
            ('sha,date\na,2024-05-01\n"b,2024-05-02\nc,2024-05-03\n', "Line 3 opens a quotation mark"),
            ("sha,date\ra,2024-05-01\r", "The file's lines end with a carriage return alone: save it"),
            ("sha,date\r" + "a,2024-05-01\r" * 20_000, "The file's lines end with a carriage return alone"),
            ('sha,date\n"a"\rb,2024-05-01', "Line 2 is not CSV"),
            ("sha,date\n" + "x" * 300_000, "Line 2 is too long: end each row"),
            ('sha,date\n"' + "\n" * 1_100_000, "Line 2 is not CSV"),
            ('sha,date\n' + '"\n",' * 600_000, "is too long"),
            ("sha,date\n" + "x" * 150_000, "Line 2 is not CSV"),
        ],
        ids=range(18),
    )  # fmt: skip
    def test_what_is_no_history(self, ci: World, data: bytes | str, part: str) -> None:
        assert part in refused(ci, data)

    def test_all_or_nothing(self, ci: World) -> None:
        ci.register(sha="old")
        refused(ci, rows(*(f"{n:x},2024-05-01T00:00:00.{n:06}" for n in range(12_000)), "a,soon"))
        assert shas(ci) == "old[live]"

    def test_an_environment_that_is_not_there(self, ci: World) -> None:
        assert "it has staging, production" in refused(ci, dated("a"), environment="nowhere")

    def test_without_a_file(self, ci: World) -> None:
        for body, label in ((END, MULTIPART), (b"{}", "application/json"), (b"", None), (b"a=b", None)):
            response = call(import_path(ci), body, content_type=label, headers=bearer(ci.secret))
            assert response.status_code == 400
            assert_sentence(response)

    def test_a_body_that_was_cut(self, ci: World) -> None:
        body = file_part(dated("a b c"))
        response = call(import_path(ci), body, content_type=MULTIPART, headers=bearer(ci.secret))
        assert response.status_code == 400
        assert "does not end with the boundary" in assert_sentence(response)

    def test_a_body_that_is_too_large(self, ci: World, settings: Settings) -> None:
        settings.MAX_IMPORT_BYTES = 1000
        response = post_file(ci, dated("a") + " " * 1000)
        assert response.status_code == 413
        assert "1000 bytes" in assert_sentence(response)

    def test_a_file_larger_than_other_bodies_may_be(self, ci: World, settings: Settings) -> None:
        settings.MAX_BODY_BYTES = settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
        assert text_of(post_file(ci, dated("a") + "\n" * 5000)) == "Success"


class TestTokens:
    def test_the_token_may_stand_anywhere(self, ci: World) -> None:
        file, key = file_part(dated("a b")), field_part("api_key", ci.secret)
        for body, query, headers in (
            (key + file, "", {}),
            (file + key, "", {}),
            (file, f"?api_key={ci.secret}", {}),
            (file, "", {"authorization": f"apikey {ci.secret}"}),
            (file, "", basic(ci.secret)),
        ):
            response = call(import_path(ci) + query, body + END, content_type=MULTIPART, headers=headers)
            assert (response.status_code, response.content) == (200, b"Success")

    @pytest.mark.parametrize("data", ["", "no csv", dated("a")])
    def test_a_wrong_token_is_said_before_anything_of_the_file(self, ci: World, other: World, data: str) -> None:
        for headers in ({}, bearer("gum_wrong"), bearer(other.secret)):
            before = count_rows()
            assert post_file(ci, data, headers=headers, environment="nowhere").status_code == 401
            assert count_rows() == before

    def test_another_deployment(self, ci: World) -> None:
        for slug, status in (("nothing", 401), ("-", 404)):
            path = import_path(ci).replace("storefront", slug)
            response = call(path, file_part("no csv") + END, content_type=MULTIPART, headers=bearer(ci.secret))
            assert response.status_code == status

    def test_scopes_and_limits(self, ci: World) -> None:
        _, reader = make_token(ci.organization, Scope.READ)
        assert post_file(ci, dated("a"), headers=bearer(reader)).status_code == 403
        staging = ci.project.environments.get(slug="staging")
        _, limited = make_token(ci.organization, Scope.IMPORT_DEPLOYS, environments=[staging])
        assert post_file(ci, dated("a"), headers=bearer(limited)).status_code == 403
        assert post_file(ci, dated("a"), headers=bearer(limited), environment="staging").status_code == 200

    def test_the_log_has_the_call_without_file_and_token(self, ci: World) -> None:
        make_deployment(ci.project, "Other")
        post_file(ci, dated("a b"), headers={}, environment="staging", api_key=ci.secret)
        post_file(ci, rows("a,soon"), headers={}, environment="staging", api_key=ci.secret)
        request_log.flush()
        accepted, rejected = Call.objects.order_by("id")
        assert (accepted.status, accepted.outcome, accepted.deployment) == (200, "accepted", ci.deployment)
        assert accepted.body == "environment=staging\ncsv_file=deploys.csv (55 bytes, not kept)"
        assert (rejected.status, rejected.answer) == (400, "Nothing was imported: date is not in ISO 8601: line 2.")
        assert not rejected.can_be_replayed
        assert ci.secret not in accepted.body + accepted.path


def test_a_token_in_a_branch_or_in_the_name_of_the_file_is_masked(ci: World) -> None:
    data = file_part(f"sha,date,branch\nabc,{minute(0)},release/{ci.secret}\n", file_name=f"{ci.secret}.csv")

    assert call(import_path(ci), data + END, content_type=MULTIPART, headers=bearer(ci.secret)).status_code == 200

    assert Deploy.objects.get().branch.startswith("release/")
    assert HistoryImport.objects.get().file_name.endswith(".csv")
    stored = Deploy.objects.get().branch + HistoryImport.objects.get().file_name + str(log()[0].body)
    assert ci.secret not in stored
