"""The only folder that knows Optuna: the journal of a search, and what samplers propose."""
