from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        # Registers the system checks, and makes our Celery app the one that web processes send tasks by.
        from config import celery, checks  # noqa: F401


class OperatorAdminConfig(AdminConfig):
    default = False
    default_site = "orgs.operator_site.OperatorSite"
