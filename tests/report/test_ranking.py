"""What an audit is said to mean."""

import pytest

from kdsearch.report.ranking import figures, ranking, verdict


def found(tau: float, above: tuple[float, float], low: float = 0.1) -> dict[str, object]:
    of = {"value": tau, "ci95": [low, 0.9]}
    return {
        "tau": of,
        "within": of,
        "macs": {"value": 0.5, "ci95": [0.4, 0.6]},
        "params": {"value": None, "ci95": None},
        "ceiling": {"value": 0.8, "ci95": [0.7, 0.9]},
        "above_macs": {"value": sum(above) / 2, "ci95": list(above)},
        "students": 30,
        "seeds": 2,
        "method": "hard",
        "bins": 3,
    }


@pytest.mark.parametrize(
    ("tau", "above", "low", "means"),
    [
        (0.7, (0.1, 0.3), 0.5, "screening by them is worth its cost"),
        (0.7, (-0.1, 0.3), 0.5, "trust them to drop the worst students"),
        (0.3, (-0.4, -0.1), 0.1, "counting multiply-accumulates ranks better"),
        (0.1, (-0.4, 0.1), -0.2, "not shown to be better than chance"),
    ],
)
def test_the_sentence_follows_from_the_intervals(
    tau: float, above: tuple[float, float], low: float, means: str
) -> None:
    sentence = verdict(found(tau, above, low))
    assert means in sentence
    assert f"{50 * (1 + tau):.0f} of 100 pairs" in sentence and "agree on 90" in sentence


def test_nothing_to_rank_is_said() -> None:
    audit = {**found(0.1, (0, 0.1)), "tau": {"value": None, "ci95": None}}
    assert "no ranking to trust" in verdict(audit)


def test_the_section_shows_every_figure_or_says_that_there_is_none() -> None:
    audit = found(0.7, (0.1, 0.3))
    page = str(ranking({**audit, "verdict": verdict(audit)}))
    for words, tau, ci95 in figures(audit):
        assert words in page and tau in page and ci95 in page
    assert "Not audited" in str(ranking(None))
