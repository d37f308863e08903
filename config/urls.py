from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from config import health
from deployments.api.answers import not_found

handler400 = "config.errors.bad_request"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("healthz", health.live),
    path("readyz", health.ready),
    path("admin/", admin.site.urls),
    path("", include("deployments.api.urls")),
    # A route and no handler404, because with DEBUG a page for developers would come before that.
    re_path(rf"^(?:{'|'.join(prefix[1:] for prefix in settings.API_PATH_PREFIXES)})", csrf_exempt(not_found)),
]
