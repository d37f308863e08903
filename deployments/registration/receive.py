"""The one way in: what a caller said becomes a deploy. The API, dry runs, replays and the demo all come here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from deployments.errors import DuplicateDeploy, InvalidField, TargetMoved, UnknownEnvironment
from deployments.registration.applications import Creation, create_target, find_target
from deployments.registration.registration import Registration
from deployments.registration.short_lived import create_target_in, may_create
from deployments.registration.statements import TargetRow, find_targets
from deployments.registration.store import register_deploy
from deployments.registration.targets import branch_mismatch, branch_taken, choose_target
from deployments.token_limits import check_allowed
from orgs.audit import Actor, acting_as
from tokens.statements import TokenRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """``token`` is None for a member, to whom no token limits apply. ``call_digest`` is set for a call that its client
    may send twice without saying so."""

    organization_id: int
    token: TokenRow | None
    actor: Actor
    call_digest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """``deploy_id`` is the id of the new deploy, of a deploy that started before and ``moved_on``, or, if ``duplicate``
    is set, of the deploy that the call repeats."""

    target: TargetRow
    deploy_id: int
    duplicate: DuplicateDeploy | None = None
    moved_on: bool = False
    created: Sequence[Creation] = ()


def receive(
    *,
    sender: Sender,
    registration: Registration,
    targets: Sequence[TargetRow],
    now: datetime,
    enforce_branch: bool = True,
    continues: int | None = None,
) -> Receipt:
    """Register in one of ``targets``, or in the target of the application that the registration names.

    When this returns outside a transaction, the deploy is on disk. If the deployment is moved meanwhile, it is looked
    up once more. A call that ``continues`` a deploy may only move it on. Raises UnknownEnvironment, OutsideTokenLimits,
    BranchMismatch unless ``enforce_branch`` is false, KeyReused and TargetMoved.
    """
    if not registration.sha or registration.sha != registration.sha.strip():
        # A format may have its sha in a nested field, whose white space is not stripped.
        raise InvalidField("The sha must not be empty or have white space around it.")
    try:
        return find_and_store(sender, registration, targets, now, enforce_branch, continues)
    except TargetMoved:
        fresh = find_targets(sender.organization_id, targets[0].deployment_slug) if targets else ()
        return find_and_store(sender, registration, fresh or targets, now, enforce_branch, continues)


def find_and_store(
    sender: Sender,
    registration: Registration,
    targets: Sequence[TargetRow],
    now: datetime,
    enforce_branch: bool,
    continues: int | None,
) -> Receipt:
    def store(target: TargetRow, created: Sequence[Creation] = ()) -> Receipt:
        if enforce_branch and (mismatch := branch_mismatch(target, registration.branch_to_check)):
            raise mismatch
        branch = branch_taken(target, registration.branch)
        try:
            stored = register_deploy(
                organization_id=sender.organization_id,
                token_id=sender.token.id if sender.token else None,
                target=target,
                registration=registration if branch == registration.branch else replace(registration, branch=branch),
                now=now,
                call_digest=sender.call_digest,
                continues=continues,
            )
        except DuplicateDeploy as duplicate:
            return Receipt(target=target, deploy_id=duplicate.deploy_id, duplicate=duplicate, created=created)
        return Receipt(target=target, deploy_id=stored.deploy_id, moved_on=stored.moved_on, created=created)

    if registration.application is None or sender.token is None:
        try:
            target = choose_target(targets, environment=registration.environment)
        except UnknownEnvironment:
            if sender.token is None or not may_create(targets[0].project_id, registration.environment):
                raise
            with acting_as(sender.actor), transaction.atomic():
                return store(*create_target_in(targets, token=sender.token, environment=registration.environment))
        if sender.token:
            check_allowed(sender.token, environment_id=target.environment_id)
        return store(target)
    found = find_target(token=sender.token, application=registration.application, environment=registration.environment)
    if found:
        return store(found)
    # One transaction, so that a call that fails leaves nothing behind.
    with acting_as(sender.actor), transaction.atomic():
        return store(
            *create_target(
                token=sender.token, application=registration.application, environment=registration.environment
            )
        )
