#!/usr/bin/env python
import os
import sys

import config  # noqa: F401 - says which Python to use, before anything else is imported


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    try:
        execute_from_command_line(sys.argv)
    except (OperationalError, ProgrammingError) as error:
        if "--traceback" in sys.argv:
            raise
        reason = str(error).strip().partition("\n")[0]
        raise SystemExit(f"gumshoe: the database cannot be used: {reason}. Was `manage.py migrate` run?") from None


if __name__ == "__main__":
    main()
