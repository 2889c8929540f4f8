"""The chain: what is asked, before anybody decides how to wait for the answer.

Chain methods change the builder and return it. Each checks everything first and
then replaces the immutable specification, so a failed call leaves no trace.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Self, TypeAlias, TypeVar

from sqliter.core.context import HasContext
from sqliter.core.statement import Statement
from sqliter.core.stop import check_seconds
from sqliter.exceptions import (
    InvalidOffsetError,
    InvalidOrderError,
    InvalidProjectionError,
)
from sqliter.model.model import BaseDBModel
from sqliter.model.table import table_of
from sqliter.planning import filters, projection, selection
from sqliter.planning.aggregates import AggregateSpec
from sqliter.planning.conditions import Condition, paths_of
from sqliter.planning.groups import plan_groups
from sqliter.planning.ordering import Orderable, order_terms, split_direction
from sqliter.planning.paths import forward_column, forward_path, prefetch_nodes
from sqliter.planning.prefetch import Prefetch, as_prefetch
from sqliter.planning.scope import Groups, Rows
from sqliter.planning.search import matching
from sqliter.planning.select import plan_select
from sqliter.planning.spec import Order, QuerySpec, Selection
from sqliter.query.checks import checked_int, checked_page
from sqliter.query.combining import Combining
from sqliter.query.naming import plain_names
from sqliter.terms.q import Q
from sqliter.terms.term import Nulls, Term

__all__ = ["BaseQuery", "FilterValue"]

M = TypeVar("M", bound=BaseDBModel)
D_co = TypeVar("D_co", bound="HasContext", covariant=True)

FilterValue: TypeAlias = Any
"""What a filter compares with: a value of the field's type, ``None``, or a list."""


_NO_TRAVERSAL = (
    "Relationship filter traversal is not supported in projection mode. "
    "Filter by the key (author=...), or through a to-many relation."
)
_NO_JOINS = (
    "Projection queries do not support relationship traversal filters or "
    "select_related joins."
)

RANK = "_rank"
"""What rows are ordered by to have the best matches first; no field has such a name."""

BATCH = 500
"""Rows that ``iterate()`` fetches at a time."""

_INSTEAD = {
    "count": "Use len(fetch_dicts()) instead.",
    "exists": "Use len(fetch_dicts()) > 0 instead.",
    **dict.fromkeys(
        ("fetch_all", "fetch_one", "fetch_first", "fetch_last", "fetch_hits"),
        "Use fetch_dicts() instead.",
    ),
}


