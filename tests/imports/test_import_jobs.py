"""Imports that a page has confirmed, which a worker does."""

import io
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

import pytest
from celery import Celery
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from deployments.imports import jobs
from deployments.imports.drafts import keep_draft
from deployments.imports.jobs import LeaseLost, Progress, cancel_import, run_import, take_due_import
from deployments.models import Deploy, DraftChunk, HistoryImport, ImportDraft
from deployments.tasks import delete_old_import_drafts, run_imports
from orgs.models import User
from tests.conftest import World
from tests.imports.histories import START, history, in_short, post_history
from tests.imports.importing import dated, post_file, rows
from tests.simultaneously import simultaneously

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
WORK = "import django; django.setup(); from deployments.tasks import run_imports; run_imports()"
MANY = 20_000
SECONDS = 60


@pytest.fixture
def draft(ci: World, admin: User) -> ImportDraft:
    """Of the deploys x, y and x, for a production that has had a and b."""
    post_history(ci, "a b")
    return upload(ci, admin, dated("x y x"))


def upload(world: World, user: User, data: str) -> ImportDraft:
    return keep_draft(
        deployment=world.deployment,
        environment=world.project.environments.get(slug="production"),
        replaces=True,
        user=user,
        file_name="old.csv",
        file=io.BytesIO(data.encode()),
    )


def many_rows() -> str:
    return rows(*(f"{number + 1:040x},{(START + timedelta(minutes=number)).isoformat()}" for number in range(MANY)))


def path_of(draft: ImportDraft) -> str:
    return f"/acme/deployments/storefront/imports/drafts/{draft.pk}"


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def state(draft: ImportDraft) -> str:
    draft.refresh_from_db()
    return draft.state


def start(client: Client, draft: ImportDraft) -> None:
    assert client.post(path_of(draft)).status_code == 302


def started(client: Client, draft: ImportDraft) -> ImportDraft:
    """As a worker has it that has just taken it."""
    start(client, draft)
    taken = take_due_import()
    assert taken is not None
    return taken


def expire_lease(draft: ImportDraft) -> None:
    ImportDraft.objects.filter(pk=draft.pk).update(leased_until=timezone.now() - timedelta(seconds=1))


def test_clicks_while_it_runs_and_afterwards_join_the_first(ci: World, client: Client, draft: ImportDraft) -> None:
    start(client, draft)
    start(client, draft)
    assert state(draft) == "waiting"
    taken = take_due_import()
    start(client, draft)
    assert state(draft) == "running"
    assert "Importing" in text(client.get(path_of(draft)))
    assert taken is not None
    run_import(taken)
    start(client, draft)

    assert state(draft) == "done"
    assert run_imports() == 0
    assert HistoryImport.objects.count() == 1
    assert in_short(history(ci)) == "x y[rolled back] x[rollback, live]"
    assert not DraftChunk.objects.exists()


class TestLosingTheWorker:
    def test_another_one_begins_again_after_the_lease(self, ci: World, client: Client, draft: ImportDraft) -> None:
        lost = started(client, draft)
        assert run_imports() == 0
        expire_lease(draft)
        assert "Another one begins again" in text(client.get(path_of(draft)))

        assert run_imports() == 1

        assert in_short(history(ci)) == "x y[rolled back] x[rollback, live]"
        # It was only slow, and comes to its end after all.
        run_import(lost)
        assert state(draft) == "done"
        assert HistoryImport.objects.count() == 1
        assert Deploy.all_objects.count() == 5

    def test_a_slow_one_stores_nothing_once_another_has_begun(
        self, ci: World, client: Client, draft: ImportDraft
    ) -> None:
        slow = started(client, draft)
        expire_lease(draft)
        assert take_due_import() is not None

        run_import(slow)

        assert state(draft) == "running"
        assert in_short(history(ci)) == "a b[live]"
        assert not HistoryImport.objects.exists()

    def test_a_job_that_ends_its_worker_again_and_again_fails(self, client: Client, draft: ImportDraft) -> None:
        started(client, draft)
        for _ in range(2):
            expire_lease(draft)
            assert take_due_import() is not None
        expire_lease(draft)

        assert take_due_import() is None

        assert state(draft) == "failed"
        assert "started 3 times" in text(client.get(path_of(draft)))
        start(client, draft)
        assert run_imports() == 1
        assert state(draft) == "done"

    def test_kill_9_in_the_middle(self, ci: World, admin: User, client: Client) -> None:
        post_history(ci, "a b")
        draft = upload(ci, admin, many_rows())
        start(client, draft)
        worker = subprocess.Popen([sys.executable, "-c", WORK], cwd=ROOT, env=environment())
        try:
            deadline = time.monotonic() + SECONDS
            while state(draft) != "running" or draft.deploy_count is None:
                assert worker.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
        # Unless it was faster than we.
        if state(draft) == "running":
            assert in_short(history(ci)) == "a b[live]"
            expire_lease(draft)
            assert run_imports() == 1

        assert state(draft) == "done"
        assert Deploy.objects.count() == MANY
        assert HistoryImport.objects.count() == 1


