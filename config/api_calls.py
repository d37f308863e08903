from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from deployments.api import answers

# Whole and no prefix: an organization's slug may begin so.
GRAPHQL_PATH = "/graphql"


def is_api_call(request: HttpRequest) -> bool:
    """Asked several times a request: one comparison of prefixes, and for pages one more."""
    path = request.path_info
    return path.startswith(settings.API_PATH_PREFIXES) or path == GRAPHQL_PATH


# --- What is answered where no view answered: text to calls of the API, Django's pages to people ---


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api_call(request):
        return answers.answer_text(400, "The request cannot be read: send it as the API's pages show.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if is_api_call(request):
        return answers.server_error(request)
    return defaults.server_error(request)
