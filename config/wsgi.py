"""The WSGI application that the server loads: ``config.wsgi:application``."""

import codecs
import encodings
import os
import pkgutil
from collections.abc import Callable, Iterable
from encodings.aliases import aliases
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

KNOWN_CHARSETS = frozenset([*aliases, *(module.name for module in pkgutil.iter_modules(encodings.__path__))])


def find_known_charset(name: str) -> codecs.CodecInfo | None:
    """``name`` is as ``codecs.lookup`` normalizes it: in lower case, with underscores for punctuation."""
    return encodings.search_function(name) if name in KNOWN_CHARSETS else None


# Python never forgets an unknown name that it has looked for. Callers can send kilobytes of them: in the label of a
# body, and in each of the thousand parts of a form, where Django looks them up and has no hook for a check of ours.
codecs.unregister(encodings.search_function)
codecs.register(find_known_charset)


class Request(WSGIRequest):
    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """Ignores a label that Django raises ValueError for, such as ``charset*=nonsense''x``.

        Nothing could answer the error here.
        """
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except ValueError:
            self.content_type, self.content_params, meta["CONTENT_TYPE"] = "", {}, ""


class Handler(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
application: Callable[..., Iterable[bytes]] = Handler()
