"""Batches that stay on a device between segments.

Rows run in buckets of fixed size, each with its own buffers, so that a device can record the launches of a whole segment once
and replay them. The state goes from one buffer to the other and back, a segment each, and is never copied to the host. Where
rows were added, written or dropped, they are put together on the device; only new rows are uploaded. Inputs and noise are
uploaded where they differ from what the device has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._devices._buckets import BUCKETS, buckets
from groundstate._devices._driver import Binding, Buffer, Driver
from groundstate._devices._resident import Resident
from groundstate._header import Header

Tensors = dict[str, Any]

AT_LOAD = 256
"""Buckets up to this many rows are made when the model is loaded; the larger ones when they are first used."""

MOST_SIZES = 16
"""Sizes of problems whose idle buffers are kept, for files of any size."""


class Lease:
    """The use of a bucket's buffers by the rows of one batch. They are free again when nothing refers to it.

    Attributes:
        rows: Rows in use, the first ones.
    """

    def __init__(self, lanes: Lanes, rows: int, free: Callable[[Lanes], None]) -> None:
        self._lanes, self.rows, self._free = lanes, rows, free
        self._made = lanes.runs

    @property
    def lanes(self) -> Lanes:
        """The buffers.

        Raises:
            RuntimeError: If a later run has overwritten what was leased.
        """
        if self._lanes.runs != self._made:
            raise RuntimeError("These rows were on the device before its last run, and are overwritten.")
        return self._lanes

    @property
    def length(self) -> int:
        """Rows of the buffers."""
        return self._lanes.length

    def download(self, name: str) -> NDArray[Any]:
        """A copy of a state tensor's rows."""
        lanes = self.lanes
        return lanes.driver.call(lambda: lanes.driver.download(lanes.newest[name]))

    def taken_over(self) -> None:
        """Leave the buffers to the next lease, which has them already."""
        self._free = lambda _: None

    def __del__(self) -> None:
        self._free(self._lanes)


class Lanes:
    """The buffers of a bucket, and its two runs: the state goes from the first buffers to the second, or back.

    Attributes:
        length: Rows.
        runs: Runs so far.
    """

    def __init__(self, driver: Driver, header: Header, length: int, outputs: Mapping[str, tuple[Any, Any]]) -> None:
        self.driver, self.length, self.runs = driver, length, 0
        self._host: dict[str, NDArray[Any]] = {}
        self._side = 0
        specs: dict[str, tuple[Any, tuple[int, ...]]] = {
            name: (dtype, (length, *(int(n) for n in shape[1:])))
            for name, (dtype, shape) in header.graph_inputs.items()
        }
        state = {f"state.{name}": name for name in header.state}
        self._sides: list[dict[str, Buffer]] = [
            {bare: driver.allocate(specs[name][1], specs[name][0]) for name, bare in state.items()} for _ in range(2)
        ]
        self._inputs = {n: driver.allocate(shape, dtype) for n, (dtype, shape) in specs.items() if n not in state}
        self._specs = {n: specs[n] for n in self._inputs}
        self._outputs = {
            n: driver.allocate((length, *shape), dtype)
            for n, (dtype, shape) in outputs.items()
            if not n.startswith("next.")
        }
        for name, (dtype, shape) in self._specs.items():
            self.put(name, np.ones(shape, dtype) if name == header.step_scale else np.zeros(shape, dtype))
        for name, bare in state.items():
            for side in self._sides:
                driver.upload(side[bare], np.zeros(specs[name][1], specs[name][0]))
        self._bindings: list[Binding] = [self._bound(side) for side in (0, 1)]

    def _bound(self, side: int) -> Binding:
        given, made = self._sides[side], self._sides[1 - side]
        return self.driver.bind(
            self._inputs | {f"state.{name}": buffer for name, buffer in given.items()},
            self._outputs | {f"next.{name}": buffer for name, buffer in made.items()},
        )

    @property
    def newest(self) -> dict[str, Buffer]:
        """The buffers that the last run wrote, and that the next one reads."""
        return self._sides[self._side]

    def put(self, name: str, array: NDArray[Any]) -> None:
        """Give an input of the graph other contents, if they differ."""
        known = self._host.get(name)
        if known is not None and np.array_equal(known, array):
            return
        self.driver.upload(self._inputs[name], array)
        self._host[name] = array.copy()  # the caller may write into its own

    def run(self) -> None:
        """Run a segment from the newest state."""
        self.runs += 1
        self.driver.run(self._bindings[self._side])
        self._side = 1 - self._side

    def fetch(self, name: str) -> NDArray[Any]:
        """A copy of an output."""
        if name.startswith("next."):
            return self.driver.download(self.newest[name.removeprefix("next.")])
        return self.driver.download(self._outputs[name])


