"""What all entries of a project.toml have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Year = Annotated[int, Field(ge=1900, le=2200)]


class Entry(BaseModel):
    """A table of the file: keys that nobody knows are refused, values are not bent."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)
