"""One file per verb; run.py reads as the story of a run."""
