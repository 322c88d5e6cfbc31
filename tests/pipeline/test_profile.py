"""Profiles of a run's targets, and what searches and fronts make of their predictions."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kdsearch.config import parse_config
from kdsearch.core.budget import parse
from kdsearch.core.objectives import KNOWN
from kdsearch.core.progress import Silent
from kdsearch.core.records import Architecture
from kdsearch.core.seeds import derive
from kdsearch.data.records import DataInfo
from kdsearch.errors import ConfigError, PredictorError, UserError
from kdsearch.files import write_json
from kdsearch.measure.book import CostBook
from kdsearch.measure.books import Books
from kdsearch.measure.footprint import footprint_of, totals
from kdsearch.measure.latency import Latency
from kdsearch.measure.profile import FromProfile, Profile, profile_of, read_profile
from kdsearch.measure.worth import Work, is_worth_it, measuring_seconds
from kdsearch.pipeline import profile as verb
from kdsearch.pipeline.context import Context, open_context
from kdsearch.pipeline.costs import open_books
from kdsearch.pipeline.data import prepared
from kdsearch.pipeline.jobs import Ground
from kdsearch.pipeline.predicted_front import bias, with_predictions
from kdsearch.pipeline.predicting import Guesses, predicted_targets
from kdsearch.pipeline.predictor_lines import predictor_lines
from kdsearch.pipeline.profile import AGAIN, FILE, architectures_of, profiled, words
from kdsearch.report.devices import predictor as predictor_table
from kdsearch.report.devices import signed
from kdsearch.search.terms import Terms

NETWORKS = 40


class Stopwatch:
    """Stands for measuring: a millisecond for each million MACs and byte, give or take 2 %."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(
        self, book: CostBook, architectures: Sequence[Architecture]
    ) -> Mapping[str, Latency]:
        self.asked.append([a.id for a in architectures])
        return {a.id: self.timed(book, a) for a in architectures}

    def timed(self, book: CostBook, architecture: Architecture) -> Latency:
        whole = totals(footprint_of(book.build, architecture, book.shape))
        rng = np.random.default_rng(derive(0, architecture.id, len(self.asked)))
        ms = (whole["macs"] + whole["bytes"]) / 1e6 * float(np.exp(rng.normal(0, 0.02)))
        return Latency(ms, 1.2 * ms, (0.99 * ms, 1.01 * ms), 3, p99_ms=1.3 * ms)


