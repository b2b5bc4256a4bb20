"""Models over plain HTTP, for apps that speak neither Python nor MCP.

```python
from groundstate_serve import build_app

app = build_app(["sudoku"])  # an ASGI application: uvicorn module:app
```
"""

from groundstate_serve._app import build_app
from groundstate_serve._settings import LOCAL, Settings, settings_for

__all__ = ["LOCAL", "Settings", "build_app", "settings_for"]
