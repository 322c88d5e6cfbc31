"""The command line: every verb's answer, every mistake in one line, questions at once."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from kdsearch import cli
from kdsearch.arguments import LISTED
from kdsearch.config import parse_config
from kdsearch.errors import KdsearchError
from kdsearch.files import read_json
from kdsearch.rundir import RunDir
from kdsearch.spaces.marked import read_text

Files = dict[str, str]


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs a command in this process."""

    def said(*argv: str | Path) -> Said:
        capfd.readouterr()
        try:
            code = cli.main([str(word) for word in argv])
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfd.readouterr()
        return Said(code, out, err)

    return said


@pytest.fixture
def config(tiny: Any, tmp_path: Path) -> Path:
    """The finished run's config as a file."""
    path = tmp_path / "tiny.yaml"
    path.write_text(json.dumps(tiny()))
    return path


@pytest.fixture
def files(config: Path, finished: RunDir, tmp_path: Path) -> Files:
    """Words in braces of a command line: '{run}' is the finished run."""
    points = read_json(finished.front)["points"]
    return {
        "run": str(finished.root),
        "config": str(config),
        "tmp": str(tmp_path),
        "student": points[0]["id"],
        "typo": points[0]["id"] + "x",
    }


# Every verb.


def test_init_writes_a_config_to_stdout(say: Any) -> None:
    said = say("init", "--max", "latency_ms=5")
    assert (said.code, said.err) == (0, "")
    assert parse_config(read_text(said.out, "init").content).budget.latency_ms == 5


def test_check_prints_every_value_and_what_it_will_take(say: Any, config: Path) -> None:
    said = say("check", config, "--set", "search.trials=5")
    assert said.code == 0
    assert parse_config(read_text(said.out, "check").content).search.trials == 5
    seconds, disk, free, target = [
        line for line in said.out.splitlines() if "warning" not in line
    ][-4:]
    assert seconds.startswith("# time expected, roughly: ")
    assert disk.startswith("# disk expected, roughly, at most: ")
    assert free.startswith("# disk free: ")
    assert target.startswith("# target onnxruntime, 1 thread, batch 1: onnxruntime on ")
    assert "smallest student " in target and "largest student " in target


def test_run_shows_the_front_and_tells_progress_on_stderr(
    say: Any, config: Path, finished: RunDir
) -> None:
    said = say("run", config, "--out", finished.root)
    assert said.code == 0
    ids = [p["id"] for p in read_json(finished.front)["points"]]
    assert [line.split()[0] for line in said.out.splitlines()[2 : 2 + len(ids)]] == ids
    assert said.out.splitlines()[-1] == f"report: {finished.report}"
    assert said.err.startswith("data: digits, 10 classes, 8 px; ")
    assert "data:" not in said.out


def test_run_goes_to_runs_and_the_configs_name(
    say: Any, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert say("run", config, "--until", "data").code == 0
    assert RunDir(Path("runs/tiny")).config.exists()


def test_run_takes_values_in_place_of_the_files(say: Any, config: Path, tmp_path: Path) -> None:
    words = ["--set", "seed=3", "search.trials=4", "--set", "distill.learning_rate=1e-2"]
    assert say("run", config, "--out", tmp_path / "run", "--until", "data", *words).code == 0
    content = read_text((tmp_path / "run" / "config.yaml").read_text(), "config").content
    assert (content["seed"], content["search"]["trials"]) == (3, 4)
    assert content["distill"]["learning_rate"] == 0.01


@pytest.mark.slow
def test_distill_hands_one_student_over(say: Any, config: Path, tmp_path: Path) -> None:
    words = ["--out", tmp_path / "one", "--set", "distill.methods=[hard]", "distill.epochs=1"]
    said = say("distill", config, *words)
    assert said.code == 0
    first, *_, last = said.out.splitlines()
    card = read_json(tmp_path / "one" / "student" / "card.json")
    assert first.startswith(f"taught by hard: test accuracy {card['test_accuracy']:.1%} (")
    assert last == f"files: {tmp_path / 'one' / 'student'}"
    again = say("distill", config, *words)
    assert (again.code, again.out) == (0, said.out)
    assert "nothing was done again" in again.err


@pytest.mark.slow
def test_compare_shows_a_table_and_its_json(say: Any, config: Path, tmp_path: Path) -> None:
    words = ["compare", config, "--methods", "dist@tau=2", "--seeds", "1"]
    words += ["--out", tmp_path / "run", "--set", "distill.epochs=1"]
    said = say(*words)
    assert said.code == 0
    assert said.out.startswith("At equal epochs: 8 steps each, 1 seed, so no intervals; ")
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines[3:6]] == ["hard", "soften", "dist@tau=2"]
    page = tmp_path / "run" / "comparison.html"
    assert lines[-1] == f"page: {page}" and page.exists()
    content = say(*words, "--json").json
    assert content == read_json(tmp_path / "run" / "comparison.json")
    assert [row["name"] for row in content["methods"]] == ["hard", "soften", "dist@tau=2"]


