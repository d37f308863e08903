from django.urls import path

from deployments.access_tokens import views as tokens
from deployments.deploys import views as deploys
from deployments.impacts import views as impacts
from deployments.imports import views as imports
from deployments.live import views as live
from deployments.manual_changes import views as manual_changes
from deployments.openapi import views as docs
from deployments.request_log import views as requests
from deployments.setup import audited, deployments, projects, snippets
from deployments.timeline import views as timeline

PROJECT = "<str:organization>/projects/<slug:project>"
ENVIRONMENT = f"{PROJECT}/environments/<slug:environment>"
SOURCE = f"{PROJECT}/impact-sources/<int:pk>"
DELETED = "<str:organization>/deleted"
DEPLOYMENT = "<str:organization>/deployments/<slug:deployment>"
DEPLOY = "<str:organization>/deploys/<int:deploy>"
CHANGE = "<str:organization>/manual-changes/<int:change>"
CALL = "<str:organization>/requests/<int:call_id>"
TOKEN = "<str:organization>/tokens/<int:pk>"

urlpatterns = [
    path("api/docs", docs.public_api_docs, name="public-api-docs"),
    path("<str:organization>/api", docs.api_docs, name="api-docs"),
    path("<str:organization>", live.home, name="home"),
    path("<str:organization>/timeline", timeline.timeline, name="timeline"),
    path("<str:organization>/projects/<str:project>/timeline", timeline.project_timeline, name="project-timeline"),
    path(
        "<str:organization>/projects/<str:project>/environments/<str:environment>/timeline",
        timeline.environment_timeline,
        name="environment-timeline",
    ),
    path("<str:organization>/deployments/<str:deployment>", live.deployment, name="deployment"),
    path(DEPLOY, deploys.deploy_page, name="deploy-page"),
    path(f"{DEPLOY}/delete", deploys.delete_deploy, name="delete-deploy"),
    path(f"{DEPLOY}/restore", deploys.restore_deploy, name="restore-deploy"),
    path(CHANGE, manual_changes.manual_change_page, name="manual-change-page"),
    path(f"{CHANGE}/edit", manual_changes.edit_manual_change, name="edit-manual-change"),
    path(f"{CHANGE}/delete", manual_changes.delete_manual_change, name="delete-manual-change"),
    path(f"{CHANGE}/restore", manual_changes.restore_manual_change, name="restore-manual-change"),
    path("<str:organization>/requests", requests.requests, name="requests"),
    path(CALL, requests.request_page, name="request"),
    path(f"{CALL}/replay", requests.replay_request, name="replay-request"),
    path("<str:organization>/tokens", tokens.tokens, name="tokens"),
    path("<str:organization>/tokens/new", tokens.new_token, name="new-token"),
    path(TOKEN, tokens.token_page, name="token"),
    path(f"{TOKEN}/rename", tokens.rename_token, name="rename-token"),
    path(f"{TOKEN}/revoke", tokens.revoke_token, name="revoke-token"),
    path(f"{TOKEN}/rotate", tokens.rotate_token, name="rotate-token"),
    # --- Projects, environments and code deployments. A slug stands in no address beside a word of ours. ---
    path("<str:organization>/projects", projects.projects, name="projects"),
    path("<str:organization>/new-project", projects.new_project, name="new-project"),
    path(PROJECT, projects.project, name="project"),
    path(f"{PROJECT}/settings", projects.project_settings, name="project-settings"),
    path(f"{PROJECT}/delete", projects.delete_project, name="delete-project"),
    path(DELETED, projects.deleted, name="deleted"),
    path("<str:organization>/audit/<slug:kind>/<int:pk>", audited.audited, name="audited"),
    *(
        path(f"{DELETED}/{kind}s/<int:pk>/restore", projects.restore, {"kind": f"{kind}s"}, name=f"restore-{kind}")
        for kind in ("project", "environment", "deployment", "impact-source")
    ),
    path(f"{PROJECT}/new-environment", projects.new_environment, name="new-environment"),
    path(f"{PROJECT}/environments/order", projects.order_environments, name="order-environments"),
    path(f"{ENVIRONMENT}/settings", projects.environment_settings, name="environment-settings"),
    path(f"{ENVIRONMENT}/default", projects.default_environment, name="default-environment"),
    path(f"{ENVIRONMENT}/delete", projects.delete_environment, name="delete-environment"),
    path(f"{PROJECT}/new-manual-change", manual_changes.new_manual_change, name="new-manual-change"),
    path(f"{PROJECT}/impact-sources", impacts.impact_sources, name="impact-sources"),
    path(f"{PROJECT}/new-impact-source", impacts.new_impact_source, name="new-impact-source"),
    path(SOURCE, impacts.impact_source, name="impact-source"),
    path(f"{SOURCE}/settings", impacts.impact_source_settings, name="impact-source-settings"),
    path(f"{SOURCE}/delete", impacts.delete_impact_source, name="delete-impact-source"),
    path("<str:organization>/new-deployment", deployments.new_deployment, name="new-deployment"),
    path(f"{DEPLOYMENT}/settings", deployments.deployment_settings, name="deployment-settings"),
    path(f"{DEPLOYMENT}/move", deployments.move_deployment, name="move-deployment"),
    path(f"{DEPLOYMENT}/imports", imports.imports, name="imports"),
    path(f"{DEPLOYMENT}/imports/drafts/<int:pk>", imports.import_draft_page, name="import-draft"),
    path(f"{DEPLOYMENT}/imports/drafts/<int:pk>/cancel", imports.cancel_import, name="cancel-import"),
    path(f"{DEPLOYMENT}/imports/<int:pk>/undo", imports.undo_import, name="undo-import"),
    path(f"{DEPLOYMENT}/delete", deployments.delete_deployment, name="delete-deployment"),
    path(f"{DEPLOYMENT}/setup", snippets.deployment_setup, name="deployment-setup"),
    path(f"{DEPLOYMENT}/setup/first-call", snippets.first_call, name="deployment-first-call"),
]
