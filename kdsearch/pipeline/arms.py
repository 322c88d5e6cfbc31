"""The teachers of a comparison: 'plain', 'generic@conditioning.kl=3', each as a config."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from kdsearch.config import Config, parse_config
from kdsearch.config.recipes import AT
from kdsearch.config.shaping_checks import SHAPING
from kdsearch.core.records import Architecture
from kdsearch.errors import ConfigError, UserError, did_you_mean
from kdsearch.teachers import TEACHERS

NONE, BASELINE, FRIENDLY = "none", "plain", "student_friendly"
SPECIALISED = "one for each student"
"""What the arm is called that has a student-friendly teacher for every student."""
BETWEEN = re.compile(r",(?![^{\[]*[}\]])")
"""Commas between kinds, not those of a value in braces or brackets."""
SECTIONS = ("data", "teacher", "space", "distill", "seed", "device", "precision", "store")
"""What a teacher's config takes over; the rest has checks of its own that do not matter."""


class Arm(NamedTuple):
    name: str
    """As asked for."""
    training: str
    config: Config | None
    """None: students learn from labels alone."""
    is_specialised: bool = False

    def config_for(self, student: Architecture, seed: int) -> Config | None:
        """Of one seed's teacher, and of that student's own where each has one."""
        if self.config is None:
            return None
        teacher = self.config.teacher
        if self.is_specialised:
            teacher = teacher.model_copy(update={"student": student.as_dict()})
        return self.config.model_copy(update={"teacher": teacher, "seed": seed})


def names_of(config: Config, text: str | None) -> list[str]:
    """The kinds asked for after the baseline; else labels alone and the config's own."""
    own = config.teacher.training
    asked = [NONE, own] if text is None else [t.strip() for t in BETWEEN.split(text)]
    return list(dict.fromkeys([BASELINE, *asked]))


def arms_of(
    config: Config, names: Sequence[str], held_out: Sequence[Architecture], *, specialised: bool
) -> list[Arm]:
    """Raises UserError for a kind that there is not, or a value that will not do."""
    arms = [arm_of(config, name, held_out) for name in names]
    if specialised:
        friendly = [arm for arm in arms if arm.training == FRIENDLY]
        one = friendly[0] if friendly else arm_of(config, FRIENDLY, held_out)
        arms.append(Arm(SPECIALISED, FRIENDLY, one.config, is_specialised=True))
    return arms


def arm_of(config: Config, name: str, held_out: Sequence[Architecture]) -> Arm:
    training, *options = (part.strip() for part in name.split(AT))
    if training not in TEACHERS:
        raise UserError(f"--kinds: no kind '{training}'; {did_you_mean(training, TEACHERS)}")
    if training == NONE:
        if options:
            raise UserError(f"--kinds '{name}': without a teacher nothing is to be set")
        return Arm(name, NONE, None)
    if any(option.partition("=")[0].strip() == "training" for option in options):
        raise UserError(f"--kinds '{name}': the training stands before the first {AT}")
    overrides = [f"teacher.{option}" for option in options]
    try:
        made = parse_config(content(config, training, held_out), "the config", overrides)
    except ConfigError as error:
        reason = str(error).removeprefix("--set ")
        raise UserError(f"--kinds '{name}': {reason}") from error
    return Arm(name, training, made)


def content(
    config: Config, training: str, held_out: Sequence[Architecture]
) -> dict[str, object]:
    """The config with another training, and those of its values that this has a use for."""
    whole = config.model_dump()
    teacher = {
        key: value
        for key, value in whole["teacher"].items()
        if key not in SHAPING or training in SHAPING[key]
    }
    teacher["training"] = training
    if training in SHAPING["held_out"]:
        more = [student.as_dict() for student in held_out]
        teacher["held_out"] = [*teacher["held_out"], *more]
    return {name: whole[name] for name in SECTIONS} | {"teacher": teacher}