def environment() -> dict[str, str]:
    """A process's that has the tests' database."""
    database = connection.settings_dict
    url = f"sqlite:///{quote(str(database['NAME']))}"
    if connection.vendor == "postgresql":
        user = f"{database['USER']}:{quote(database['PASSWORD'])}" if database["PASSWORD"] else database["USER"]
        url = f"postgres://{user}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}


class TestCancelling:
    def cancel(self, client: Client, draft: ImportDraft) -> str:
        return text(client.post(f"{path_of(draft)}/cancel", follow=True))

    def test_before_a_worker_took_it(self, ci: World, client: Client, draft: ImportDraft) -> None:
        start(client, draft)
        assert "The import was cancelled. Nothing has changed." in self.cancel(client, draft)
        assert run_imports() == 0
        assert in_short(history(ci)) == "a b[live]"

    def test_while_the_file_is_read(self, ci: World, client: Client, draft: ImportDraft) -> None:
        taken = started(client, draft)
        self.cancel(client, draft)
        with Progress(taken) as progress, pytest.raises(LeaseLost):
            progress.read(1_000)
        run_import(taken)
        assert state(draft) == "cancelled"
        assert in_short(history(ci)) == "a b[live]"

    def test_just_before_it_is_stored(self, ci: World, client: Client, draft: ImportDraft) -> None:
        class Cancelled(Progress):
            def checked(self, rows: int, deploys: int) -> None:
                super().checked(rows, deploys)
                assert cancel_import(draft=draft)

        taken = started(client, draft)
        with Cancelled(taken) as progress, pytest.raises(LeaseLost):
            jobs.import_draft(taken, progress)
        assert in_short(history(ci)) == "a b[live]"
        assert not HistoryImport.objects.exists()

    def test_it_can_be_started_again(self, ci: World, client: Client, draft: ImportDraft) -> None:
        start(client, draft)
        self.cancel(client, draft)
        start(client, draft)
        assert run_imports() == 1
        assert in_short(history(ci)) == "x y[rolled back] x[rollback, live]"

    def test_what_is_done_is_not_cancelled(self, ci: World, client: Client, draft: ImportDraft) -> None:
        start(client, draft)
        run_imports()
        assert "had ended before" in self.cancel(client, draft)
        assert state(draft) == "done"
        assert in_short(history(ci)) == "x y[rolled back] x[rollback, live]"