@pytest.fixture(scope="module")
def context(
    tiny: Callable[..., dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Context:
    folder = tmp_path_factory.mktemp("profile")
    return open_context(parse_config(tiny(store=str(folder))), folder / "run", Silent())


@pytest.fixture(scope="module")
def info(context: Context) -> DataInfo:
    return prepared(context)[1]


@pytest.fixture
def book(context: Context, info: DataInfo, tmp_path: Path) -> CostBook:
    first = open_books(context, info).first
    return replace(first, folder=tmp_path / "book", measure=Stopwatch())


@pytest.fixture(scope="module")
def made(
    context: Context, info: DataInfo, tmp_path_factory: pytest.TempPathFactory
) -> tuple[CostBook, Profile]:
    folder = tmp_path_factory.mktemp("made") / "book"
    first = open_books(context, info).first
    one = replace(first, folder=folder, measure=Stopwatch())
    return one, profiled(context, info, one, NETWORKS)


def stranger(context: Context, profile: Profile) -> Architecture:
    """One that was not measured."""
    points = map(Architecture.of, context.space.space.points())
    return next(a for a in points if a.id not in profile.measured)


def test_every_network_is_measured_once_and_one_in_three_again(
    made: tuple[CostBook, Profile],
) -> None:
    book, profile = made
    counts = [len(names) for names in book.measure.asked]  # type: ignore[attr-defined]
    assert counts == [20, 20, 14]
    assert len(profile.rows) == NETWORKS
    assert sum(row.again is not None for row in profile.rows) == 14
    assert all(r.again != r.latency for r in profile.rows if r.again is not None)
    assert len([*(book.folder / AGAIN).iterdir()]) == 14
    assert read_profile(book.folder / FILE).as_dict() == profile.as_dict()


def test_a_profile_that_was_killed_goes_on(
    context: Context, info: DataInfo, book: CostBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first group: it is not measured again."""
    watch = book.measure

    def stops(one: CostBook, asked: Sequence[Architecture]) -> Mapping[str, Latency]:
        if watch.asked:  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        return watch(one, asked)

    book.measure = stops
    with pytest.raises(KeyboardInterrupt):
        profiled(context, info, book, NETWORKS)
    book.measure = watch
    profiled(context, info, book, NETWORKS)
    names = [n for group in watch.asked[:2] for n in group]  # type: ignore[attr-defined]
    assert sorted(names) == sorted(a.id for a in architectures_of(context.space.space, 40))
    before = len(watch.asked)  # type: ignore[attr-defined]
    profiled(context, info, book, NETWORKS)
    assert len(watch.asked) == before  # type: ignore[attr-defined]


def test_its_quality_is_told_beside_the_ceiling(made: tuple[CostBook, Profile]) -> None:
    found = made[1].quality
    assert found is not None
    assert found.ceiling is not None
    assert found.predicted.within_10_percent > 0.8
    assert found.ceiling.within_10_percent > 0.8
    assert found.is_good
    text = words({"here": made[1]})
    assert text.splitlines()[2].split()[:2] == ["here", "40"]


def test_the_verb_writes_a_file_a_target(
    tiny: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latency = [{"name": "a", "runtime": "eager"}, {"name": "b", "runtime": "eager", "size": 16}]
    config = parse_config(tiny(latency=latency))
    opened = verb.open_books

    def faked(context: Context, info: DataInfo) -> Books:
        books = opened(context, info).by_target
        return Books(
            {
                name: replace(one, folder=tmp_path / name, measure=Stopwatch())
                for name, one in books.items()
            }
        )

    monkeypatch.setattr(verb, "open_books", faked)
    found = verb.profile(config, tmp_path / "run", Silent(), 20)
    assert found["b"].shape == (1, 16, 16)
    paths = verb.write_profiles(found, tmp_path / "out.json")
    assert [path.name for path in paths] == ["out-a.json", "out-b.json"]
    assert read_profile(paths[0], "c").target.name == "c"
    with pytest.raises(UserError, match="a profile of 3 networks"):
        verb.profile(config, tmp_path / "run", Silent(), 3)


def test_a_profile_of_other_networks_is_refused(
    context: Context, made: tuple[CostBook, Profile]
) -> None:
    space, profile = context.space.space, made[1]
    profile.check("resnet", space, profile.shape)
    with pytest.raises(PredictorError, match="another space, of family resnet"):
        profile.check("vit", space, profile.shape)
    with pytest.raises(PredictorError, match="images of 1 x 8 x 8, not of 3 x 8 x 8"):
        profile.check("resnet", space, (3, 8, 8))
    with pytest.raises(PredictorError, match="10 networks were measured; a prediction needs"):
        replace(profile, rows=profile.rows[:10]).check("resnet", space, profile.shape)
    name, values = next((n, v) for n, v in profile.axes.items() if len(v) > 1)
    rows = [r for r in profile.rows * 2 if r.architecture.as_dict()[name] != values[0]]
    with pytest.raises(PredictorError, match=f"no measured network has {name} = {values[0]}"):
        replace(profile, rows=tuple(rows)).check("resnet", space, profile.shape)
    fewer = {**profile.axes, "stage1.width": [2]}
    with pytest.raises(PredictorError, match="profiled without stage1.width = "):
        replace(profile, axes=fewer).check("resnet", space, profile.shape)


@pytest.mark.parametrize("key", ["schema", "target", "networks", "shape", "axes"])
def test_a_file_that_is_no_profile_is_named(
    made: tuple[CostBook, Profile], tmp_path: Path, key: str
) -> None:
    content = made[1].as_dict()
    content[key] = 7
    path = tmp_path / "p.json"
    path.write_text(json.dumps(content))
    with pytest.raises(PredictorError, match="p.json: no profile as `kdsearch profile` writes"):
        read_profile(path)


def test_a_target_s_profile_that_is_not_there_is_named(
    tiny: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    latency = [{"name": "here"}, {"name": "edge", "profile": str(tmp_path / "none.json")}]
    try:
        context = open_context(parse_config(tiny(latency=latency)), tmp_path / "run", Silent())
        open_books(context, prepared(context)[1])
    except (PredictorError, ConfigError) as error:
        assert "none.json" in str(error)
    else:
        pytest.fail("a profile that is not there was taken")


# What a search makes of it.


def terms(*bounds: str) -> Terms:
    return Terms(
        trials=8,
        batch=4,
        fractions=(0.25, 1.0),
        keep_layers=2,
        objectives=(KNOWN["accuracy"], KNOWN["latency_ms"]),
        bounds=tuple(parse(*one.split("=")) for one in bounds),
        seed=0,
    )


def guesses(
    made: tuple[CostBook, Profile], folder: Path, *bounds: str
) -> tuple[Guesses, Stopwatch]:
    book, profile = made
    watch = Stopwatch()
    fresh = replace(book, measure=watch)
    name = book.target.name
    largest = {"latency_ms": max(row.latency.p50_ms for row in profile.rows)}
    return (
        Guesses(Books({name: fresh}), {name: profile}, terms(*bounds), largest, folder),
        watch,
    )


def test_a_prediction_is_stored_before_it_is_used_and_kept(
    context: Context, made: tuple[CostBook, Profile], tmp_path: Path
) -> None:
    book, profile = made
    asked, (guess, watch) = stranger(context, profile), guesses(made, tmp_path)
    found = guess([asked])[asked.id]
    assert watch.asked == []
    path = tmp_path / book.folder.name / f"{asked.id}.json"
    stored = json.loads(path.read_text())
    assert stored["predicted"]
    assert stored["p50_ms"] == found["latency_ms"]
    assert found["latency_ms"] <= found["latency_p95_ms"] <= found["latency_p99_ms"]
    path.write_text(json.dumps({**stored, "p50_ms": 7.0}))
    assert guess([asked])[asked.id]["latency_ms"] == 7.0


def test_what_was_measured_is_not_predicted(
    made: tuple[CostBook, Profile], tmp_path: Path
) -> None:
    guess, _ = guesses(made, tmp_path)
    row = made[1].rows[0]
    assert guess([row.architecture])[row.architecture.id]["latency_ms"] == row.latency.p50_ms


def test_a_candidate_unlike_all_that_was_profiled_is_measured(
    context: Context, made: tuple[CostBook, Profile], tmp_path: Path
) -> None:
    book, profile = made
    asked, (guess, watch) = stranger(context, profile), guesses(made, tmp_path)
    few = replace(profile, rows=profile.rows[:10])
    guess = replace(guess, profiles={book.target.name: few})
    try:
        found = guess([asked])[asked.id]
        assert watch.asked == [[asked.id]]
        assert found["latency_ms"] == guess.said(book, few, asked).p50_ms
    finally:
        (book.folder / f"{asked.id}.json").unlink(missing_ok=True)


def test_where_a_bound_lies_inside_of_the_interval_it_is_measured(
    context: Context, made: tuple[CostBook, Profile], tmp_path: Path
) -> None:
    asked = stranger(context, made[1])
    guess, _ = guesses(made, tmp_path / "a")
    (book,) = guess.books.by_target.values()
    timed = guess.said(book, made[1], asked)
    beyond, inside = 2 * timed.ci95[1], timed.p50_ms
    try:
        for limit, measured in ((beyond, 0), (inside, 1)):
            guess, watch = guesses(made, tmp_path / str(measured), f"latency_ms={limit}")
            guess([asked])
            assert len(watch.asked) == measured
    finally:
        (book.folder / f"{asked.id}.json").unlink(missing_ok=True)


def work(**changed: Any) -> Work:
    return replace(Work(candidates=1000, networks=160, rounds=30, typical=10.0), **changed)


def test_predicting_is_worth_it_where_there_are_many_slow_candidates() -> None:
    """A network of 10 ms: 0.1 s to prepare, 30 rounds of an untimed call and two timed ones."""
    assert measuring_seconds(30, 10.0) == pytest.approx(0.1 + 30 * 0.03)
    assert is_worth_it(work())
    assert not is_worth_it(work(candidates=40))
    assert not is_worth_it(work(typical=0.01, rounds=1))
    assert is_worth_it(work(candidates=100, networks=0))


@pytest.mark.parametrize(
    ("predict", "candidates", "names"),
    [("never", 10**6, 0), ("always", 1, 1), ("auto", 1, 0), ("auto", 10**6, 1)],
)
def test_a_search_predicts_as_the_config_says(  # noqa: PLR0913  pytest hands them in
    tiny: Callable[..., dict[str, Any]],
    context: Context,
    info: DataInfo,
    made: tuple[CostBook, Profile],
    monkeypatch: pytest.MonkeyPatch,
    predict: str,
    candidates: int,
    names: int,
) -> None:
    from kdsearch.pipeline import predicting

    monkeypatch.setattr(predicting, "NETWORKS", NETWORKS)
    monkeypatch.setattr(predicting, "profiled", lambda *_: made[1])
    asking = replace(context, config=parse_config(tiny(latency={"predict": predict})))
    books = Books({made[0].target.name: made[0]})
    ground = Ground(Path(), info, None, None, books, {})
    found = predicted_targets(asking, ground, terms(), candidates, f"{predict}{candidates}")
    assert len(found) == names
    if predict == "auto":
        later = predicted_targets(asking, ground, terms(), 10**6, "auto1")
        assert not later, "decided once, whatever is worth it by then"
        one = replace(made[0], target=replace(made[0].target, name="renamed"))
        ground = replace(ground, books=Books({"renamed": one}))
        latency = {"predict": "auto", "name": "renamed"}
        asking = replace(context, config=parse_config(tiny(latency=latency)))
        later = predicted_targets(asking, ground, terms(), 1, f"auto{candidates}")
        assert len(later) == names, "whatever the target is called by then"


# What a front tells of it.


def test_a_front_tells_how_predictions_compare_with_measurements(
    context: Context, made: tuple[CostBook, Profile]
) -> None:
    """Measured at twice what the profile's stopwatch shows: the ratio is a half."""
    book, profile = made
    name = book.target.name
    points = [
        {
            "id": f"s{n}",
            "architecture": row.architecture.as_dict(),
            "latency": {name: {"p50": 2 * row.latency.p50_ms}},
        }
        for n, row in enumerate(profile.rows[:6])
    ]
    content = with_predictions({"points": points}, Books({name: book}), context.space.space)
    told = content["predictor"][name]
    assert told["bias_on_front"]["ratio"] == pytest.approx(0.5, rel=0.1)
    assert told["bias_on_front"]["students"] == 6
    assert told["bias_on_front"]["within_10_percent"] == 0
    assert told["networks"] == NETWORKS
    said = content["points"][0]["predicted_latency"][name]
    assert said["interval90"][0] <= said["p50"] <= said["interval90"][1]
    (line,) = predictor_lines(content)
    assert "on this front predicted / measured 0.5" in line
    shown = predictor_table(content["predictor"])
    assert signed(told["bias_on_front"]["ratio"]) in shown and " to " in shown
    json.dumps(content)


@pytest.mark.parametrize("networks", [10, NETWORKS])
def test_a_front_is_published_whatever_its_predictor_can_say(
    context: Context, made: tuple[CostBook, Profile], tmp_path: Path, networks: int
) -> None:
    """Of ten networks it says nothing, of a student beyond those measured neither."""
    book, profile = made
    ordered = sorted(profile.rows, key=lambda row: totals(row.footprint)["macs"])
    kept = replace(profile, rows=tuple(ordered[:networks][:-1]), known_quality=None)
    kept.write(tmp_path / FILE)
    architecture, name = ordered[-1].architecture.as_dict(), book.target.name
    point = {"architecture": architecture, "latency": {name: {"p50": 1.0}}}
    books = Books({name: replace(book, folder=tmp_path)})
    content = with_predictions({"points": [point]}, books, context.space.space)
    assert "predicted_latency" not in content["points"][0]
    assert ("predictor" in content) == (networks == NETWORKS)
    assert len(predictor_lines(content)) == (networks == NETWORKS)


def test_a_profile_of_another_space_says_nothing_of_a_front(
    context: Context, made: tuple[CostBook, Profile], tmp_path: Path
) -> None:
    book, profile = made
    axes = {**profile.axes, "stage1.width": [2, 3]}
    replace(profile, axes=axes).write(tmp_path / FILE)
    name, row = book.target.name, profile.rows[0]
    point = {"architecture": row.architecture.as_dict(), "latency": {name: {"p50": 1.0}}}
    books = Books({name: replace(book, folder=tmp_path)})
    content = with_predictions({"points": [point]}, books, context.space.space)
    assert "predictor" not in content


def test_without_a_profile_a_front_stays_as_it_is(context: Context, book: CostBook) -> None:
    content = {"points": []}
    books = Books({"here": book})
    assert with_predictions(content, books, context.space.space) == content
    assert predictor_lines({"points": []}) == []


def test_few_students_have_a_ratio_without_an_interval() -> None:
    assert bias([1.0, 1.2])["ratio"] == pytest.approx(1.1)
    assert bias([1.0, 1.2])["ci95"] is None
    assert bias([])["ratio"] is None


def test_what_was_only_predicted_is_named() -> None:
    point = {"id": "s1", "latency": {"edge": {"p50": 1.0, "predicted": True}}}
    (line,) = predictor_lines({"points": [point], "targets": {"edge": {}}})
    assert line.startswith("predicted on edge, not measured there: s1; `kdsearch profile")


def test_a_student_measured_on_the_device_since_is_not_predicted(
    context: Context, made: tuple[CostBook, Profile], tmp_path: Path
) -> None:
    book, profile = made
    asked, there = stranger(context, profile), FromProfile(profile, book.build)
    again = replace(book, folder=tmp_path, measure=there)
    (said,) = again.latencies([asked]).values()
    assert said.predicted
    known = replace(said, predicted=False)
    write_json(tmp_path / f"{asked.id}.json", asdict(known))
    assert again.measured([asked]) == {asked.id: known}


def test_rows_of_a_profile_come_back_whole(made: tuple[CostBook, Profile]) -> None:
    profile = made[1]
    again = profile_of(json.loads(json.dumps(profile.as_dict())))
    assert [asdict(row.latency) for row in again.rows] == [
        asdict(row.latency) for row in profile.rows
    ]
    assert again.identity == profile.identity
