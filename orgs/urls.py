from django.urls import path

from orgs.views import start

urlpatterns = [
    path("", start.start, name="start"),
]
