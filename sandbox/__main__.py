"""`python -m sandbox`: starts the sandbox on this machine only, in the foreground."""

import argparse
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

import uvicorn

from sandbox.app import create_app
from sandbox.shop_orders import queue
from sandbox.stand_ins import STAND_INS, chosen
from sandbox.world import World


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=int(os.environ.get("SANDBOX_PORT", "8090")))
    parser.add_argument("--state", type=Path, help="folder for the journal and the truth's token")
    parser.add_argument("--companies", type=int, default=int(os.environ.get("SANDBOX_COMPANIES", "2000")))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--systems",
        default=os.environ.get("SANDBOX_SYSTEMS") or ",".join(each.system for each in STAND_INS),
        help="the stand-ins to start, with commas (default: all); a large world of all takes gigabytes",
    )
    return parser.parse_args()


def main() -> int:
    """Serves until it is told to stop. Returns 1 when it cannot start."""
    arguments = _arguments()
    listener = socket.socket(socket.AF_INET6 if ":" in arguments.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((arguments.host, arguments.port))
    except OSError as error:
        print(
            f"sandbox: cannot listen on {arguments.host}:{arguments.port} ({error.strerror}). "
            "Choose another port with --port or SANDBOX_PORT.",
            file=sys.stderr,
        )
        return 1
    state = arguments.state or Path(tempfile.mkdtemp(prefix="onefold-sandbox-"))
    state.mkdir(parents=True, exist_ok=True)
    try:
        stand_ins = chosen(arguments.systems.split(","))
        books = [book for each in stand_ins for book in each.books]
        world = World(arguments.companies, arguments.seed, state / "journal.jsonl", books)
    except ValueError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    app = create_app(world, stand_ins, state)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_keep_alive=60, lifespan="off")
    port = listener.getsockname()[1]
    # uvicorn ends what it serves, and then the process, by the signal that it was sent
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with queue.running(state):
            print(f"sandbox: {len(world.companies)} companies on http://{arguments.host}:{port}", flush=True)
            uvicorn.Server(config).run(sockets=[listener])
    except ValueError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
