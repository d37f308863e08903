from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from config import readiness as health
from deployments.api.answers import not_found
from orgs.sign_in import views as accounts

# One sign-in for everybody: the admin's own knows no second factor.
admin.site.login = accounts.sign_in_for_admin  # type: ignore[assignment, method-assign]

handler400 = "config.api_calls.bad_request"
handler500 = "config.api_calls.server_error"

urlpatterns = [
    path("healthz", health.live),
    path("readyz", health.ready),
    path("admin/", admin.site.urls),
    path("accounts/", include("orgs.sign_in.urls")),
    path("", include("deployments.api_urls")),
    # A route and no handler404, because with DEBUG a page for developers would come before that. /graphql itself is
    # among the routes above.
    re_path(rf"^(?:{'|'.join(prefix[1:] for prefix in settings.API_PATH_PREFIXES)})", csrf_exempt(not_found)),
    path("", include("orgs.urls")),
    path("", include("deployments.urls")),
    # People type slashes at the end; API clients must never be redirected, and match above or not at all. A path that
    # begins with two slashes would lead to another site.
    re_path(r"^(?!api/|v1/|[/\\])(?P<path>.+)/$", RedirectView.as_view(url="/%(path)s", query_string=True)),
]