def test_status_says_what_is_done(say: Any, finished: RunDir) -> None:
    said = say("status", finished.root)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"{finished.root}: nobody at work\n")
    content = say("status", finished.root, "--json").json
    assert set(content["stages"].values()) == {"done"}
    assert sum(content["trials"].values()) == 8
    assert content["front"] == len(read_json(finished.front)["points"])
    assert content["busy"] is False


def test_status_sees_that_somebody_is_at_work(say: Any, finished: RunDir) -> None:
    with finished.writing():
        assert say("status", finished.root, "--json").json["busy"] is True
        assert say("query", finished.root).code == 0, "who asks is not in the way"


def test_front(say: Any, finished: RunDir) -> None:
    said = say("front", finished.root)
    points = read_json(finished.front)["points"]
    assert (said.code, said.err) == (0, "")
    rows = [line.split()[0] for line in said.out.splitlines()[2:-1]]
    assert [name for name in rows if name != "latency:"] == [p["id"] for p in points]
    assert say("front", finished.root, "--json").json == read_json(finished.front)


def test_trials(say: Any, finished: RunDir) -> None:
    said = say("trials", finished.root)
    assert (said.code, len(said.out.splitlines())) == (0, 2 + 8)
    rows = list(csv.DictReader(io.StringIO(say("trials", finished.root, "--csv").out)))
    assert [int(row["number"]) for row in rows] == list(range(8))
    assert {"state", "rung", "accuracy", "cost", "method", "stage1.width", "reason"} <= set(
        rows[0]
    )


def test_query_and_its_json(say: Any, finished: RunDir) -> None:
    best = max(read_json(finished.front)["points"], key=lambda p: p["search_accuracy"])
    said = say("query", finished.root, "--max", "params=100%", "--min", "accuracy=0.01")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"{best['id']}: ")
    content = say("query", finished.root, "--max", "params=100%", "--json").json
    assert content["student"] == best
    assert set(content) == {"student", "margins", "others", "students"}
    assert content["margins"]["params <= 100%"] >= 0
    (row,) = content["students"]
    assert (row["id"], row["confidence_of_all"]) == (best["id"], 1.0)


def test_a_query_for_several_is_a_table(say: Any, finished: RunDir) -> None:
    points = read_json(finished.front)["points"]
    ranked = sorted(points, key=lambda p: -p["search_accuracy"])
    asked = ["query", finished.root, "--max", "latency_ms.p95=1000%", "--top", "3"]
    lines = say(*asked).out.splitlines()
    assert lines[0].split("  ")[0] == "student" and "latency_p95_ms <= 1000%" in lines[0]
    assert [line.split()[0] for line in lines[2:4]] == [p["id"] for p in ranked[:2]]
    content = say(*asked, "--json").json
    assert [one["id"] for one in content["students"]] == [p["id"] for p in ranked[:3]]
    assert say("query", finished.root, "--top", "0").code == 2


def test_a_budget_that_cannot_be_met_is_exit_3(say: Any, finished: RunDir) -> None:
    said = say("query", finished.root, "--max", "macs=1")
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("kdsearch: no student keeps macs <= 1; nearest is s")
    assert len(said.err.splitlines()) == 1
    refused = say("query", finished.root, "--max", "macs=1", "--json")
    assert refused.code == 3
    assert refused.json["student"] is None
    least = read_json(finished.front)["space"]["smallest"]["macs"]
    assert (refused.json["bound"], refused.json["least"]) == ("macs <= 1", least)
    assert f"kdsearch: {refused.json['reason']}\n" == refused.err
    assert say("export", finished.root, "--max", "macs=1", "--to", "nowhere").code == 3


def test_deliver_says_what_it_would_do(say: Any, finished: RunDir, tmp_path: Path) -> None:
    best = max(read_json(finished.front)["points"], key=lambda p: p["search_accuracy"])
    asked = ["deliver", finished.root, "--to", tmp_path / "out", "--dry-run", "--max"]
    said = say(*asked, "params=100%")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"{best['id']}: ")
    assert "  is trained to the end already; then it is measured again, and" in said.out
    content = say(*asked, "params=100%", "--json").json
    assert (content["student"], content["trained"], content["seconds"]) == (best["id"], True, 0)
    among = say(*asked, "params=100%", "--among", "trials", "--json").json
    assert among["trained"] or among["seconds"] > 0
    refused = say(*asked, "macs=1", "--json")
    assert (refused.code, refused.json["bound"]) == (3, "macs <= 1")
    assert not (tmp_path / "out").exists() and not finished.delivered.exists()


