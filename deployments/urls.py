from django.urls import path

from deployments.access_tokens import views as tokens
from deployments.deploys import views as deploys
from deployments.impacts import views as impacts
from deployments.imports import views as imports
from deployments.live import views as live
from deployments.manual_changes import views as manual_changes
from deployments.openapi import views as docs
from deployments.request_log import views as requests
from deployments.setup import deployments, projects, snippets
from deployments.timeline import views as timeline

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
    path("<str:organization>/deploys/<int:deploy>", deploys.deploy_page, name="deploy-page"),
    path("<str:organization>/deploys/<int:deploy>/delete", deploys.delete_deploy, name="delete-deploy"),
    path("<str:organization>/deploys/<int:deploy>/restore", deploys.restore_deploy, name="restore-deploy"),
    path(
        "<str:organization>/manual-changes/<int:change>", manual_changes.manual_change_page, name="manual-change-page"
    ),
    path(
        "<str:organization>/manual-changes/<int:change>/edit",
        manual_changes.edit_manual_change,
        name="edit-manual-change",
    ),
    path(
        "<str:organization>/manual-changes/<int:change>/delete",
        manual_changes.delete_manual_change,
        name="delete-manual-change",
    ),
    path(
        "<str:organization>/manual-changes/<int:change>/restore",
        manual_changes.restore_manual_change,
        name="restore-manual-change",
    ),
    path("<str:organization>/requests", requests.requests, name="requests"),
    path("<str:organization>/requests/<int:call_id>", requests.request_page, name="request"),
    path("<str:organization>/requests/<int:call_id>/replay", requests.replay_request, name="replay-request"),
    path("<str:organization>/tokens", tokens.tokens, name="tokens"),
    path("<str:organization>/tokens/new", tokens.new_token, name="new-token"),
    path("<str:organization>/tokens/<int:pk>", tokens.token_page, name="token"),
    path("<str:organization>/tokens/<int:pk>/rename", tokens.rename_token, name="rename-token"),
    path("<str:organization>/tokens/<int:pk>/revoke", tokens.revoke_token, name="revoke-token"),
    path("<str:organization>/tokens/<int:pk>/rotate", tokens.rotate_token, name="rotate-token"),
    # --- Projects, environments and code deployments. A slug stands in no address beside a word of ours. ---
    path("<str:organization>/projects", projects.projects, name="projects"),
    path("<str:organization>/new-project", projects.new_project, name="new-project"),
    path("<str:organization>/projects/<slug:project>", projects.project, name="project"),
    path("<str:organization>/projects/<slug:project>/settings", projects.project_settings, name="project-settings"),
    path("<str:organization>/projects/<slug:project>/delete", projects.delete_project, name="delete-project"),
    path("<str:organization>/deleted", projects.deleted, name="deleted"),
    path("<str:organization>/deleted/projects/<int:pk>/restore", projects.restore_project, name="restore-project"),
    path(
        "<str:organization>/projects/<slug:project>/new-environment",
        projects.new_environment,
        name="new-environment",
    ),
    path(
        "<str:organization>/projects/<slug:project>/environments/order",
        projects.order_environments,
        name="order-environments",
    ),
    path(
        "<str:organization>/projects/<slug:project>/environments/<slug:environment>/settings",
        projects.environment_settings,
        name="environment-settings",
    ),
    path(
        "<str:organization>/projects/<slug:project>/environments/<slug:environment>/default",
        projects.default_environment,
        name="default-environment",
    ),
    path(
        "<str:organization>/projects/<slug:project>/environments/<slug:environment>/delete",
        projects.delete_environment,
        name="delete-environment",
    ),
    path(
        "<str:organization>/deleted/environments/<int:pk>/restore",
        projects.restore_environment,
        name="restore-environment",
    ),
    path(
        "<str:organization>/projects/<slug:project>/new-manual-change",
        manual_changes.new_manual_change,
        name="new-manual-change",
    ),
    path("<str:organization>/projects/<slug:project>/impact-sources", impacts.impact_sources, name="impact-sources"),
    path(
        "<str:organization>/projects/<slug:project>/new-impact-source",
        impacts.new_impact_source,
        name="new-impact-source",
    ),
    path(
        "<str:organization>/projects/<slug:project>/impact-sources/<int:pk>",
        impacts.impact_source,
        name="impact-source",
    ),
    path(
        "<str:organization>/projects/<slug:project>/impact-sources/<int:pk>/settings",
        impacts.impact_source_settings,
        name="impact-source-settings",
    ),
    path(
        "<str:organization>/projects/<slug:project>/impact-sources/<int:pk>/delete",
        impacts.delete_impact_source,
        name="delete-impact-source",
    ),
    path(
        "<str:organization>/deleted/impact-sources/<int:pk>/restore",
        impacts.restore_impact_source,
        name="restore-impact-source",
    ),
    path("<str:organization>/new-deployment", deployments.new_deployment, name="new-deployment"),
    path(
        "<str:organization>/deployments/<slug:deployment>/settings",
        deployments.deployment_settings,
        name="deployment-settings",
    ),
    path(
        "<str:organization>/deployments/<slug:deployment>/move",
        deployments.move_deployment,
        name="move-deployment",
    ),
    path("<str:organization>/deployments/<slug:deployment>/imports", imports.imports, name="imports"),
    path(
        "<str:organization>/deployments/<slug:deployment>/imports/drafts/<int:pk>",
        imports.import_draft_page,
        name="import-draft",
    ),
    path(
        "<str:organization>/deployments/<slug:deployment>/imports/drafts/<int:pk>/cancel",
        imports.cancel_import,
        name="cancel-import",
    ),
    path(
        "<str:organization>/deployments/<slug:deployment>/imports/<int:pk>/undo",
        imports.undo_import,
        name="undo-import",
    ),
    path(
        "<str:organization>/deployments/<slug:deployment>/delete",
        deployments.delete_deployment,
        name="delete-deployment",
    ),
    path(
        "<str:organization>/deleted/deployments/<int:pk>/restore",
        deployments.restore_deployment,
        name="restore-deployment",
    ),
    path("<str:organization>/deployments/<slug:deployment>/setup", snippets.deployment_setup, name="deployment-setup"),
    path(
        "<str:organization>/deployments/<slug:deployment>/setup/first-call",
        snippets.first_call,
        name="deployment-first-call",
    ),
]
