"""Settings, servers and what else runs Gumshoe. Another Python than the one of ``.venv`` is told so in one line."""

import sys
from importlib.util import find_spec

if sys.version_info < (3, 11) or not all(map(find_spec, ("django", "environ", "whitenoise", "rest_framework"))):
    raise SystemExit(
        f"gumshoe: {sys.executable} lacks what Gumshoe needs: use .venv/bin/python, which `make install` makes."
    )
