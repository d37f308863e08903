"""Which names of charsets Python looks for."""

import codecs
import encodings
import pkgutil
from encodings.aliases import aliases

KNOWN = frozenset([*aliases, *(module.name for module in pkgutil.iter_modules(encodings.__path__))])


def find_known(name: str) -> codecs.CodecInfo | None:
    """``name`` is as ``codecs.lookup`` normalizes it: in lower case, with an underscore for all other punctuation."""
    return encodings.search_function(name) if name in KNOWN else None


def forget_unknown_charsets() -> None:
    """Has Python refuse the names it does not know before it looks for their modules.

    It keeps each of them for good (``encodings._cache``), and anybody who calls can send kilobytes of them in a label,
    or a thousand in the parts of one form.
    """
    codecs.unregister(encodings.search_function)
    codecs.register(find_known)
