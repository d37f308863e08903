from django.db import models


class Scope(models.TextChoices):
    """What an access token may do. Sleuth has ALL and REGISTER_DEPLOY."""

    REGISTER_DEPLOY = "REGISTER_DEPLOY", "Register deploys and manual changes"
    IMPORT_DEPLOYS = "IMPORT_DEPLOYS", "Replace histories by files"
    REGISTER_IMPACT = "REGISTER_IMPACT", "Register incidents and metric values"
    READ = "READ", "Read everything in the organization"
    ALL = "ALL", "Everything"


def allows(scopes: str, scope: Scope) -> bool:
    """Whether a token's stored ``scopes`` (comma-separated) include ``scope``."""
    granted = scopes.split(",")
    return scope in granted or Scope.ALL in granted