@pytest.mark.slow
def test_export_by_budget_in_both_formats(say: Any, finished: RunDir, tmp_path: Path) -> None:
    best = max(read_json(finished.front)["points"], key=lambda p: p["search_accuracy"])
    said = say("export", finished.root, "--max", "params=100%", "--to", tmp_path / "out")
    assert said.code == 0
    assert said.out.startswith(f"{best['id']} handed over to {tmp_path / 'out'}\n")
    assert said.out.count("100.0% of 256") == 2
    found = {p.name for p in (tmp_path / "out").iterdir()}
    files = {"model.safetensors", "config.json", "model.onnx", "check.safetensors"}
    assert found == files | {"card.json", "README.md"}
    assert say("verify", tmp_path / "out").code == 0


def test_report_prints_its_path(say: Any, copied: RunDir) -> None:
    copied.report.unlink()
    said = say("report", copied.root)
    assert (said.code, said.out) == (0, f"{copied.report}\n")
    assert copied.report.read_text().lower().startswith("<!doctype html>")


def test_explain_and_its_json(say: Any, finished: RunDir) -> None:
    content = say("explain", finished.root, "--json").json
    assert [one["objective"] for one in content["importance"]] == ["accuracy", "macs"]
    said = say("explain", finished.root)
    assert said.code == 0
    assert "too few to tell what matters" in said.out
    for step in content["steps"]:
        assert step["from"] in said.out and step["to"] in said.out


def test_clean_says_what_it_would_free_and_frees_it(say: Any, copied: RunDir) -> None:
    old = copied.trials("0123456789abcdef") / "0000" / "checkpoint.safetensors"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"x" * 1234)
    would = say("clean", copied.root, "--dry-run", "--json").json
    assert would["dry"] and old.exists()
    assert would["removed"]["checkpoints of earlier searches"] == {"files": 1, "bytes": 1234}
    said = say("clean", copied.root)
    assert said.code == 0 and not old.exists()
    assert said.out.startswith(f"{copied.root}: freed ")


@pytest.mark.parametrize("what", LISTED)
def test_what_a_config_may_name(say: Any, what: str) -> None:
    said = say(what)
    assert (said.code, said.err) == (0, "")
    rows = say(what, "--json").json
    assert rows and all(row["name"] for row in rows)
    for row in rows:
        assert row["name"] in said.out


def test_the_methods_fit_a_terminal(say: Any) -> None:
    assert max(map(len, say("methods").out.splitlines())) <= 100


@pytest.mark.parametrize("what", LISTED)
def test_whatever_is_listed_says_what_it_is(say: Any, what: str) -> None:
    told = [row["about"] for row in say(what, "--json").json]
    assert all(len(about) > 10 and not about.startswith("See ") for about in told)


def test_version(say: Any) -> None:
    assert say("--version").out.startswith("kdsearch 0.")


# Every mistake: exit 2 and one line that says the rule, the value and the way out.

