"""Plain data and pure functions: no torch, no Optuna, no Ray, no YAML, no disk."""
