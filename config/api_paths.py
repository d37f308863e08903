from django.conf import settings
from django.http import HttpRequest

# Whole and no prefix: an organization's slug may begin so.
GRAPHQL_PATH = "/graphql"


def is_api_call(request: HttpRequest) -> bool:
    """Asked several times a request: one comparison of prefixes, and for pages one more."""
    path = request.path_info
    return path.startswith(settings.API_PATH_PREFIXES) or path == GRAPHQL_PATH
