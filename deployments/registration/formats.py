"""What arrives at ``register_deploy``: Sleuth's fields or, without a sha, a notification of Terraform Cloud."""

from collections.abc import Sequence
from typing import Any

from deployments.registration import sleuth, terraform
from deployments.registration.registration import Registration
from deployments.registration.statements import TargetRow
from deployments.registration.targets import choose_target


def read_registration(fields: dict[str, Any], places: Sequence[TargetRow]) -> Registration | None:
    """None for a notification that registers nothing. ``places`` are those of the deployment that the path names.

    Raises InvalidField and UnknownEnvironment.
    """
    if not terraform.is_notification(fields):
        return sleuth.read_registration(fields)
    run = terraform.read_run(fields)
    return terraform.registration_of(run, choose_target(places, environment=run.environment)) if run else None
