"""What may stand on the command line of the verbs on devices."""

import argparse
from typing import Any

from kdsearch.arguments.flags import add, as_json

PROFILE = """\
Measures networks spread over the config's space on its targets (or takes what was measured
before), and learns to predict the latency of all others, with 90 % intervals.

  kdsearch profile run.yaml                          on this machine
  kdsearch profile run.yaml --bundle phone.zip       for a device without kdsearch: unpack
                                                     there, `python measure.py`
  kdsearch profile run.yaml --import result.json --name phone
                                                     what came back becomes a target
  kdsearch profile run.yaml --bundle again.zip --students runs/x
                                                     the published students alone
  kdsearch profile run.yaml --import result.json --name phone --students runs/x
                                                     their measured latencies join the front

docs/profile.md tells what the numbers mean.
"""


def on_devices(verbs: Any) -> None:
    about = "how long networks of the space take on this device, or on yours"
    one = add(verbs, "profile", about)
    one.description, one.formatter_class = PROFILE, argparse.RawDescriptionHelpFormatter
    one.add_argument("config", metavar="CONFIG", help="a YAML file; see `kdsearch init`")
    one.add_argument(
        "--networks",
        type=int,
        default=120,
        metavar="N",
        help="how many are measured, one in three of them twice; default: %(default)s",
    )
    one.add_argument(
        "--bundle",
        metavar="DIR|FILE.zip",
        help="writes networks and a script that needs onnxruntime and numpy alone",
    )
    one.add_argument(
        "--import",
        dest="result",
        metavar="FILE",
        help="result.json of a bundle: checked, never executed",
    )
    one.add_argument(
        "--name",
        default="edge",
        metavar="NAME",
        help="of its target; default: %(default)s",
    )
    one.add_argument("--students", metavar="RUN", help="a run's published students alone")
    one.add_argument(
        "--out",
        metavar="FILE",
        help="where the profile is written (of --import: NAME.profile.json)",
    )
    one.add_argument(
        "--set",
        metavar="a.b=value",
        action="extend",
        nargs="+",
        default=[],
        help="values in place of the file's, for example latency.threads=2",
    )
    as_json(one)
