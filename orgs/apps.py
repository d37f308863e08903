from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "orgs"
    verbose_name = "Organizations"

    def ready(self) -> None:
        from orgs.sign_in.adapters import forgive_a_missing_cache

        forgive_a_missing_cache()