class TestProgress:
    def part(self, client: Client, draft: ImportDraft, **headers: str) -> Any:
        return client.get(path_of(draft), headers={"HX-Request": "true", **headers})

    def test_the_page_says_how_far_it_is(self, client: Client, draft: ImportDraft) -> None:
        taken = started(client, draft)
        with Progress(taken) as progress:
            progress.read(2)
            page = text(self.part(client, draft))
            assert '2 rows <span class="muted">of about 3 rows' in page
            assert 'value="16"' in page
            progress.checked(3, 2)
            page = text(self.part(client, draft))
            assert '2 deploys <span class="muted">and 1 duplicate row' in page
            progress.write(stored_count=1)
            page = text(self.part(client, draft))
            assert "1 deploy<" in page
            assert 'value="66"' in page

    def test_a_part_that_shows_it_already_is_not_sent_again(self, client: Client, draft: ImportDraft) -> None:
        start(client, draft)
        seen = self.part(client, draft).context["seen"]
        assert self.part(client, draft, **{"If-None-Match": seen}).status_code == 204
        take_due_import()
        assert self.part(client, draft, **{"If-None-Match": seen}).status_code == 200

    def test_at_the_end_the_page_is_loaded_anew(self, client: Client, draft: ImportDraft) -> None:
        start(client, draft)
        run_imports()
        assert self.part(client, draft).headers["HX-Refresh"] == "true"
        assert "3 deploys imported to Production. 2 deploys made way for them." in text(client.get(path_of(draft)))

    def test_the_lease_is_renewed(self, client: Client, draft: ImportDraft) -> None:
        taken = started(client, draft)
        expire_lease(draft)
        with Progress(taken) as progress:
            progress.read(1)
        assert run_imports() == 0

    @pytest.mark.skipif("connection.vendor != 'postgresql'", reason="nobody sees it on SQLite before the end")
    def test_others_see_what_is_stored_before_the_end(self, client: Client, draft: ImportDraft) -> None:
        counts: list[tuple[int, int]] = []

        class Watched(Progress):
            def stored(self, count: int) -> None:
                self.next_report = 0
                super().stored(count)
                counts.extend(simultaneously(look))

        def look() -> tuple[int, int]:
            """As another process does: this one's connection is busy with COPY."""
            return ImportDraft.objects.get(pk=draft.pk).stored_count, Deploy.objects.count()

        taken = started(client, draft)
        with Watched(taken) as progress:
            jobs.import_draft(taken, progress)
        assert counts == [(3, 2)]

    def test_it_is_listed_until_it_is_done(self, client: Client, draft: ImportDraft) -> None:
        start(client, draft)
        page = text(client.get("/acme/deployments/storefront/imports"))
        assert "Being imported" in page
        assert path_of(draft) in page
        run_imports()
        assert "Being imported" not in text(client.get("/acme/deployments/storefront/imports"))


def test_another_upload_does_not_end_an_import(ci: World, admin: User, client: Client, draft: ImportDraft) -> None:
    start(client, draft)
    upload(ci, admin, dated("z"))
    ImportDraft.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert delete_old_import_drafts() == 1
    assert run_imports() == 1
    assert in_short(history(ci)) == "x y[rolled back] x[rollback, live]"


NOWHERE = Celery("nowhere", broker="redis://127.0.0.1:1/0", set_as_current=False)


def test_without_a_broker_the_sweep_does_it(
    client: Client, draft: ImportDraft, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TASK_SENDER = f"{__name__}.NOWHERE"
    start(client, draft)
    jobs.send_task()
    assert "The worker was not nudged" in caplog.text
    assert run_imports() == 1


# --- The preview, which waits for nobody and keeps nobody waiting ---


def test_a_preview_needs_no_write_lock(client: Client, draft: ImportDraft) -> None:
    """Another connection holds it all the while, as a registration does."""
    # The first page of a session is remembered in it.
    client.get("/acme/deployments/storefront/imports")
    is_locked, is_shown = Event(), Event()

    def lock() -> bool:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("LOCK TABLE deployments_deploy, deployments_importdraft IN EXCLUSIVE MODE")
            is_locked.set()
            return is_shown.wait(10)

    def show() -> bool:
        assert is_locked.wait(10)
        try:
            return "Import 3 deploys" in text(client.get(path_of(draft)))
        finally:
            is_shown.set()

    assert simultaneously(lock, show) == [True, True]


# --- How large a file may be ---


def test_a_file_with_too_many_rows(ci: World, admin: User, client: Client, settings: Settings) -> None:
    settings.MAX_IMPORT_ROWS = 2
    sentence = "The file has more than 2 rows: leave out the oldest, or ask the operator to raise MAX_IMPORT_ROWS."
    response = post_file(ci, dated("a b c"))
    assert (response.status_code, response.content.decode()) == (400, sentence)
    draft = upload(ci, admin, dated("a b c"))
    assert sentence in text(client.get(path_of(draft)))
    start(client, draft)
    assert run_imports() == 1
    assert state(draft) == "failed"
    assert draft.error == sentence
    assert not HistoryImport.objects.exists()
    assert post_file(ci, dated("a b")).status_code == 200


def test_a_cancelled_worker_does_not_take_the_next_lease_for_its_own(
    ci: World, client: Client, draft: ImportDraft
) -> None:
    start(client, draft)
    first = take_due_import()
    assert first is not None
    assert cancel_import(draft=draft)
    start(client, draft)
    second = take_due_import()
    assert second is not None

    assert (jobs.held(first).exists(), jobs.held(second).exists()) == (False, True)
    run_import(first)
    assert in_short(history(ci)) == "a b[live]"
    run_import(second)
    assert state(draft) == "done"
    assert HistoryImport.objects.count() == 1
