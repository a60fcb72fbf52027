"""Structured logs: one event a line with its fields, JSON for machines and plain for a terminal."""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import Any

import structlog


def configure(options: dict[str, Any]) -> None:
    """Send structlog's and the standard library's records through one formatter to standard error.

    options: `level` (DEBUG … ERROR) and `format` (auto, json, console), as annotator/environment.py reads them.
    """
    plain = options["format"] == "console" or (options["format"] == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last = (
        structlog.dev.ConsoleRenderer(colors=plain and sys.stderr.isatty())
        if plain
        else structlog.processors.JSONRenderer()
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "winnow": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "winnow"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            # A 404 or 403 is an answer, not an incident; the request log has it already.
            "loggers": {"django.request": {"level": "ERROR"}, "axes": {"level": "WARNING"}},
        }
    )
