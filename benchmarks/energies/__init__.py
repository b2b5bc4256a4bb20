"""Other people's energies, exported and held against PyTorch: ``python -m benchmarks.energies FOLDER``.

FOLDER holds checkouts of public repositories, each under its own name (``FOLDER/ired_code_release``). Nothing of them is part of
this project: each entry imports its energy from the checkout, builds it small with random weights in evaluation mode, and states
what the state and the inputs are, as a user of the exporter would.
"""
