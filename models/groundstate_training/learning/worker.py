"""Learns in a process of its own: a request on the standard input, a record on the standard output, a file within a budget.

Started by `groundstate_models.learned.learning.LearnTool`. The request is that tool's arguments with ``name``, ``path`` and
``budget``.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any

MOST_QUESTIONS = 5


def limit(budget: dict[str, Any]) -> None:
    """Limit this process: time, memory, size of files. Only the time is limited, by the parent, where limits are unknown."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows
        return
    seconds = math.ceil(budget["seconds"]) + 1
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, budget["memory"]),
        (resource.RLIMIT_FSIZE, budget["file"]),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def learned(request: dict[str, Any]) -> dict[str, Any]:
    """Learn, write the file, and report."""
    from groundstate_export import ExportError
    from groundstate_training import TrainingError, learn

    try:
        model = learn(
            request["examples"],
            kind=request.get("kind"),
            known=request.get("known", []),
            possible=request.get("possible", []),
            impossible=request.get("impossible", []),
        )
        model.export(request["path"], name=request["name"])
    except MemoryError:
        size = request["budget"]["memory"] / (1 << 30)
        return {"error": f"Learning needs more than its {size:g} GiB of memory. Send fewer examples or variables."}
    except (TrainingError, ExportError, OSError) as error:
        return {"error": str(error)}
    questions = [
        {"text": question.text, "case": question.options[0].patch[0]["value"]}
        for question in model.questions[:MOST_QUESTIONS]
    ]
    return {"report": model.report.splitlines(), "questions": questions}


def main() -> None:
    """Read the request, learn, write the record."""
    request = json.loads(sys.stdin.read())
    limit(request["budget"])
    print(json.dumps(learned(request), ensure_ascii=False))


if __name__ == "__main__":
    main()
