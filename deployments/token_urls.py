from django.urls import path

from deployments.views import tokens

urlpatterns = [
    path("<str:organization>/tokens", tokens.tokens, name="tokens"),
    path("<str:organization>/tokens/new", tokens.new_token, name="new-token"),
    path("<str:organization>/tokens/<int:pk>", tokens.token_page, name="token"),
    path("<str:organization>/tokens/<int:pk>/rename", tokens.rename_token, name="rename-token"),
    path("<str:organization>/tokens/<int:pk>/revoke", tokens.revoke_token, name="revoke-token"),
    path("<str:organization>/tokens/<int:pk>/rotate", tokens.rotate_token, name="rotate-token"),
]
