from django.urls import include, path

from deployments.views import deployment, deploys, docs, home, manual_changes, requests, timeline

urlpatterns = [
    path("api/docs", docs.public_api_docs, name="public-api-docs"),
    path("<str:organization>/api", docs.api_docs, name="api-docs"),
    path("<str:organization>", home.home, name="home"),
    path("<str:organization>/timeline", timeline.timeline, name="timeline"),
    path("<str:organization>/projects/<str:project>/timeline", timeline.project_timeline, name="project-timeline"),
    path(
        "<str:organization>/projects/<str:project>/environments/<str:environment>/timeline",
        timeline.environment_timeline,
        name="environment-timeline",
    ),
    path("<str:organization>/deployments/<str:deployment>", deployment.deployment, name="deployment"),
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
    path("", include("deployments.token_urls")),
    path("", include("deployments.project_urls")),
]