MISTAKES = {
    "no run": (
        "query {tmp}/none",
        "{tmp}/none: no run here; `kdsearch run CONFIG --out {tmp}/none`",
    ),
    "no run, status": ("status {tmp}/none", "{tmp}/none: no run here; `kdsearch run CONFIG"),
    "no run, front": ("front {tmp}/none", "{tmp}/none: no run here; `kdsearch run CONFIG"),
    "no run, trials": ("trials {tmp}/none", "{tmp}/none: no run here; `kdsearch run CONFIG"),
    "no run, report": ("report {tmp}/none", "{tmp}/none: no run here; `kdsearch run CONFIG"),
    "no run, export": (
        "export {tmp}/none --student s001 --to {tmp}/out",
        "{tmp}/none: no run here; `kdsearch run CONFIG",
    ),
    "unknown student": (
        "export {run} --student {typo} --to {tmp}/out",
        "no student '{typo}' on the front; did you mean '{student}'?",
    ),
    "no student": (
        "export {run} --to {tmp}/out",
        "export which student? --student ID or --max",
    ),
    "unknown format": (
        "export {run} --student {student} --to {tmp}/out --format safetensor",
        "unknown format 'safetensor'; did you mean 'safetensors'?",
    ),
    "unknown bound": ("query {run} --max latency=5", "unknown bound 'latency'; did you mean"),
    "bad bound": (
        "query {run} --max params=few",
        "params = 'few'; a bound is a number above 0",
    ),
    "no value": ("query {run} --max params", "'params' is no bound; the form is"),
    "no config": ("run {tmp}/none.yaml", "{tmp}/none.yaml"),
    "unknown key": (
        "run {config} --set search.trails=5",
        "--set search.trails=5: search.trails: unknown key; did you mean 'trials'?",
    ),
    "wrong value": ("run {config} --set search.trials=many", "--set search.trials=many: "),
    "no form": (
        "run {config} --set search.trials",
        "--set search.trials: must have the form a.b=",
    ),
    "two workers": (
        "run {config} --out {tmp}/run --set search.workers=2",
        "--set search.workers=2: search.workers = 2: engine in-process has one; set "
        "search.engine: ray-tune",
    ),
    "small images": (
        "run {config} --out {tmp}/run --set data.size=4",
        "data.size: images of 4 px, but space resnet-tiny is for 8 to 32 px; set data.size",
    ),
    "no teacher": ("run {config} --set teacher.training=none", "--set teacher.training=none: "),
    "unknown space": ("run {config} --set space=resnet-tny", "--set space=resnet-tny: "),
    "unknown data": ("run {config} --set data.name=digts", "--set data.name=digts: "),
    "a file for a run": (
        "run {config} --out {config}",
        "{config}: cannot be a folder (a file ",
    ),
    "below a file": (
        "check {config} --set store={config}",
        "{config}/data: cannot be a folder (Not a directory)",
    ),
    "unknown method": (
        "compare {config} --out {tmp}/run --methods sofen",
        "unknown method 'sofen'; did you mean 'soften'?",
    ),
    "unknown knob": (
        "compare {config} --out {tmp}/run --methods soften@temperatures=2",
        "method 'soften': unknown knob 'temperatures'; did you mean 'temperature'?",
    ),
    "no seeds": (
        "compare {config} --out {tmp}/run --methods soften --seeds 0",
        "--seeds 0: needs at least 1; 3 or more give intervals",
    ),
    "two recipes": (
        "distill {config} --out {tmp}/run",
        "distill teaches by one method; distill.methods names 2: --set 'distill.methods=",
    ),
    "unknown network": (
        "distill {config} --out {tmp}/run --set student.network=torchvison:resnet18",
        "--set student.network=torchvison:resnet18: student.network",
    ),
    "init": ("init --max latency=5", "unknown bound 'latency'; did you mean 'latency_ms'?"),
}


