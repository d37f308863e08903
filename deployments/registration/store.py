"""Storing a registration: one transaction makes it a deploy with its details, or rejects it as a duplicate."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Min, Model, Q

from deployments.api.dates import MICROSECOND
from deployments.errors import DuplicateDeploy, KeyReused, TargetMoved
from deployments.models import ChangedFile, Commit, Deploy, Deployment, Link, PullRequest, Status, Tag, Target
from deployments.registration import history, statements
from deployments.registration.default_tags import tags_of_paths
from deployments.registration.registration import NewCommit, NewPullRequest, Registration, lead_time
from deployments.registration.statements import PastDeploy, TargetRow
from deployments.shas import HASH, SHORTEST, begins_with, is_same_commit, names_among
from orgs.rows import lock_row
from orgs.short_lived import move_end

# So long after a call the same bytes from the same token are the same call.
REPEATED_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a target's history a deploy goes."""

    deployed_at: datetime
    is_live: bool
    may_link_rollbacks: bool


class Stored(NamedTuple):
    """``moved_on`` means that the deploy was there already, and had started."""

    deploy_id: int
    moved_on: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What a target has of a commit, which ``names`` mean there. A new sha beside others that begin alike may change
    which of them mean one commit."""

    live: PastDeploy | None
    latest: PastDeploy | Deploy | None
    names: Collection[str]
    may_join_or_part: bool


def register_deploy(
    *,
    organization_id: int,
    token_id: int | None,
    target: TargetRow,
    registration: Registration,
    now: datetime,
    call_digest: int | None = None,
    continues: int | None = None,
) -> Stored:
    """Store a deploy in its target. When this returns outside a transaction, the deploy is on disk.

    Registrations of one target happen one after another. A call that names a deploy which started, or ``continues``
    it, moves it on. Raises DuplicateDeploy if nothing would change, KeyReused if a call that ``continues`` a deploy
    does not move it on, and TargetMoved.
    """
    target_id = target.target_id or ensure_target(target)
    with transaction.atomic():
        live_deploy_id, environment_id = statements.lock_target(target_id)
        if environment_id != target.environment_id:
            raise moved(target)
        if target.short_lived_days and not move_end(
            environment_id=environment_id, days=target.short_lived_days, now=now
        ):
            raise moved(target)
        if (registration.external_id or continues) and (
            started := find_started(
                target_id=target_id,
                live_deploy_id=live_deploy_id,
                registration=registration,
                now=now,
                call_digest=call_digest,
                continues=continues,
            )
        ):
            move_on(deploy=started, registration=registration, now=now, call_digest=call_digest)
            return Stored(started.pk, moved_on=True)
        known = find_known(target_id=target_id, live_deploy_id=live_deploy_id, sha=registration.sha)
        repeated = None
        if (known.latest or not registration.has_succeeded) and call_digest is not None:
            repeated = find_repeated(
                target_id=target_id,
                token_id=token_id,
                sha=registration.sha,
                digest=call_digest,
                now=now,
            )
        is_redeploy = target.records_redeploys and known.live is not None and known.live.sha in known.names
        if repeated and (registration.may_come_twice or is_redeploy or not registration.has_succeeded):
            raise duplicate_of(repeated, is_repeat=True)
        try:
            position = find_position(
                target_id=target_id,
                known=known,
                registration=registration,
                now=now,
                records_redeploys=bool(target.records_redeploys),
            )
        except DuplicateDeploy as duplicate:
            raise (duplicate_of(repeated, is_repeat=True) if repeated else duplicate) from None
        deploy_id = statements.insert_deploy(
            {
                "organization_id": organization_id,
                "project_id": target.project_id,
                "deployment_id": target.deployment_id,
                "environment_id": target.environment_id,
                "target_id": target_id,
                "token_id": token_id,
                "created_at": now,
                "updated_at": now,
                "call_digest": call_digest,
                **registration.columns(position.deployed_at),
            },
            is_live=position.is_live,
        )
        store_details(deploy_id, registration)
        if position.may_link_rollbacks:
            history.link_rollbacks(deploy_id=deploy_id)
        # After each deploy: here. See "Frequent changes" in CONTRIBUTING.md.
    return Stored(deploy_id)


def ensure_target(target: TargetRow) -> int:
    """Call this outside the transaction that registers, so that calls at once wait for a row and not for a deploy."""
    with transaction.atomic():
        deployment = lock_row(Deployment(pk=target.deployment_id))
        if deployment.project_id != target.project_id:
            raise moved(target)
        row, _ = Target.objects.get_or_create(deployment=deployment, environment_id=target.environment_id)
    return row.id


def moved(target: TargetRow) -> TargetMoved:
    return TargetMoved(f"{target.deployment_slug} was just moved to another project: send the call again.")


def find_repeated(*, target_id: int, token_id: int | None, sha: str, digest: int, now: datetime) -> Deploy | None:
    """The deploy that the same bytes from the same token made a moment ago.

    wget, Java's HttpURLConnection and others send a POST again by themselves if the connection breaks before the
    answer. If another sha came in between, only the caller can tell such a call from a rollback: it says so by
    ignore_if_duplicate.
    """
    same_call = Deploy.objects.filter(target=target_id, sha=sha, token=token_id, call_digest=digest)
    return same_call.filter(created_at__gt=now - REPEATED_WITHIN).first()


def find_known(*, target_id: int, live_deploy_id: int | None, sha: str) -> Known:
    live, latest, alike = statements.find_live_and_latest(target_id=target_id, live_deploy_id=live_deploy_id, sha=sha)
    if not alike:
        return Known(live, latest, {sha}, may_join_or_part=False)
    names = names_among(alike, sha)
    return Known(live, Deploy.succeeded.filter(target=target_id, sha__in=names).first(), names, may_join_or_part=True)


def find_position(
    *, target_id: int, known: Known, registration: Registration, now: datetime, records_redeploys: bool = False
) -> Position:
    """Must be called under the target's lock. Raises DuplicateDeploy.

    A deploy is a duplicate if its commit is live, whatever its date; if its neighbour in time has the same commit; or
    if this commit was registered for the same moment. Another version of the same commit is a deploy, but no rollback.
    A deploy without a date becomes the newest, even if an earlier caller's clock was ahead. No deploy is later than its
    arrival, since one that is dated ahead would hide those that follow it. Where the deployment ``records_redeploys``,
    only the same commit at the same moment is a duplicate.
    """
    if not registration.has_succeeded:
        return position_without_effect(target_id=target_id, registration=registration, now=now)
    live, latest, names = known.live, known.latest, known.names
    dated = min(registration.deployed_at, now) if registration.deployed_at else None
    if live is None:
        return Position(dated or now, is_live=True, may_link_rollbacks=latest is not None)
    if not records_redeploys:
        reject_duplicate(registration, live, names)
    deployed_at = dated or max(now, live.deployed_at)
    if live.deployed_at <= deployed_at:
        if dated and latest and latest.deployed_at == deployed_at:
            reject_duplicate(registration, latest, names)
        may_link = known.may_join_or_part or (latest is not None and live.sha not in names)
        return Position(deployed_at, is_live=True, may_link_rollbacks=may_link)
    for past in Deploy.succeeded.filter(target=target_id, sha__in=names, deployed_at=deployed_at):
        reject_duplicate(registration, past, names)
    for neighbour in () if records_redeploys else history.neighbours(target_id, deployed_at):
        reject_duplicate(registration, neighbour, names)
    return Position(deployed_at, is_live=False, may_link_rollbacks=True)


def position_without_effect(*, target_id: int, registration: Registration, now: datetime) -> Position:
    """Of a deploy that did not succeed, or not yet. Without a date each call is an attempt of its own, unless it is the
    very same call again."""
    dated = min(registration.deployed_at, now) if registration.deployed_at else None
    if dated:
        same = Deploy.objects.filter(target=target_id, sha=registration.sha, deployed_at=dated)
        if registration.status != Status.STARTED:
            same = same.filter(status=registration.status)
        reject_duplicate(registration, same.first(), {registration.sha})
    return Position(dated or now, is_live=False, may_link_rollbacks=False)


def reject_duplicate(registration: Registration, deploy: PastDeploy | Deploy | None, names: Collection[str]) -> None:
    if deploy and deploy.sha in names and registration.version in ("", deploy.version):
        raise duplicate_of(deploy)


def duplicate_of(deploy: PastDeploy | Deploy, *, is_repeat: bool = False) -> DuplicateDeploy:
    return DuplicateDeploy(
        f"{deploy.sha} was already deployed here on {deploy.deployed_at:%Y-%m-%d at %H:%M:%S} UTC: "
        "send ignore_if_duplicate=true if that is intended.",
        deploy_id=deploy.id,
        is_repeat=is_repeat,
    )


# --- A deploy that started, and how it ended ---

# What the changes of a deploy make its columns.
FROM_CHANGES = ("first_commit_at", "commit_count", "file_count", "pull_request_count", "additions", "deletions")


def find_started(
    *,
    target_id: int,
    live_deploy_id: int | None,
    registration: Registration,
    now: datetime,
    call_digest: int | None,
    continues: int | None,
) -> Deploy | None:
    """The deploy of the same sha and id that the call moves on, or None if the call tells of another.

    Its end may arrive before its start, which then changes nothing, as does a call that comes again. A deploy that
    succeeded before and is no longer live is told of by a job that ran again: that is a rollback. Must be called under
    the target's lock. Raises DuplicateDeploy and KeyReused.
    """
    sha = registration.sha
    alike = begins_with("sha", sha[:SHORTEST]) if HASH.fullmatch(sha) else Q(sha=sha)
    named = Q(pk=continues) if continues else Q(external_id=registration.external_id)
    found = Deploy.objects.filter(alike, named, target=target_id).order_by("-id")
    known = next((deploy for deploy in found if is_same_commit(deploy.sha, sha)), None)
    is_start = registration.status == Status.STARTED
    if known and known.status == Status.STARTED and not is_start:
        return known
    if continues and not (known and is_start and known.status != Status.STARTED):
        raise KeyReused.with_another_body()
    if known is None:
        return None
    says_the_same = registration.status == known.status
    # The call that ended it, again. That was not when the deploy was created, as find_repeated takes it.
    is_same_call = (
        registration.may_come_twice
        and call_digest is not None
        and known.call_digest == call_digest
        and known.updated_at > now - REPEATED_WITHIN
    )
    if is_start or (says_the_same and (is_same_call or not known.has_succeeded or known.pk == live_deploy_id)):
        raise DuplicateDeploy(
            f"This deploy of {known.sha} was already registered as {known.status}.",
            deploy_id=known.pk,
            is_repeat=True,
        )
    return None


def move_on(*, deploy: Deploy, registration: Registration, now: datetime, call_digest: int | None) -> None:
    """Give a deploy that started its end, and what the call brings besides. Must be called under the target's lock.

    It is no duplicate, even if its sha is live: that it started is in the history already.
    """
    ended_at = min(registration.deployed_at or now, now)
    if registration.has_succeeded and not registration.deployed_at:
        live_at = Target.objects.filter(pk=deploy.target_id).values_list("live_deploy__deployed_at", flat=True).get()
        # Its id is lower than that of a deploy of the same moment.
        ended_at = max(now, live_at + MICROSECOND) if live_at else now
    said = registration.columns(ended_at)
    if len(said["sha"]) < len(deploy.sha):
        # An abbreviation says less.
        del said["sha"]
    for name, value in said.items():
        if value or (registration.brings_changes and name in FROM_CHANGES):
            setattr(deploy, name, value)
    # What the call brings replaces what is stored.
    began_at = registration.began_at if registration.brings_changes else began_at_as_stored(deploy)
    deploy.lead_time = lead_time(began_at, ended_at) if deploy.has_succeeded else None
    deploy.call_digest = call_digest
    deploy.save(update_fields=[*said, "call_digest", "updated_at"])
    replaced: list[type[Model]] = [ChangedFile, Commit, PullRequest] if registration.brings_changes else []
    if tag_names(registration):
        replaced.append(Tag)
    if registration.links:
        replaced.append(Link)
    for model in replaced:
        model._default_manager.filter(deploy=deploy).delete()  # noqa: SLF001 - Django's documented name for it
    store_details(deploy.pk, registration)
    if deploy.has_succeeded:
        history.link_rollbacks(deploy_id=deploy.pk)
        history.set_newest_live(deploy.target_id)


def began_at_as_stored(deploy: Deploy) -> datetime | None:
    """Registration.began_at, of what an earlier call brought."""
    opened = PullRequest.objects.filter(deploy=deploy).aggregate(first=Min("opened_at"))["first"]
    return min(filter(None, (deploy.first_commit_at, opened)), default=None)


# --- What a deploy brought: rows that only its own page reads ---


def store_details(deploy_id: int, registration: Registration) -> None:
    """In the order in which the caller sent them."""
    details: dict[type[Model], list[Model]] = {
        Tag: [Tag(deploy_id=deploy_id, name=name) for name in tag_names(registration)],
        Link: [Link(deploy_id=deploy_id, name=name, url=url) for name, url in registration.links],
        Commit: [Commit(deploy_id=deploy_id, **columns(commit)) for commit in registration.kept_commits],
        PullRequest: [PullRequest(deploy_id=deploy_id, **columns(pull)) for pull in registration.kept_pull_requests],
    }
    for model, rows in details.items():
        if rows:
            model._default_manager.bulk_create(rows)  # noqa: SLF001 - Django's documented name for it
    if registration.files:
        statements.insert_files(deploy_id=deploy_id, files=registration.kept_files)


def columns(detail: NewCommit | NewPullRequest) -> dict[str, Any]:
    """Its fields have the names of the columns."""
    return {name: getattr(detail, name) for name in detail.__dataclass_fields__}


def tag_names(registration: Registration) -> Sequence[str]:
    """The caller's tags, or those that the changed files give."""
    if registration.tags is not None:
        return registration.tags
    paths = registration.changed_paths()
    return tags_of_paths(paths) if paths else ()
