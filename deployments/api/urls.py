from django.urls import URLPattern, path, re_path

from deployments.api import (
    commits,
    deploys,
    export,
    impacts,
    imports,
    incidents,
    live,
    manual_changes,
    places,
    sweetr,
    views,
)
from deployments.api.graphql import GraphqlView
from deployments.wire.openapi import SCHEMAS

ORGANIZATION = "api/1/organizations/<str:organization>"
INCIDENT_SOURCE = (
    r"^api/1/deployments/(?P<organization>[^/]+)/(?P<project>[^/]+)/(?P<environment>[^/]+)/(?P<source>[^/]+)"
)
DEPLOY = f"{ORGANIZATION}/deploys/<int:deploy_id>"

register_deploy = views.RegisterDeployView.as_view()
register_incident = impacts.RegisterIncidentView.as_view()

urlpatterns: list[URLPattern] = [
    # A deployment's segment may be anything here, even lines: what can be no slug gets an answer of its own.
    re_path(
        r"^api/1/deployments/(?P<organization>[^/]+)/(?P<deployment>(?s:.+))/register[_-]deploy\Z",
        register_deploy,
        name="register-deploy",
    ),
    re_path(
        r"^api/1/deployments/(?P<organization>[^/]+)/(?P<deployment>(?s:.+))/import_deploys\Z",
        imports.ImportDeploysView.as_view(),
        name="import-deploys",
    ),
    # Two clients still send Sleuth's former path.
    re_path(r"^api/1/(?P<organization>[^/]+)/(?P<deployment>[^/]+)/register_deploy\Z", register_deploy),
    path("v1/deployments", sweetr.SweetrView.as_view(), name="sweetr-deployments"),
    re_path(
        r"^api/1/deployments/(?P<organization>[^/]+)/(?P<project>(?s:.+))/register(?:_manual_|-manual-)deploy\Z",
        manual_changes.RegisterManualDeployView.as_view(),
        name="register-manual-deploy",
    ),
    re_path(
        r"^api/1/impact/(?P<impact_id>[^/]+)/register[_-]impact\Z",
        impacts.RegisterMetricView.as_view(),
        name="register-metric",
    ),
    re_path(rf"{INCIDENT_SOURCE}/register[_-]impact\Z", register_incident, name="register-incident"),
    re_path(
        rf"{INCIDENT_SOURCE}/register[_-]impact/(?P<token>[^/]+)\Z",
        register_incident,
        name="register-incident-by-path",
    ),
    path(f"{ORGANIZATION}/timeline", export.TimelineView.as_view(), name="export-timeline"),
    path(f"{ORGANIZATION}/live", live.LiveView.as_view(), name="live"),
    path("api/1/organizations", places.OrganizationsView.as_view(), name="organizations-list"),
    path(f"{ORGANIZATION}/projects", places.ProjectsView.as_view(), name="projects-list"),
    path(f"{ORGANIZATION}/environments", places.EnvironmentsView.as_view(), name="environments-list"),
    path(f"{ORGANIZATION}/deployments", places.DeploymentsView.as_view(), name="deployments-list"),
    path(f"{ORGANIZATION}/deploys", deploys.DeploysView.as_view(), name="deploys-list"),
    path(DEPLOY, deploys.DeployView.as_view(), name="deploy"),
    path(f"{DEPLOY}/commits", deploys.CommitsView.as_view(), name="deploy-commits"),
    path(f"{DEPLOY}/files", deploys.FilesView.as_view(), name="deploy-files"),
    path(f"{DEPLOY}/pull_requests", deploys.PullRequestsView.as_view(), name="deploy-pull-requests"),
    path(f"{ORGANIZATION}/commits/<path:sha>", commits.CommitView.as_view(), name="commit"),
    path("graphql", GraphqlView.as_view(), name="graphql"),
    path(f"{ORGANIZATION}/incidents", incidents.IncidentsView.as_view(), name="incidents-list"),
    path(f"{ORGANIZATION}/manual-changes", manual_changes.ManualChangesView.as_view(), name="manual-changes-list"),
    path(
        f"{ORGANIZATION}/manual-changes/<int:change_id>",
        manual_changes.ManualChangeView.as_view(),
        name="manual-change",
    ),
    path("api/openapi.json", views.openapi, name="openapi"),
    re_path(rf"^api/1/schema/(?P<name>{'|'.join(SCHEMAS)})\Z", views.SchemaView.as_view(), name="schema"),
]