class Residency:
    """Runs segments of one graph on a device.

    Args:
        driver: The device.
        outputs: The graph's outputs.
    """

    def __init__(self, driver: Driver, outputs: list[str]) -> None:
        self._driver, self._names = driver, outputs
        self._idle: dict[tuple[Any, int], deque[Lanes]] = {}

    def prepare(self, header: Header) -> None:
        """Make the buckets that most solves need, so that no solve waits for them. Sizes that vary are not known yet."""
        if header.sizes:
            return
        for length in buckets(header):
            if length <= max(AT_LOAD, buckets(header)[0]):
                self._free(header, length).append(self._driver.call(partial(self._made, header, length)))

    def segment(
        self,
        header: Header,
        inputs: Mapping[str, Any],
        state: Mapping[str, Any],
        noise: Mapping[str, Any],
        scale: NDArray[np.float32],
        fetch: list[str] | None = None,
    ) -> Tensors:
        """Run one segment for every row. The next state stays on the device, unless all outputs are asked for.

        Args:
            header: At the problems' sizes.
            scale: The step scale of each row.
            fetch: The outputs to return; None means all, on the host.
        """
        most = buckets(header)[-1]
        if len(scale) <= most:
            return self._driver.call(lambda: self._segment(header, inputs, state, noise, scale, fetch))
        # Rows beyond the largest bucket run one part after the other; their state goes over the host.
        parts = []
        for start in range(0, len(scale), most):
            rows = slice(start, start + most)
            one, two, three = (_rows_of(group, rows) for group in (inputs, state, noise))
            out = self._driver.call(partial(self._segment, header, one, two, three, scale[rows], fetch))
            parts.append({name: np.asarray(x) for name, x in out.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def close(self) -> None:
        """Free the device's memory."""
        self._idle.clear()
        self._driver.close()

    def _segment(
        self,
        header: Header,
        inputs: Mapping[str, Any],
        state: Mapping[str, Any],
        noise: Mapping[str, Any],
        scale: NDArray[np.float32],
        fetch: list[str] | None,
    ) -> Tensors:
        rows = len(scale)
        length = next(n for n in buckets(header) if n >= rows)
        lease = _lease_of(state, header)
        # Rows of others may be in the same buffers: these are written again only if all their rows are here.
        whole = lease is not None and all(state[name].untouched for name in header.state)
        same = whole and lease is not None and lease.length == length
        lanes = lease.lanes if lease is not None and same else self._taken(header, length)
        try:
            if not same:
                self._place(lanes, header, lease, state)
            feeds = {**inputs, **{f"noise.{name}": x for name, x in noise.items()}, header.step_scale: scale}
            for name, array in feeds.items():
                lanes.put(name, _padded(np.asarray(array), length))
            lanes.run()
            new = Lease(lanes, rows, self._free(header, length).append)
        except BaseException:
            if not same:
                self._free(header, length).append(lanes)
            raise
        if same and lease is not None:
            lease.taken_over()
        found: Tensors = {}
        for name in self._names if fetch is None else fetch:
            bare = name.removeprefix("next.")
            if fetch is not None and name.startswith("next."):
                spec = header.state[bare]
                found[name] = Resident(new, bare, np.arange(rows), np.empty((0, *spec.shape), spec.dtype))
            else:
                found[name] = lanes.fetch(name)[:rows]
        return found

    def _place(self, lanes: Lanes, header: Header, lease: Lease | None, state: Mapping[str, Any]) -> None:
        """Put the rows' state where the next run reads it."""
        for name in header.state:
            if lease is None:
                self._driver.upload(lanes.newest[name], _padded(np.asarray(state[name]), lanes.length))
                continue
            fresh, index = state[name].parts(lanes.length)
            self._driver.gather(lease.lanes.newest[name], fresh, index, lanes.newest[name])

    def _taken(self, header: Header, length: int) -> Lanes:
        idle = self._free(header, length)
        try:
            return idle.pop()
        except IndexError:
            return self._made(header, length)

    def _made(self, header: Header, length: int) -> Lanes:
        return Lanes(self._driver, header, length, outputs_of(header, self._names))

    def _free(self, header: Header, length: int) -> deque[Lanes]:
        size = tuple(spec.shape for spec in header.inputs.values())
        found = self._idle.pop((size, length), None)
        found = deque() if found is None else found  # an empty one is in use too
        self._idle[size, length] = found  # the newest is last
        while len(self._idle) > MOST_SIZES * len(BUCKETS):
            del self._idle[next(iter(self._idle))]
        return found


def outputs_of(header: Header, names: list[str]) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
    """Dtype and shape, without the batch, of every output of a graph."""
    known = header.graph_outputs
    columns = (len(header.traced),)
    found: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}
    for name in names:
        if name == "trace":
            found[name] = known["energy"][0], columns
        elif name.startswith("path."):
            spec = header.answers[name.removeprefix("path.")]
            found[name] = spec.dtype, columns + spec.shape
        else:
            found[name] = known[name]
    return found


def _lease_of(state: Mapping[str, Any], header: Header) -> Lease | None:
    """The lease that all of a state is in; None if some of it is on the host."""
    found = [state[name].lease for name in header.state if isinstance(state[name], Resident)]
    whole = len(found) == len(header.state) and all(lease is found[0] for lease in found)
    return found[0] if whole and found else None


def _rows_of(tensors: Mapping[str, Any], rows: slice) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(tensor[rows]) for name, tensor in tensors.items()}


def _padded(array: NDArray[Any], length: int) -> NDArray[Any]:
    """The rows, followed by copies of the last one."""
    missing = length - len(array)
    return np.ascontiguousarray(array if not missing else np.concatenate([array, np.repeat(array[-1:], missing, 0)]))
