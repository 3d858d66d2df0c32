"""The rounds of one condition: what each candidate took in each, coarsely counted.

A round is a randomised block: one slice of every candidate, in shuffled order. Whoever compares candidates needs
rounds one by one. Memory is bounded: neighbouring rounds of the same candidates become one row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from latvar_tui.study.drift import Block, merged

MOST_ROWS = 128
"""From here on rows are merged: of the set of candidates that has most of them, if those are more than FEWEST_ROWS."""

FEWEST_ROWS = 48
_HARD_LIMIT = 8 * MOST_ROWS


@dataclass(frozen=True)
class Row:
    """One round, or several that are counted as one. ``ends``: where each candidate's counts end."""

    rounds: int
    ids: tuple[str, ...]
    ends: tuple[int, ...]
    indices: npt.NDArray[np.uint16]
    counts: npt.NDArray[np.uint32]

    def __deepcopy__(self, memo: object) -> Row:
        """Nobody changes one: a board's copy shares them."""
        return self

    def block(self, candidate: str) -> Block | None:
        """The candidate's coarse counts; None if it had no slice."""
        if candidate not in self.ids:
            return None
        place = self.ids.index(candidate)
        part = slice(self.ends[place - 1] if place else 0, self.ends[place])
        return self.indices[part], self.counts[part].astype(np.uint64)

    @property
    def blocks(self) -> dict[str, Block]:
        found = {}
        for candidate in self.ids:
            block = self.block(candidate)
            if block is not None:
                found[candidate] = block
        return found


def row_of(blocks: Mapping[str, Block], rounds: int = 1) -> Row:
    """Of each candidate's coarse counts; those in alphabetical order."""
    ids = tuple(sorted(blocks))
    sizes = [blocks[candidate][0].size for candidate in ids]
    return Row(
        rounds,
        ids,
        tuple(np.cumsum(sizes).tolist()),
        np.concatenate([blocks[candidate][0] for candidate in ids]),
        np.concatenate([blocks[candidate][1] for candidate in ids]).astype(np.uint32),
    )


def _one_row(rows: Sequence[Row]) -> Row:
    blocks = [row.blocks for row in rows]
    return row_of({name: merged([one[name] for one in blocks]) for name in rows[0].ids}, sum(r.rounds for r in rows))


class Rounds:
    """At most some hundreds of rows, in the order they were measured."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self.added = 0
        """How many rounds there were ever: whoever keeps what was computed of them looks here."""

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    def add(self, blocks: Mapping[str, Block]) -> None:
        """Take in what each candidate of a round took."""
        self._rows.append(row_of(blocks))
        self.added += 1
        if len(self._rows) > MOST_ROWS:
            ids, many = Counter(row.ids for row in self._rows).most_common(1)[0]
            if many > FEWEST_ROWS:
                self._merge(ids)
            elif len(self._rows) > _HARD_LIMIT:  # hundreds of different sets: nobody measures like that
                del self._rows[: _HARD_LIMIT // 2]

    def forget(self, candidate: str) -> None:
        """Let go of what was measured of a candidate."""
        kept = []
        for row in self._rows:
            blocks = {name: block for name, block in row.blocks.items() if name != candidate}
            kept += [row if candidate not in row.ids else row_of(blocks, row.rounds)] if blocks else []
        self._rows = kept
        self.added += 1

    def _merge(self, ids: tuple[str, ...]) -> None:
        """Each two of these candidates' rows that follow each other become one: of those that stand for fewest rounds.

        Were all of them merged each time, the oldest would soon stand for half of all rounds: a few rows would count,
        and all that was ever claimed would be lost after some hundred rounds.
        """
        own = [row.rounds for row in self._rows if row.ids == ids]
        at_most = min(map(max, pairwise(own)))
        kept: list[Row] = []
        waits: int | None = None  # where the row is that the next one may join: none of theirs lies between
        for row in self._rows:
            if row.ids == ids and row.rounds <= at_most and waits is not None:
                kept[waits] = _one_row([kept[waits], row])
                waits = None
                continue
            if row.ids == ids:
                waits = len(kept) if row.rounds <= at_most else None
            kept.append(row)
        self._rows = kept
