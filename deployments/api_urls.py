from django.urls import URLPattern, path, re_path

from deployments.deploys import api as deploys
from deployments.graphql.api import GraphqlView
from deployments.impacts import api as impacts
from deployments.imports import api as imports
from deployments.live import api as live
from deployments.manual_changes import api as manual_changes
from deployments.openapi import views as openapi
from deployments.openapi.document import SCHEMAS
from deployments.registration import views as registration
from deployments.setup import api as setup
from deployments.timeline import export

ORGANIZATION = "api/1/organizations/<str:organization>"
INCIDENT_SOURCE = (
    r"^api/1/deployments/(?P<organization>[^/]+)/(?P<project>[^/]+)/(?P<environment>[^/]+)/(?P<source>[^/]+)"
)
DEPLOY = f"{ORGANIZATION}/deploys/<int:deploy_id>"

register_incident = impacts.RegisterIncidentView.as_view()

urlpatterns: list[URLPattern] = [
    # What registers deploys: deployments/registration/formats.py names the paths.
    *registration.routes(),
    re_path(
        r"^api/1/deployments/(?P<organization>[^/]+)/(?P<deployment>(?s:.+))/import_deploys\Z",
        imports.ImportDeploysView.as_view(),
        name="import-deploys",
    ),
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
    path("api/1/organizations", setup.OrganizationsView.as_view(), name="organizations-list"),
    path(f"{ORGANIZATION}/projects", setup.ProjectsView.as_view(), name="projects-list"),
    path(f"{ORGANIZATION}/environments", setup.EnvironmentsView.as_view(), name="environments-list"),
    path(f"{ORGANIZATION}/deployments", setup.DeploymentsView.as_view(), name="deployments-list"),
    path(f"{ORGANIZATION}/deploys", deploys.DeploysView.as_view(), name="deploys-list"),
    path(DEPLOY, deploys.DeployView.as_view(), name="deploy"),
    path(f"{DEPLOY}/commits", deploys.CommitsView.as_view(), name="deploy-commits"),
    path(f"{DEPLOY}/files", deploys.FilesView.as_view(), name="deploy-files"),
    path(f"{DEPLOY}/pull_requests", deploys.PullRequestsView.as_view(), name="deploy-pull-requests"),
    path(f"{ORGANIZATION}/commits/<path:sha>", deploys.CommitView.as_view(), name="commit"),
    path("graphql", GraphqlView.as_view(), name="graphql"),
    path(f"{ORGANIZATION}/incidents", impacts.IncidentsView.as_view(), name="incidents-list"),
    path(f"{ORGANIZATION}/manual-changes", manual_changes.ManualChangesView.as_view(), name="manual-changes-list"),
    path(
        f"{ORGANIZATION}/manual-changes/<int:change_id>",
        manual_changes.ManualChangeView.as_view(),
        name="manual-change",
    ),
    path("api/openapi.json", openapi.openapi_json, name="openapi"),
    re_path(rf"^api/1/schema/(?P<name>{'|'.join(SCHEMAS)})\Z", openapi.SchemaView.as_view(), name="schema"),
]
