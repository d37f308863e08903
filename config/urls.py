from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from config import views
from deployments.request_log.endpoint import UnknownPathView
from orgs.sign_in.views import sign_in_for_admin

# One sign-in for all: Django admin's own has no second factor.
admin.site.login = sign_in_for_admin  # type: ignore[assignment, method-assign]

handler400 = "config.views.bad_request"
handler500 = "config.views.server_error"


def alternatives(paths: tuple[str, ...]) -> str:
    return "|".join(path[1:] for path in paths)


urlpatterns = [
    path("healthz", views.live),
    path("readyz", views.ready),
    # Sweetr's name for it, which its users' probes ask for.
    path("health", views.live),
    path("admin/", admin.site.urls),
    path("accounts/", include("orgs.sign_in.urls")),
    path("", include("deployments.api_urls")),
    # Unknown paths of the API. With DEBUG, Django would not call a handler404 but show its page for developers.
    re_path(
        rf"^(?!(?:{alternatives(settings.PAGES_BELOW_API)})\Z)"
        rf"(?:{alternatives(settings.API_PATH_PREFIXES)}|(?:{alternatives(settings.API_PATHS)})\Z)",
        UnknownPathView.as_view(),
    ),
    path("", include("orgs.urls")),
    path("", include("deployments.urls")),
    # People type a slash at the end. API clients must never be redirected. A path that begins with two slashes would
    # lead to another site.
    re_path(r"^(?!api/|v1/|[/\\])(?P<path>.+)/$", RedirectView.as_view(url="/%(path)s", query_string=True)),
]
