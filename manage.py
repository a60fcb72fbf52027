#!/usr/bin/env python
"""Winnow's commands; `manage.py help` lists them."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        sys.exit("Django is not installed here. Run 'make install', then '.venv/bin/python manage.py …'.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
