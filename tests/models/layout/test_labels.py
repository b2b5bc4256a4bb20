"""Labels of a chart: beside their points, over nothing, moved in place by the helper for matplotlib."""

from __future__ import annotations

import numpy as np
import pytest

from groundstate_models.layout.labels import place, place_labels, request
from groundstate_models.layout.request import read


def clashes(boxes: np.ndarray) -> int:  # type: ignore[type-arg]
    found = 0
    for k in range(len(boxes)):
        for n in range(k + 1, len(boxes)):
            a, b = boxes[k], boxes[n]
            found += a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    return found


@pytest.mark.parametrize("count", [1, 20, 60])
def test_labels_overlap_neither_each_other_nor_a_point(count: int) -> None:
    draw = np.random.default_rng(count)
    points, sizes = (
        draw.uniform(20, 580, (count, 2)),
        np.column_stack([draw.uniform(25, 55, count), np.full(count, 11.0)]),
    )
    placed = place(points, sizes, (0, 0, 640, 600))
    assert placed.overlapping == ()
    assert clashes(placed.boxes) == 0
    for x, y in points:
        assert not any(b[0] < x < b[2] and b[1] < y < b[3] for b in placed.boxes)
    assert np.allclose(placed.boxes[:, 2:] - placed.boxes[:, :2], sizes)


def test_a_label_alone_takes_the_preferred_place() -> None:
    (box,) = place(np.array([[50.0, 50.0]]), np.array([[30.0, 10.0]]), gap=2.0).boxes
    assert box[0] > 50
    assert box[1] > 50


def test_what_cannot_be_placed_is_named() -> None:
    placed = place(np.array([[5.0, 5.0]]), np.array([[30.0, 10.0]]), (0, 0, 10, 10))
    assert placed.overlapping == (0,)


def test_no_labels_are_no_error() -> None:
    assert place(np.zeros((0, 2)), np.zeros((0, 2))).overlapping == ()


def test_the_request_for_the_model_is_read() -> None:
    points = np.array([[10.0, 10.0], [12.0, 11.0]])
    plan = read(request(points, np.array([[20.0, 8.0]] * 2), ["a", "b"], (0, 0, 100, 100)))
    assert len(plan.items) == 4


def test_texts_of_a_chart_are_moved_apart() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3))
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    x, y = [1.0, 1.02, 1.04, 2.0], [1.0, 1.01, 1.0, 2.0]
    axes.scatter(x, y)
    texts = [axes.text(a, b, f"label {k}") for k, (a, b) in enumerate(zip(x, y, strict=True))]
    axes.set_xlim(0, 3)
    axes.set_ylim(0, 3)
    canvas.draw()
    before = place_labels(axes, texts, x, y)
    canvas.draw()
    boxes = [one.get_window_extent(canvas.get_renderer()) for one in texts]
    found = np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes])
    assert before.overlapping == ()
    assert clashes(found + np.array([0.5, 0.5, -0.5, -0.5])) == 0


@pytest.mark.parametrize("layout", [None, "constrained"])
@pytest.mark.parametrize("aspect", ["auto", "equal"])
def test_texts_of_a_chart_that_was_never_drawn_are_moved_apart(layout: str | None, aspect: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout=layout)  # type: ignore[arg-type]
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_aspect(aspect)  # type: ignore[arg-type]
    x, y = np.random.default_rng(3).normal(size=(2, 30))
    axes.scatter(x, y)
    texts = [axes.text(a, b, f"city {k}", fontsize=7) for k, (a, b) in enumerate(zip(x, y, strict=True))]
    placed = place_labels(axes, texts, x, y)
    canvas.draw()
    boxes = [one.get_window_extent(canvas.get_renderer()) for one in texts]
    found = np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes])
    assert placed.overlapping == ()
    assert found == pytest.approx(placed.boxes, abs=1.5)
    assert clashes(found + np.array([0.5, 0.5, -0.5, -0.5])) == 0