class BaseQuery(Combining, Generic[M, D_co]):
    """A query over one model; see ``QueryBuilder`` and ``AsyncQueryBuilder``."""

    _prefetch_paths: tuple[str, ...] = ()
    _seconds: float | None = None

    def __init__(
        self,
        db: D_co,
        model_class: type[M],
        fields: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
    ) -> None:
        self.db = db
        self.model_class = model_class
        self._spec: QuerySpec[M] = table_of(model_class).prepare(QuerySpec)
        if fields is not None:
            self.fields(fields)
        if exclude is not None:
            self.exclude(exclude)

    # --- what it is ---

    @property
    def spec(self) -> QuerySpec[M]:
        """What is asked, as immutable data."""
        return self._spec

    @property
    def table_name(self) -> str:
        """The table the rows come from."""
        return self._spec.table.name

    @property
    def filters(self) -> list[tuple[str, Any, str]]:
        """The conditions as ``(field, value, operator)``."""
        return [item for each in self._spec.conditions for item in each.described()]

    @property
    def projection_mode(self) -> bool:
        """Whether the query gives dicts of groups instead of instances."""
        return self._spec.is_projection

    def clone(self) -> Self:
        """Return an independent builder that asks the same.

        Example:
            >>> adults = db.select(User).filter(age__gte=18)
            >>> ann = adults.clone().filter(name="Ann")
        """
        twin = type(self).__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    __copy__ = clone

    def to_sql(self) -> tuple[str, tuple[Any, ...]]:
        """Return the text and the parameters of the query, without running it."""
        statement = self._statement()
        return statement.sql, tuple(statement.params)

    # --- which rows ---

    def filter(self, *parts: Q | bool, **conditions: FilterValue) -> Self:
        """Keep the rows that meet all conditions.

        Keywords are field names, optionally with an operator: ``age__gt=3``, or paths
        of relations: ``author__name="Ann"``, ``tags__name__in=[...]``, ``author=ann``.
        A to-many relation asks for some related row; keywords of one call mean the
        same one. Columns and expressions are compared by Python's operators; ``Q``
        objects say "or" and "not". (To type checkers a compared column is a ``bool``.)

        Raises ``InvalidFilterError`` for unknown names and impossible values,
        ``InvalidRelationshipError`` for paths through what is no relation,
        ``TypeError`` for values the operator cannot take.

        Example:
            >>> db.select(User).filter(Q(age__gte=65) | Q(age__lt=18), active=True)
            >>> db.select(User).filter(User.age >= 65, Book.author.to.name == "Ann")
        """
        spec = self._spec
        found = filters.own_conditions(spec.table, conditions)
        if found is None:
            found = self._names.keywords(conditions)
        if parts:
            found += self._names.conditions(Q(*parts))
        if spec.is_projection and paths_of(found):
            raise InvalidProjectionError(_NO_TRAVERSAL)
        self._spec = spec.but(conditions=spec.conditions + found)
        return self

    def exclude_where(self, *parts: Q | bool, **conditions: FilterValue) -> Self:
        """Leave out the rows that meet all conditions; rows with NULLs stay.

        Example:
            >>> db.select(User).exclude_where(name="Ann", age__lt=18)
        """
        return self.filter(~Q(*parts, **conditions))

    def search(
        self,
        text: str,
        *,
        raw: bool = False,
        weights: Mapping[str, float] | None = None,
    ) -> Self:
        """Keep the rows whose text matches, the best ones first unless ordered.

        Rows must have all words and ``"quoted phrases"``, and none with a ``-`` before
        it; ``word*`` is a beginning; nothing else has a meaning, so any text is fine.
        Where nothing is looked for, nothing is found. ``raw`` takes FTS5's own syntax.
        ``weights`` makes fields count more, or less, than 1. ``order("_rank")`` is the
        order it gives by itself. Needs ``Meta.fts``; raises ``InvalidSearchError``.

        Example:
            >>> db.select(Note).search('"open sea" sail* -boat', weights={"title": 5})
        """
        spec = self._spec
        found = matching(spec.table, spec.conditions, text, weights, raw=raw)
        return self._with(conditions=(*spec.conditions, found))

    def limit(self, limit_value: int | None) -> Self:
        """Give at most so many rows; ``None`` or a negative number: all."""
        if limit_value is not None:
            limit_value = max(checked_int("limit", limit_value), -1)
        return self._with(limit=limit_value)

    def offset(self, offset_value: int) -> Self:
        """Leave out so many rows first. Raises ``InvalidOffsetError`` below zero."""
        offset = checked_int("offset", offset_value)
        if offset < 0:
            raise InvalidOffsetError(offset)
        return self._with(offset=offset)

    # --- which order ---

    def order(
        self,
        *fields: Orderable,
        direction: str | None = None,
        reverse: bool = False,
        nulls: Nulls | None = None,
    ) -> Self:
        """Order by these fields (``pk`` if none); ``"-name"`` runs downwards.

        ``"author__name"`` orders by a field at the other end of a foreign key; columns
        and expressions have ``asc()`` and ``desc()``.
        ``reverse`` turns all of them round, ``nulls`` puts NULLs ``"first"`` or
        ``"last"`` (default: below every value). The last call counts. Raises
        ``InvalidOrderError`` for unknown fields. ``direction`` is deprecated.

        Example:
            >>> db.select(User).order("-age", "name", nulls="last")
            >>> db.select(User).order(col(User.age).desc(), func.length(User.name))
        """
        names, direction = split_direction(fields, direction, self._is_orderable)
        if direction:
            _warn_direction()
        terms = order_terms(
            names or ["pk"],
            self._order_term,
            Groups(self._spec, self.db.context),
            direction=direction,
            reverse=reverse,
            nulls=nulls,
        )
        return self._with(order=terms)

    # --- which columns ---

    def fields(self, fields: Iterable[str] | None = None) -> Self:
        """Fetch these fields and ``pk`` only; replaces an earlier selection.

        The others are absent on the instances. Nothing given: no change. Raises
        ``ValueError`` for unknown names.
        """
        spec = self._spec
        return self._select("fields", fields, lambda n: selection.select(spec.table, n))

    def exclude(self, fields: Iterable[str] | None = None) -> Self:
        """Fetch all fields, or those of ``fields()``, but these.

        Raises ``ValueError`` for unknown names, for ``pk``, and if nothing is left.
        """
        if fields is None:
            return self
        spec = self._spec
        return self._select(
            "exclude",
            fields,
            lambda n: selection.exclude(spec.table, spec.selection, n),
        )

    def only(self, field: str) -> Self:
        """Fetch this field and ``pk`` only."""
        self._refuse_in_projection("only")
        return self._with(selection=selection.only(self._spec.table, field))

    # --- related rows ---

    def select_related(self, *paths: str) -> Self:
        """Fetch the rows of these foreign keys along, in the same statement.

        ``"author__country"`` goes further. Raises ``InvalidRelationshipError``.

        Example:
            >>> db.select(Book).select_related("author").fetch_one().author.name
        """
        found = [forward_path(self._spec.table, path) for path in paths]
        related = tuple(dict.fromkeys((*self._spec.related, *found)))
        return self._with(related=related)

    def prefetch_related(self, *paths: str | Prefetch) -> Self:
        """Fetch these relations for all rows at once, a statement per level.

        Any relation will do, ``"books__tags"`` goes further, and a ``Prefetch``
        narrows what is fetched. Raises ``InvalidPrefetchError``.

        Example:
            >>> db.select(Author).prefetch_related("books").fetch_all()
        """
        nodes, given = self._spec.prefetch, [as_prefetch(path) for path in paths]
        for each in given:
            nodes = each.added_to(nodes, self._spec.table)
        names = (*self._prefetch_paths, *(each.path for each in given))
        self._prefetch_paths = tuple(dict.fromkeys(names))
        return self._with(prefetch=nodes)

    @property
    def prefetch_related_paths(self) -> list[str]:
        """The paths given to ``prefetch_related``."""
        return list(self._prefetch_paths)

    def validate_prefetch_path(self, path: str) -> None:
        """Raise ``InvalidPrefetchError`` if a path cannot be prefetched."""
        prefetch_nodes((), self._spec.table, path)

    def share_lazy(self) -> Self:
        """Have lazy loads share a statement: the first one loads it for all rows."""
        return self._with(shares_lazy=True)

    def belonging(
        self, *conditions: Condition, parent: tuple[str, Any] | None = None
    ) -> Self:
        """Keep what belongs to one object; ``parent`` is what a foreign key leads to.

        For relations: ``author.books`` and ``article.tags`` start like this.
        """
        kept = (*self._spec.conditions, *conditions)
        return self._with(conditions=kept, parent=parent or self._spec.parent)

    # --- groups ---

    def group_by(self, *fields: Any, **expressions: Any) -> Self:
        """Group by these fields; ``fetch_dicts()`` then gives a dict per group.

        Expressions get names, under which the dicts have them.

        Example:
            >>> years = db.select(Sale).group_by(year=extract("year", F("sold")))
            >>> years.annotate(total=func.sum("amount")).fetch_dicts()
        """
        if not (fields or expressions):
            return self
        names = plain_names(self.model_class, fields)
        columns = projection.grouping(self._spec.table, names)
        by = tuple(dict.fromkeys((*self._spec.group_by, *columns)))
        rows = Rows(self._spec, self.db.context)
        self._spec = projection.grouped(rows, self._spec.but(group_by=by), expressions)
        return self

    def annotate(self, **aggregates: AggregateSpec | Term[Any]) -> Self:
        """Add aggregates, and what is computed of them, under these names.

        Example:
            >>> db.select(Sale).group_by("category").annotate(total=func.sum("amount"))
            >>> mean = func.sum(F("price") * F("amount")) / func.sum("amount")
            >>> db.select(Sale).group_by("category").annotate(price=mean)
        """
        if not aggregates:
            return self
        names = Groups(self._spec, self.db.context)
        found = projection.aggregates(names, self._spec, aggregates)
        return self._with(aggregates=found, is_projection=True)

    def with_count(
        self, path: str, alias: str = "count", *, distinct: bool = False
    ) -> Self:
        """Count the rows that a path of relations leads to, for each row.

        ``distinct`` counts different rows, where several ways lead to the same one.
        Raises ``InvalidRelationshipError``, ``InvalidProjectionError``.

        Example:
            >>> db.select(Author).with_count("books").order("-count").fetch_dicts()
        """
        spec = self._spec
        self._spec = projection.related_count(spec, path, alias, distinct=distinct)
        return self

    def having(self, *parts: Q | bool, **conditions: FilterValue) -> Self:
        """Keep the groups that meet all conditions, written as in ``filter()``.

        Example:
            >>> totals = db.select(Sale).group_by("shop").annotate(n=func.count())
            >>> totals.having(func.sum("amount") > 100, n__gte=2).fetch_dicts()
        """
        q = Q(*parts, **conditions)
        if q.is_empty:
            return self
        found = Groups(self._spec, self.db.context).conditions(q)
        return self._with(having=(*self._spec.having, *found))

    # --- how it is answered ---

    def timeout(self, seconds: float) -> Self:
        """Stop what takes longer, waiting included: ``OperationTimeoutError``.

        Raises ``ValueError`` unless the number is positive.

        Example:
            >>> db.select(Book).filter(title__icontains="sea").timeout(0.5).fetch_all()
        """
        check_seconds(seconds)
        self._seconds = seconds
        return self

    def bypass_cache(self) -> Self:
        """Neither read nor write the result cache."""
        return self._with(cached=False)

    def cache_ttl(self, ttl: float) -> Self:
        """Remember the result for so many seconds, whatever the database says."""
        if ttl < 0:
            msg = "TTL must be non-negative"
            raise ValueError(msg)
        return self._with(ttl=ttl)

    # --- for the verbs ---

    @property
    def _names(self) -> Rows:
        """What names mean here."""
        return Rows(self._spec, self.db.context)

    def _with(self, **changes: Any) -> Self:
        self._spec = self._spec.but(**changes)
        return self

    def _select(
        self,
        method: str,
        names: Iterable[str] | None,
        choose: Callable[[Iterable[str]], Selection],
    ) -> Self:
        given = names if names is None or isinstance(names, str) else list(names)
        if not given:
            return self
        self._refuse_in_projection(method)
        return self._with(selection=choose(given))

    def _refuse_in_projection(self, method: str) -> None:
        if self._spec.is_projection:
            raise InvalidProjectionError(
                f"{method}() has no meaning for groups; name fields in group_by()."
            )

    def _statement(self) -> Statement:
        plan = plan_groups if self._spec.is_projection else plan_select
        return plan(self._spec, self.db.context).statement

    def _rows(self, verb: str) -> QuerySpec[M]:
        """Return the specification, for verbs that give instances or counts."""
        if self._spec.is_projection:
            text = f"{verb}() is unavailable for projection queries."
            instead = _INSTEAD.get(verb)
            raise InvalidProjectionError(f"{text} {instead}" if instead else text)
        return self._spec

    def _page(self, page: int, size: int) -> tuple[QuerySpec[M], int, int]:
        """Return the specification, and which page is wanted of what size."""
        return checked_page(self._rows("paginate"), page, size)

    def _groups(self, verb: str) -> QuerySpec[M]:
        """Return the specification, for the verbs that give groups."""
        if not self._spec.is_projection:
            msg = f"{verb}() requires projection mode."
            raise InvalidProjectionError(msg)
        if self._spec.related or paths_of(self._spec.conditions):
            raise InvalidProjectionError(_NO_JOINS)
        if any(term.path for term in self._spec.order):
            msg = "Groups cannot be ordered along foreign keys."
            raise InvalidProjectionError(msg)
        if self._spec.ranking is not None:
            msg = "Groups have no rank; order them by fields or aggregates."
            raise InvalidProjectionError(msg)
        return self._spec

    def _changes(self, verb: str) -> QuerySpec[M]:
        """Return the specification, for verbs that change every matching row."""
        spec = self._rows(verb)
        if verb != "delete" and (spec.is_windowed or spec.order):
            text = f"{verb}() ignores limit, offset and order: every match is changed"
            warnings.warn(text, UserWarning, stacklevel=3)
        return spec

    def _is_orderable(self, name: str) -> bool:
        known = forward_column(self._spec.table, name) is not None
        return (
            known or name == RANK or projection.ordered_by(self._spec, name) is not None
        )

    def _order_term(self, name: str) -> Order:
        aggregate = projection.ordered_by(self._spec, name)
        if aggregate is not None:
            return aggregate
        if name == RANK:
            return self._rank_term()
        found = forward_column(self._spec.table, name)
        if found is None or (found[0] and self._spec.is_projection):
            tail = " or aggregate aliases" if self._spec.is_projection else ""
            raise InvalidOrderError(f"'{name}' does not exist in model fields{tail}.")
        path, column = found
        return Order(column.compared, path=path)

    def _rank_term(self) -> Order:
        search = self._spec.search
        if search is None or self._spec.is_projection:
            msg = f"'{RANK}' is how well rows match a search: call search() before."
            raise InvalidOrderError(msg)
        return Order(search.rank, path=None)


def _warn_direction() -> None:
    warnings.warn(
        "'direction' argument is deprecated and will be removed in a future version. "
        "Use 'reverse' instead.",
        DeprecationWarning,
        stacklevel=3,
    )
