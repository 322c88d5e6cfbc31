"""Ray, up: as it was found, joined at an address, or started for this machine alone.

A cluster started here listens on the loopback, asks for a token, has no dashboard and tells
nobody that it is used. One that is joined keeps its own settings, and whether it asks for a
token is the environment's to say.
"""

import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kdsearch.engines.cluster import Cluster
from kdsearch.errors import SearchError, UserError
from kdsearch.stopping import SIGNALS

PLAIN = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
"""What this process says to Ray wherever that runs."""
ALONE = {"RAY_AUTH_MODE": "token", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
QUIET = {**PLAIN, **ALONE}
SAYING_LITTLE: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
CLIENT = "ray://"
"""Of the address of a cluster that this machine is no node of."""
ANSWER_S = 5.0
"""Within which somebody has to be at an address; Ray itself seeks for minutes."""


def is_up() -> bool:
    """Whether this process started or joined a cluster before; does not import Ray."""
    return "ray" in sys.modules and bool(sys.modules["ray"].is_initialized())


@contextmanager
def started(workers: int, cluster: Cluster) -> Iterator[Any]:
    """Ray for the block; see `start`."""
    ray, is_ours = start(workers, cluster)
    try:
        yield ray
    finally:
        if is_ours:
            ray.shutdown()


def start(workers: int, cluster: Cluster | None = None) -> tuple[Any, bool]:
    """Ray, up: as it was found, joined, or started on this machine's loopback.

    Returns:
        The package, and whether it was started (or joined) here.

    Raises:
        UserError: it would have to be started, but cannot be kept to this machine any more; or
            nobody answers at the address, or not to us.
        SearchError: it does not start here.
    """
    cluster = cluster or Cluster()
    address = address_of(cluster)
    came_before = "ray" in sys.modules and not os.environ.keys() >= QUIET.keys()
    for name, value in (PLAIN if address else QUIET).items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        return ray, False
    if address is None and came_before:
        raise UserError(
            "ray was imported before kdsearch could keep it to this machine (Ray reads its "
            "settings on import); import it later, or call ray.init() yourself"
        )
    with own_handlers():
        if address:
            knocked(address, key_of(cluster))
            join(ray, address, key_of(cluster))
        else:
            begin(ray, math.ceil(workers * cluster.cpu))
    return ray, True


def begin(ray: Any, processors: int) -> None:
    """Starts a cluster of our own.

    Raises:
        SearchError: it does not come up; Ray has no error of its own for that.
    """
    try:
        ray.init(
            num_cpus=processors,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            **SAYING_LITTLE,
        )
    except Exception as error:
        raise SearchError(
            f"Ray does not start on this machine: {first_line(error)} (is it overloaded, or "
            "short of memory?); the same command goes on from here"
        ) from error


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def address_of(cluster: Cluster) -> str | None:
    """Of the cluster that is up already; None where there is none but ours."""
    return cluster.address or os.environ.get("RAY_ADDRESS") or None


def key_of(cluster: Cluster) -> str:
    """Who said `address_of`."""
    return "ray.address" if cluster.address else "RAY_ADDRESS"


def knocked(address: str, key: str) -> None:
    """Raises UserError where nobody is at HOST:PORT or ray://HOST:PORT."""
    host, colon, port = address.removeprefix(CLIENT).rpartition(":")
    if not colon or not port.isdigit():
        return  # auto, or Ray's to understand
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise UserError(
            f"{key}: {address}: nobody answers; start one as docs/cluster.md says, or set null "
            "for one on this machine"
        ) from error


def join(ray: Any, address: str, key: str) -> None:
    """Makes this process a driver of the cluster there.

    Raises:
        UserError: it cannot be.
    """
    try:
        ray.init(address, **({} if address.startswith(CLIENT) else SAYING_LITTLE))
    except ray.exceptions.AuthenticationError as error:
        raise UserError(
            f"{key}: {address}: refused, the token is missing or another one; put the "
            "cluster's into ~/.ray/auth_token or RAY_AUTH_TOKEN, and set RAY_AUTH_MODE=token"
        ) from error
    except (ImportError, ConnectionError, RuntimeError, ValueError) as error:
        if isinstance(error, ImportError) or "ray[client]" in str(error):
            why = "needs Ray's client; pip install 'kdsearch[cluster]'"
        else:
            why = f"no cluster there ({first_line(error)}); start one as docs/cluster.md says, "
            why += "or set null for one on this machine"
        raise UserError(f"{key}: {address}: {why}") from error


@contextmanager
def own_handlers() -> Iterator[None]:
    """Signals are handled after the block as before it: Ray takes SIGTERM as it is initialised,
    Ray Train takes SIGINT.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
