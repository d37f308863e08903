from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from config import health
from orgs.views import accounts

# One sign-in for everybody: the admin's own knows no second factor.
admin.site.login = accounts.sign_in_for_admin  # type: ignore[assignment, method-assign]


handler400 = "config.errors.bad_request"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("healthz", health.live),
    path("readyz", health.ready),
    path("admin/", admin.site.urls),
    path("accounts/", include("orgs.account_urls")),
    path("", include("deployments.api.urls")),
    path("", include("orgs.urls")),
    path("", include("deployments.urls")),
    # People type slashes at the end; API clients must never be redirected, and match above or not at all.
    re_path(r"^(?!api/|v1/)(?P<path>.+)/$", RedirectView.as_view(url="/%(path)s", query_string=True)),
]
