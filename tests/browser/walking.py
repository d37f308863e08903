"""All pages that there are, from the URL configuration: what is routed is looked at."""

import re
from collections.abc import Iterator
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse


def named_routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The name and the whole route of each page. Django's admin looks after its own."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if route != "admin/":
                yield from named_routes(pattern, route)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name, route


def address(name: str, route: str, parameters: dict[str, Any]) -> str | None:
    """Where the page is, or None where there is nothing that it could be about. ``pk`` is called after its place."""
    arguments = {}
    for parameter in re.findall(r"[<:](\w+)>", route):
        place = re.search(rf"(\w+)/<int:{parameter}>", route)
        key = f"{place[1]}/pk" if parameter == "pk" and place else parameter
        if key not in parameters:
            return None
        arguments[parameter] = parameters[key]
    return reverse(name, kwargs=arguments)


def pages(client: Client, parameters: dict[str, Any], *, under: str = "/") -> dict[str, str]:
    """The addresses, by name, at which this visitor is shown a page when they just look."""
    found = {}
    for name, route in named_routes():
        path = address(name, route, parameters)
        if path and path.startswith(under):
            answer = client.get(path)
            if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
                found[name] = path
    return found
