"""Rows as a Parquet file, with pyarrow where that is installed (the extra ``parquet``)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from latvar_tui.session.layout import SessionError

_ROWS_A_GROUP = 20_000


def parquet(rows: Iterator[dict[str, Any]], columns: Mapping[str, str]) -> Iterator[bytes]:
    """The file, in pieces.

    Args:
        columns: the name of each, and of pyarrow's type for it.

    Raises:
        SessionError: there is no pyarrow.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise SessionError(
            "Parquet is written by pyarrow, which is not installed: pip install 'latvar-tui[parquet]', or export csv."
        ) from error
    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in columns.items()])
    with io.BytesIO() as buffer:
        with pyarrow.parquet.ParquetWriter(buffer, schema) as writer:
            while group := list(islice(rows, _ROWS_A_GROUP)):
                writer.write_table(pyarrow.Table.from_pylist(group, schema))
        yield buffer.getvalue()
