"""What names mean: in conditions and expressions about rows, and about groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqliter.core.context import Context
from sqliter.exceptions import InvalidFilterError, InvalidProjectionError
from sqliter.planning import calling, computing, filters, nested, projection
from sqliter.planning.aggregates import AggregateSpec
from sqliter.planning.bare import check_bare
from sqliter.planning.boolean import conditions_of
from sqliter.planning.comparing import compared
from sqliter.planning.computed import (
    BOOL,
    Computed,
    Level,
    Names,
    Stored,
    Test,
    name_of,
)
from sqliter.planning.conditions import Combined, Condition
from sqliter.planning.paths import forward_end
from sqliter.planning.spec import QuerySpec
from sqliter.terms.attribute import Outer
from sqliter.terms.call import Case, Cast, Extract, Function, Over
from sqliter.terms.q import Predicate, Q
from sqliter.terms.subquery import Exists, SubQuery
from sqliter.terms.term import Arithmetic, Field, Given, Term, Truth

__all__ = ["Groups", "Rows"]


class Rows:
    """The names of a row."""

    def __init__(self, spec: QuerySpec[Any], context: Context | None) -> None:
        self.spec = spec
        self.table = spec.table
        self.context = context

    @property
    def local(self) -> bool:
        """Whether instants are read in local time."""
        return self.context is None or self.context.settings.return_local_time

    def inside(self, spec: QuerySpec[Any]) -> Names:
        """Return the names of a row of a query inside of this one."""
        return Rows(spec, self.context)

    # --- conditions ---

    def conditions(self, q: Q) -> tuple[Condition, ...]:
        """Return conditions that must all hold; none for an empty ``Q``."""
        return conditions_of(q, self)

    def keywords(self, given: dict[str, Any]) -> tuple[Condition, ...]:
        """Return the conditions that keywords mean."""
        return filters.conditions(self, given)

    def predicate(self, given: Predicate) -> Iterable[Condition]:
        """Return the conditions that a comparison means.

        Raises ``InvalidFilterError`` for what cannot be asked.
        """
        try:
            if given.operator == "__holds":
                given = self._truth(given.term)
            key = self._key(given)
            if key is not None:
                return self.keywords({f"{key}{given.operator}": given.value})
            found = compared(self, given)
        except ValueError as error:
            name, text = repr(given.term), f"Failed to apply filter: {error}"
            raise InvalidFilterError(name, message=text) from error
        return (found,)

    def _truth(self, term: Term[Any]) -> Predicate:
        """Return the comparison that asks whether something is true."""
        if self.computed(term).kind != BOOL:
            msg = f"{term!r} is neither true nor false: compare it with something"
            raise ValueError(msg)
        return Predicate(term, "__eq", True)  # noqa: FBT003 - as in a keyword

    def _key(self, given: Predicate) -> str | None:
        """Return how a keyword would name what is compared, if it could."""
        term = given.term
        if isinstance(term, Field):
            return name_of(self.table.model, term)
        if isinstance(term, Extract) and not isinstance(given.value, Term):
            return f"{name_of(self.table.model, term.field)}__{term.part}"
        return None

    def _check_level(self, found: Computed) -> None:
        if found.level is not Level.ROW:
            msg = (
                "aggregates are compared in having(), and windows nowhere: filter() "
                "chooses the rows that they are computed of"
            )
            raise ValueError(msg)

    # --- expressions ---

    def computed(self, term: Term[Any]) -> Computed:
        """Look the names of a term up; ``ValueError`` says what is wrong with it."""
        if isinstance(term, Field):
            return self.field(term)
        return _COMPUTING[type(term)](self, term)

    def compared(self, term: Term[Any]) -> Computed:
        """Return a term that is compared; ``ValueError`` if it cannot be here."""
        found = self.computed(term)
        self._check_level(found)
        return found

    def field(self, field: Field[Any]) -> Computed:
        """Return a field; ``ValueError`` if there is none."""
        name = name_of(self.table.model, field)
        found = forward_end(self.table, name)
        if found is None:
            msg = f"{field!r} is no field of {self.table.model.__name__}"
            raise ValueError(msg)
        path, table, column = found
        return Stored(table, column, path)

    def test(self, q: Q) -> Computed:
        """Return whether a condition holds; of whatever it is computed."""
        return _Inside(self.spec, self.context).tested(q)

    def tested(self, q: Q) -> Computed:
        """Return the condition, its names looked up here."""
        found = self.conditions(q)
        one = found[0] if len(found) == 1 else Combined("AND", found)
        return Test(one, self._level(q))

    def _level(self, q: Q) -> Level:
        """Return what a condition is computed of."""
        found = [self._level(part) for part in q.parts]
        if isinstance(q, Predicate):
            sides = [each for each in (q.term, q.value) if isinstance(each, Term)]
            found += [self._level_of(each) for each in sides]
        return max(found, default=Level.ROW)

    def _level_of(self, term: Term[Any]) -> Level:
        is_of_row = isinstance(term, (Field, Extract))  # perhaps of many related ones
        return Level.ROW if is_of_row else self.computed(term).level


class Groups(Rows):
    """The names of a group: what it is grouped by, and its aggregates."""

    def keywords(self, given: dict[str, Any]) -> tuple[Condition, ...]:
        """Return the conditions that keywords mean."""
        return projection.having(self.spec, given, local=self.local)

    def field(self, field: Field[Any]) -> Computed:
        """Return a field of rows, or what an aggregate of this name is."""
        aggregate = dict(self.spec.aggregates).get(field.name)
        if aggregate is None:
            return super().field(field)
        return projection.computed_aggregate(self, aggregate)

    def test(self, q: Q) -> Computed:
        """Return whether a condition holds: of a group, or of each of its rows."""
        return _Within(self.spec, self.context).tested(q)

    def _check_level(self, found: Computed) -> None:
        if found.level is Level.WINDOW:
            msg = "windows are computed of the groups that having() chooses"
            raise InvalidProjectionError(msg)

    def _key(self, given: Predicate) -> str | None:
        """Return how a keyword would name what is compared, if it could."""
        return None if isinstance(given.value, Term) else super()._key(given)

    def compared(self, term: Term[Any]) -> Computed:
        """Return a term that is compared; it must have one value per group."""
        found = super().compared(term)
        check_bare(self.spec, repr(term), found)
        return found


class _Inside(Rows):
    """The names inside of an expression, which is checked as a whole."""

    def _check_level(self, found: Computed) -> None:
        pass


class _Within(Groups):
    """The names inside of an expression about a group: those of its rows, too."""

    def compared(self, term: Term[Any]) -> Computed:
        """Return a term that is compared."""
        return self.computed(term)

    def keywords(self, given: dict[str, Any]) -> tuple[Condition, ...]:
        """Return the conditions that keywords mean."""
        about = {key: projection.is_aggregate(self.spec, key) for key in given}
        rows = {key: value for key, value in given.items() if not about[key]}
        groups = {key: value for key, value in given.items() if about[key]}
        found = projection.having(self.spec, groups, local=self.local) if groups else ()
        return (*Rows.keywords(self, rows), *found)

    def _level(self, q: Q) -> Level:
        """Return what a condition is computed of."""
        is_group = any(projection.is_aggregate(self.spec, key) for key in q.keywords)
        return max(super()._level(q), Level.GROUP if is_group else Level.ROW)

    def _level_of(self, term: Term[Any]) -> Level:
        is_alias = isinstance(term, Field) and projection.is_aggregate(
            self.spec, term.name
        )
        return self.computed(term).level if is_alias else super()._level_of(term)


_COMPUTING: dict[type, Callable[[Any, Any], Computed]] = {
    AggregateSpec: calling.counted,
    Arithmetic: computing.arithmetic,
    Case: computing.cased,
    Cast: computing.converted,
    Exists: lambda _, term: nested.existing(term),
    Extract: computing.extracted,
    Function: calling.called,
    Given: lambda _, term: computing.bound(term.value),
    Outer: lambda _, term: nested.around(term),
    Over: calling.windowed,
    SubQuery: nested.nested,
    Truth: lambda names, term: names.test(term.q),
}
