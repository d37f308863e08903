from django.urls import include, path

from deployments.views import deployment, deploys, docs, home, requests, timeline

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
    path("<str:organization>/requests", requests.requests, name="requests"),
    path("<str:organization>/requests/<int:call_id>", requests.request_page, name="request"),
    path("<str:organization>/requests/<int:call_id>/replay", requests.replay_request, name="replay-request"),
    path("", include("deployments.token_urls")),
    path("", include("deployments.project_urls")),
]
