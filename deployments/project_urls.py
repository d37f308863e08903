"""Pages of projects, environments and code deployments. A slug stands in no address beside a word of ours."""

from django.urls import path

from deployments.views import deployment_settings, environments, impacts, imports, manual_changes, projects, setup

urlpatterns = [
    path("<str:organization>/projects", projects.projects, name="projects"),
    path("<str:organization>/new-project", projects.new_project, name="new-project"),
    path("<str:organization>/projects/<slug:project>", projects.project, name="project"),
    path("<str:organization>/projects/<slug:project>/settings", projects.project_settings, name="project-settings"),
    path("<str:organization>/projects/<slug:project>/delete", projects.delete_project, name="delete-project"),
    path("<str:organization>/deleted", projects.deleted, name="deleted"),
    path("<str:organization>/deleted/projects/<int:pk>/restore", projects.restore_project, name="restore-project"),
    path(
        "<str:organization>/projects/<slug:project>/new-environment",
        environments.new_environment,
        name="new-environment",
    ),
    path(
        "<str:organization>/projects/<slug:project>/environments/order",
        environments.order_environments,
        name="order-environments",
    ),
    path(
        "<str:organization>/projects/<slug:project>/environments/<slug:environment>/settings",
        environments.environment_settings,
        name="environment-settings",
    ),
    path(
        "<str:organization>/projects/<slug:project>/environments/<slug:environment>/default",
        environments.default_environment,
        name="default-environment",
    ),
    path(
        "<str:organization>/projects/<slug:project>/environments/<slug:environment>/delete",
        environments.delete_environment,
        name="delete-environment",
    ),
    path(
        "<str:organization>/deleted/environments/<int:pk>/restore",
        environments.restore_environment,
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
    path("<str:organization>/new-deployment", deployment_settings.new_deployment, name="new-deployment"),
    path(
        "<str:organization>/deployments/<slug:deployment>/settings",
        deployment_settings.deployment_settings,
        name="deployment-settings",
    ),
    path(
        "<str:organization>/deployments/<slug:deployment>/move",
        deployment_settings.move_deployment,
        name="move-deployment",
    ),
    path("<str:organization>/deployments/<slug:deployment>/imports", imports.imports, name="imports"),
    path(
        "<str:organization>/deployments/<slug:deployment>/imports/drafts/<int:pk>",
        imports.import_draft_page,
        name="import-draft",
    ),
    path(
        "<str:organization>/deployments/<slug:deployment>/imports/<int:pk>/undo",
        imports.undo_import,
        name="undo-import",
    ),
    path(
        "<str:organization>/deployments/<slug:deployment>/delete",
        deployment_settings.delete_deployment,
        name="delete-deployment",
    ),
    path(
        "<str:organization>/deleted/deployments/<int:pk>/restore",
        deployment_settings.restore_deployment,
        name="restore-deployment",
    ),
    path("<str:organization>/deployments/<slug:deployment>/setup", setup.deployment_setup, name="deployment-setup"),
    path(
        "<str:organization>/deployments/<slug:deployment>/setup/first-call",
        setup.first_call,
        name="deployment-first-call",
    ),
]
