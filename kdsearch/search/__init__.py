"""The search: the study proposes, climb.py decides, an engine executes what rung.py does."""
