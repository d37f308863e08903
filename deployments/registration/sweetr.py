"""Sweetr's ``POST /v1/deployments``: fields of a call → Registration.

https://docs.sweetr.dev/api-reference/deployments/create-deployment.
"""

import re
from collections.abc import Sequence
from typing import Any

from deployments.api.body import without_absent
from deployments.api.dates import no_date, read_date
from deployments.api.dropped import Dropped
from deployments.api.fields import EMAIL
from deployments.api.names import NAMES, find_nameless, nameless
from deployments.api.schemas import fit_fields, path_of, sentence, violations
from deployments.errors import InvalidField, InvalidFields
from deployments.models import Provider, Status
from deployments.models.deploy import MAX_EMAIL_LENGTH, MAX_VERSION_LENGTH
from deployments.registration.registration import Application, Registration, name_that_fits
from deployments.registration.statements import TargetRow
from deployments.registration.statuses import STATUS_FIELDS, read_status

SCHEMA = "sweetr_deployment"
GITHUB_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def read_registration(fields: dict[str, Any], targets: Sequence[TargetRow] = ()) -> Registration:
    """Raises InvalidFields, which names every field that is wrong and no detail. The path names no deployment."""
    dropped = Dropped()
    fields = fit_fields(SCHEMA, with_version_that_fits(without_absent(fields), dropped), dropped)
    sentences: dict[str, str] = {}
    for violation in violations(SCHEMA, fields):
        is_missing = violation.validator == "required"
        name = violation.validator_value[0] if is_missing else path_of(violation)
        sentences.setdefault(name, sentence(violation))
    for name, kind in NAMES[SCHEMA].items():
        if name not in sentences and (found := find_nameless(kind, fields[name])):
            sentences[name] = str(nameless(name, found))
    deployed_at = None
    if "deployedAt" not in sentences:
        try:
            deployed_at = read_date(fields.get("deployedAt"), "deployedAt", otherwise=no_date("deployedAt"))
        except InvalidField as error:
            sentences["deployedAt"] = str(error)
    # Not Sweetr's, but a deploy that its caller says failed must not be live.
    named = {name: fields[name] for name in STATUS_FIELDS if name in fields}
    status = Status.SUCCEEDED
    if sentences.keys().isdisjoint(named):
        try:
            status = read_status(named, dropped)
        except InvalidField as error:
            sentences[next(iter(named))] = str(error)
    if sentences:
        raise InvalidFields(sentences)
    author = fields.get("author", "")
    is_email = len(author) <= MAX_EMAIL_LENGTH and EMAIL.fullmatch(author) is not None
    return Registration(
        sha=fields["commitHash"],
        status=status,
        application=application_of(fields),
        version=fields["version"],
        environment=name_that_fits(fields["environment"]),
        deployed_at=deployed_at,
        # Sweetr's page lists all fields, and no branch is among them.
        names_branch=False,
        # Sweetr accepts what changes nothing.
        ignore_if_duplicate=True,
        title=" ".join(fields.get("description", "").split()),
        author_name="" if is_email else author,
        author_email=author if is_email else "",
        dropped=dropped.sentences(),
    )


def with_version_that_fits(fields: dict[str, Any], dropped: Dropped) -> dict[str, Any]:
    version = fields.get("version")
    if not isinstance(version, str) or len(version) <= MAX_VERSION_LENGTH:
        return fields
    dropped.cut("version", MAX_VERSION_LENGTH)
    return fields | {"version": name_that_fits(version, MAX_VERSION_LENGTH)}


def application_of(fields: dict[str, Any]) -> Application:
    repository = fields["repositoryFullName"]
    is_github = GITHUB_NAME.fullmatch(repository) is not None
    directory = fields.get("monorepoPath", "").removeprefix("./").strip("/")
    return Application(
        name=name_that_fits(fields["app"]),
        repository_provider=Provider.GITHUB if is_github else Provider.CUSTOM,
        repository_url=f"https://github.com/{repository}" if is_github else "",
        path_includes=(f"{directory}/**",) if directory not in ("", ".") else (),
    )
