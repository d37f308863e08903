from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401 - registers the system checks
        from config.charsets import forget_unknown_charsets

        forget_unknown_charsets()


class OperatorAdminConfig(AdminConfig):
    default = False
    default_site = "orgs.operator_site.OperatorSite"
