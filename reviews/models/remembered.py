"""Queries that the ORM puts together once in a process, for the few places where a person waits for each one.

Building and compiling a query with many subqueries takes Python ten times as long as the database takes to answer it.
What is remembered here is the ORM's own SQL, so rules such as `visible_to` stay written in one place.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

Row = TypeVar("Row", bound=models.Model)
STORABLE = range(-(2**63), 2**63)  # what a column of whole numbers holds
Value = int | str | datetime | None


@dataclass(frozen=True)
class _Compiled:
    queryset: models.QuerySet[Any]
    compiler: Any
    sql: str
    params: tuple[Any, ...]
    places: dict[str, list[int]]  # where the parameters hold each value


class Remembered(Generic[Row]):
    """The rows of a query that is built once for each kind of values, and then only filled in.

    `build` gets the values by name and must do nothing with them but hand them on to the query: a branch on what a
    value is would be remembered too. Only whether it is None is told apart, and what is `fixed`.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Row]]) -> None:
        self._build = build
        self._compiled: dict[Hashable, _Compiled] = {}

    def rows(self, *fixed: Hashable, **values: Value) -> list[Row]:
        """Ask the database. values: int, str, aware datetime or None. Raises ValueError where one is not in the query."""
        if any(isinstance(value, int) and value not in STORABLE for value in values.values()):
            return []  # as the ORM answers too; the database would refuse the parameter
        key = (fixed, *((name, type(value)) for name, value in values.items()))
        kept = self._compiled.get(key)
        if kept is None:
            kept = self._compiled[key] = self._compile(fixed, values)
        return _filled(kept, values)

    def _compile(self, fixed: tuple[Hashable, ...], values: dict[str, Value]) -> _Compiled:
        marks = {name: _mark(number, value) for number, (name, value) in enumerate(values.items())}
        queryset = self._build(*fixed, **marks)
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        places = {}
        for name, mark in marks.items():
            if mark is None:
                continue
            sent = _sent(mark)
            places[name] = [place for place, param in enumerate(params) if _is(param, sent)]
            if not places[name]:
                raise ValueError(f"{name} is not a parameter of this query, so it cannot be filled in")
        compiler.connection = None  # of the thread that compiled; each one that asks has its own
        return _Compiled(queryset, compiler, sql, tuple(params), places)


def _filled(kept: _Compiled, values: dict[str, Value]) -> list[Any]:
    params = list(kept.params)
    for name, places in kept.places.items():
        sent = _sent(values[name])
        for place in places:
            # The parameter's own type: psycopg wraps whole numbers by the width of their column.
            params[place] = sent if isinstance(values[name], datetime) else type(params[place])(sent)
    compiler = copy.copy(kept.compiler)
    compiler.connection = connections[DEFAULT_DB_ALIAS]
    compiler.as_sql = lambda *_args, **_options: (kept.sql, tuple(params))
    queryset = kept.queryset.all()
    queryset.query.get_compiler = lambda *_args, **_options: compiler  # type: ignore[method-assign]
    return list(queryset)


def _mark(number: int, value: Value) -> Value:
    """A value of the same type that stands nowhere else in the query."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return datetime(1888, 8, 8, 8, 8, 8, 880_000 + number, tzinfo=UTC)
    return f"\x01mark {number}" if isinstance(value, str) else 2**62 + number


def _sent(value: Value) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _is(param: Any, sent: Any) -> bool:
    return isinstance(param, type(sent)) and bool(param == sent)
