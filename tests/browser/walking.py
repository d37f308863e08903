"""All pages that there are, from the URL configuration: what is routed is looked at."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse


def walk(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The name and the whole route of each page. Django's admin looks after its own."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if route != "admin/":
                yield from walk(pattern, route)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name, route


def routes() -> dict[str, str]:
    return dict(walk(get_resolver()))


def address(name: str, parameters: dict[str, Any]) -> str | None:
    """Where the page is, or None where there is nothing that it could be about. A ``pk`` is called after its place:
    in ``tokens/<int:pk>`` it is ``tokens/pk``."""
    route = routes()[name]
    arguments = {}
    for parameter in re.findall(r"[<:](\w+)>", route):
        place = re.search(rf"(\w+)/<int:{parameter}>", route)
        key = f"{place[1]}/pk" if parameter == "pk" and place else parameter
        if key not in parameters:
            return None
        arguments[parameter] = parameters[key]
    return reverse(name, kwargs=arguments)
