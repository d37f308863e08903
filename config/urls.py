from django.contrib import admin
from django.urls import include, path

from config import health

urlpatterns = [
    path("healthz", health.live),
    path("readyz", health.ready),
    path("admin/", admin.site.urls),
    path("", include("deployments.api.urls")),
]