@pytest.mark.parametrize(("words", "line"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_exit_2(
    say: Any, files: Files, words: str, line: str
) -> None:
    said = say(*words.format(**files).split())
    assert said.out == ""
    *progress, last = said.err.splitlines()
    assert last.startswith(f"kdsearch: {line.format(**files)}")
    assert not any("Traceback" in text for text in progress)
    assert said.code == 2


def test_no_gpu_is_a_mistake_too(
    say: Any, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    said = say("run", config, "--out", tmp_path / "run", "--set", "device=cuda")
    assert said.code == 2
    line = (
        "kdsearch: device: cuda, but torch finds no GPU here, where teacher and supernet "
        "train; use auto (jobs on Ray then take the GPUs that they are given) or cpu\n"
    )
    assert said.err == line


def test_a_busy_run_is_left_alone(say: Any, config: Path, tmp_path: Path) -> None:
    with RunDir(tmp_path / "run").writing():
        said = say("run", config, "--out", tmp_path / "run")
    assert said.code == 2
    assert said.err.startswith(
        f"kdsearch: {tmp_path / 'run'}: another process is at work here; "
    )
    assert len(said.err.splitlines()) == 1


def test_a_question_that_comes_too_early_says_how_far_the_run_is(
    say: Any, config: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert say("run", config, "--out", run, "--until", "data").code == 0
    for verb, line in (
        ("front", "no front.json yet; "),
        ("trials", "the search has not begun; "),
    ):
        said = say(verb, run)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith(f"kdsearch: {run}: {line}")
        assert "kdsearch status" in said.err and len(said.err.splitlines()) == 1
    status = say("status", run, "--json").json
    assert status["stages"] == {
        "data": "done", "teacher": "not yet", "supernet": "not yet", "search": "not yet",
        "finalists": "not yet", "report": "not yet",
    }  # fmt: skip
    assert say("report", run).code == 0


def test_a_damaged_journal_is_one_line(say: Any, copied: RunDir) -> None:
    journal = copied.journal(copied.facts()["study"])
    first, _, *rest = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([first, "garbage\n", *rest]))
    for verb in ("status", "trials", "report"):
        said = say(verb, copied.root)
        line = f"{journal}: a record is damaged; remove {journal}, and the command that made it"
        assert (said.code, said.err) == (2, f"kdsearch: {line} makes it again\n")


@pytest.mark.parametrize("content", ['{"points": [', "[]", ""])
@pytest.mark.parametrize("name", ["front", "state", "ledger"])
def test_a_damaged_file_of_a_run_is_one_line(
    say: Any, copied: RunDir, name: str, content: str
) -> None:
    path = getattr(copied, name)
    path.write_text(content)
    said = say("status", copied.root)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"kdsearch: {path}: not ")
    assert said.err.endswith(f"; remove {path}, and the command that made it makes it again\n")


@pytest.mark.parametrize("port", ["99999", "0", "-1", "80.5", "http"])
def test_a_port_is_a_ports_number(say: Any, port: str) -> None:
    said = say("dashboard", "x", "--port", port)
    assert said.code == 2
    line = f"argument --port: '{port}': must be a whole number from 1 to 65535; "
    assert line in said.err and len(said.err.splitlines()) == 1


def test_an_unknown_verb_and_an_unknown_flag_are_exit_2(say: Any) -> None:
    for words in (["qurey", "x"], ["query", "x", "--maximum", "y"], [], ["run"]):
        said = say(*words)
        assert said.code == 2
        assert "Traceback" not in said.err


def caused_by(cause: BaseException) -> RuntimeError:
    """As Python 3.11 raises it where a class was being made."""
    error = RuntimeError("Error calling __set_name__")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code", "last"),
    [
        (KdsearchError("a rule"), 1, "kdsearch: a rule"),
        (KdsearchError("a rule:\nof two lines"), 1, "kdsearch: a rule: of two lines"),
        (KeyboardInterrupt(), 130, "kdsearch: stopped; the same command goes on from here"),
        (caused_by(KeyboardInterrupt()), 130, cli.STOPPED),
        (RuntimeError("?"), 1, f"kdsearch: {cli.ISSUES}"),
        (
            SystemExit(0),
            2,
            "kdsearch: code that a config names called sys.exit(0); "
            "let it raise an error instead",
        ),
        (
            RuntimeError("can't allocate memory: you tried to allocate 9 bytes. Error code 12"),
            2,
            "kdsearch: out of memory (9 bytes asked for); "
            "a smaller batch_size, data.limit or teacher.width needs less",
        ),
        (PermissionError(13, "Permission denied", "x"), 2, "kdsearch: x: permission denied"),
    ],
)
def test_how_other_ends_are_told(
    say: Any, error: BaseException, code: int, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising() -> None:
        raise error

    monkeypatch.setattr("kdsearch.pipeline.listing.LISTINGS", {"methods": raising})
    said = say("methods")
    assert (said.code, said.err.splitlines()[-1]) == (code, last)
    assert ("Traceback" in said.err) == (code == 1 and not isinstance(error, KdsearchError))


# What a question may not load.

HEAVY = {"torch", "torchvision", "ray", "onnx", "onnxruntime", "sklearn", "scipy"}


def imported(*words: str) -> set[str]:
    """Top-level packages that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kdsearch", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip() for line in lines}
    assert "kdsearch.cli" in names
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "run --help",
        "query {run} --max params=100%",
        "query {run} --max latency_ms.p95=1000% --min accuracy=0.01 --top 3 --json",
        "front {run} --json",
    ],
)
def test_a_question_loads_nothing_heavy(words: str, files: Files) -> None:
    found = imported(*words.format(**files).split())
    assert not found & {*HEAVY, "optuna", "numpy", "pydantic", "yaml"}


@pytest.mark.parametrize(
    "words",
    [
        "status {run}",
        "trials {run}",
        "query {run} --max macs=100% --among trials",
        "deliver {run} --max macs=100% --to {tmp}/out --dry-run",
        "init",
    ],
)
def test_what_reads_the_journal_or_the_config_loads_no_torch(words: str, files: Files) -> None:
    assert not imported(*words.format(**files).split()) & HEAVY


def test_output_cut_short_by_a_pipe_is_no_error(finished: RunDir) -> None:
    command: Sequence[str] = [sys.executable, "-m", "kdsearch", "trials", str(finished.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize(
    "words", [["qery", "x"], ["query"], ["run", "a.yaml", "--untl", "data"]]
)
def test_a_wrong_command_gets_one_line(words: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("kdsearch") and "--help`" in line
