from django.urls import URLPattern, path, re_path

from deployments.api import export, imports, live, views

register_deploy = views.RegisterDeployView.as_view()

urlpatterns: list[URLPattern] = [
    # A deployment's segment may be anything here: what can be no slug gets an answer of its own.
    re_path(
        r"^api/1/deployments/(?P<organization>[^/]+)/(?P<deployment>.+)/register[_-]deploy\Z",
        register_deploy,
        name="register-deploy",
    ),
    re_path(
        r"^api/1/deployments/(?P<organization>[^/]+)/(?P<deployment>.+)/import_deploys\Z",
        imports.ImportDeploysView.as_view(),
        name="import-deploys",
    ),
    # Two clients still send Sleuth's former path.
    re_path(r"^api/1/(?P<organization>[^/]+)/(?P<deployment>[^/]+)/register_deploy\Z", register_deploy),
    path("api/1/organizations/<str:organization>/timeline", export.TimelineView.as_view(), name="export-timeline"),
    path("api/1/organizations/<str:organization>/live", live.LiveView.as_view(), name="live"),
    path("api/1/organizations/<str:organization>/deploys/<int:deploy_id>", views.DeployView.as_view(), name="deploy"),
    path("api/openapi.json", views.openapi, name="openapi"),
    re_path(r"^api/1/schema/(?P<name>register_deploy)\Z", views.SchemaView.as_view(), name="schema"),
]
