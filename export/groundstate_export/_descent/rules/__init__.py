"""Rules of descent: how the gradient of the energy moves the state. One per file; `docs/rules.md` lists them all."""
