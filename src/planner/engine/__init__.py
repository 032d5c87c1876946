"""The planning engine: pure functions on floats or NumPy arrays; `estimate.evaluate` is its door."""
