from kdsearch.core.records import Architecture, Candidate, Recipe
from kdsearch.search.trial import Trial


def test_the_rung_is_the_highest_with_a_score() -> None:
    trial = Trial(0, Candidate(Architecture.of({"a": 1}), Recipe("hard")))
    assert (trial.state, trial.rung) == ("running", -1)
    scored = Trial(0, trial.candidate, scores={0: (0.5, 2.0), 2: (0.75, 2.0), 1: (0.6, 2.0)})
    assert scored.rung == 2
