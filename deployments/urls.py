from django.urls import path

from deployments.views import home

urlpatterns = [
    path("<str:organization>", home.home, name="home"),
]
