"""What makes ``User.age`` an expression: the class of all model classes."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from sqliter.terms.attribute import Attribute

__all__ = ["ModelClass"]

_building: ContextVar[bool] = ContextVar("_building", default=False)


if TYPE_CHECKING:  # checkers know fields by annotations, and models by their metaclass
    from pydantic._internal._model_construction import ModelMetaclass as ModelClass
else:

    class ModelClass(type(BaseModel)):
        """Gives a column for each field that is read from the class.

        Not while a class is being made: Pydantic would take the columns of its bases
        for defaults, or warn of fields that shadow them.
        """

        def __new__(mcs, *args: Any, **kwargs: Any) -> Any:
            token = _building.set(True)
            try:
                return super().__new__(mcs, *args, **kwargs)
            finally:
                _building.reset(token)

        def __getattr__(self, name: str) -> Any:
            fields = self.__dict__.get("__pydantic_fields__", ())
            if name in fields and not _building.get():
                return Attribute(self, name)
            return super().__getattr__(name)
