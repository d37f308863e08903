from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401 - registers the system checks


class OperatorAdminConfig(AdminConfig):
    default = False
    default_site = "orgs.operator_site.OperatorSite"
