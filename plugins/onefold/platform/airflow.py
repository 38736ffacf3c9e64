"""How Airflow runs here, set by environment variables only: no airflow.cfg is written or edited."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from onefold.errors import Fatal
from onefold.orchestration.oidc.provider import SECRET_VARIABLE, TOKEN_SECONDS, VARIABLES, identity_provider
from onefold.platform import processes, sandbox_database, secret_files
from onefold.platform.again import PAUSES, is_transient_output
from onefold.platform.people import airflow_users
from onefold.platform.postgres import Postgres
from onefold.platform.processes import Service
from onefold.platform.secrets import Secrets
from onefold.private_files import private_folder
from onefold.settings import APPROVALS_URL, CONSOLE_URL, Settings, notify_setting, secret

AIRFLOW_DATABASE = "airflow"
WAREHOUSE_DATABASE = "warehouse"
"""As onefold.warehouse.install names it; that module is not needed to look at a process."""

PARALLEL_TASKS = 4

SESSION_SECONDS = 8 * 60 * 60
"""How long somebody stays signed in at most, a working day; the auth manager gives no longer token."""

AUTH_MANAGER = "onefold.orchestration.auth_manager.OnefoldAuthManager"
OIDC_AUTH_MANAGER = "onefold.orchestration.oidc.auth_manager.OidcAuthManager"
"""Where people sign in at the company's identity provider."""
FAB = "apache-airflow-providers-fab"

TUNING: Mapping[str, str] = {
    "AIRFLOW__CORE__PARALLELISM": str(PARALLEL_TASKS),
    "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    # A task's end may be noticed only at the next heartbeat, five seconds by default.
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # What a killed process has left behind is found within half a minute and not after the default five.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
    "AIRFLOW__API__INSTANCE_NAME": "Onefold",
    "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
}
"""What a user may set otherwise through the same variables; the wiring below may not be."""


def environment(settings: Settings, secrets: Secrets, postgres: Postgres, sandbox: bool) -> dict[str, str]:
    """The variables that Airflow's processes need besides the caller's own. Holds secrets: do not print."""
    wiring = {
        "AIRFLOW_HOME": str(airflow_home(settings.home)),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        # Tasks inherit what the scheduler has imported only when they are forked from it (Python 3.14 does not).
        "AIRFLOW__CORE__MP_START_METHOD": "fork",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{settings.ui_url}/execution/",
        # The machine's name need not resolve; everything runs on it.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGER,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(
            f"{name}:{role}" for name, role in airflow_users().items()
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords_file(settings.home)),
        "AIRFLOW__DATABASE__CHECK_MIGRATIONS": "False",  # `up` has migrated before it starts a service
        "AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME": str(SESSION_SECONDS),
        "AIRFLOW__API_AUTH__JWT_CLI_EXPIRATION_TIME": "3600",
        # It loads its scripts from elsewhere, which the UI's security policy refuses.
        "AIRFLOW__API__ENABLE_SWAGGER_UI": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(settings.ui_port),
        "AIRFLOW__API__BASE_URL": settings.ui_url,
        "AIRFLOW__API__WORKERS": "1",
        **_tls(settings),
        **_identity_provider(settings),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.home / "logs" / "tasks"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(settings.home / "logs" / "dags"),
        "ONEFOLD_HOME": str(settings.home),
        "ONEFOLD_WAREHOUSE_URL": _loader_url(postgres),
        "ONEFOLD_AUDIT_SALT": secrets.audit_salt,
        "ONEFOLD_NOTIFY": notify_setting(),
        "ONEFOLD_CHECKPOINTS": settings.checkpoint_places,
        "ONEFOLD_TSA_CA": settings.checkpoint_authorities,
        "PYTHONPATH": f"{settings.root / 'plugins'}{os.pathsep}{settings.root}",
        "PYTHONUNBUFFERED": "1",
        # Our servers are on this machine, whatever proxy the user's shell names for the others.
        **{name: _without_proxy(os.environ.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "False",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
    }
    tuning = {"AIRFLOW__CORE__DAGS_FOLDER": str(settings.root / "dags"), **TUNING}
    chosen = {name: os.environ.get(name, value) for name, value in tuning.items()}
    connections = _sandbox_connections(settings, postgres) if sandbox else {}
    return {**wiring, **chosen, **secret_files.commands(settings.home, secrets, secret_files.ALL), **connections}


def _loader_url(postgres: Postgres) -> str:
    """Without a login where a vault makes them: then no task has the loader's password."""
    url = postgres.url(WAREHOUSE_DATABASE, "onefold_loader")
    if not os.environ.get("ONEFOLD_DATABASE_CREDENTIALS"):
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def services(settings: Settings, secrets: Secrets, postgres: Postgres, variables: Mapping[str, str]) -> list[Service]:
    """Airflow's four services. Logs are read from the disk they share, so none of them serves its logs.

    A task has the environment of the scheduler: no secret is in it but what a task needs. The key of the tokens is read
    from its file by those who sign or check them, and the API server alone may record approvals. The scheduler's
    variables name the state of the engine's files, and so do the triggerer's: tasks and triggers run what these have
    imported, so that `up` must start them anew when a file has changed.
    """
    commands = {
        "api-server": ["api-server"],
        "scheduler": ["scheduler", "--skip-serve-logs"],
        "dag-processor": ["dag-processor"],
        "triggerer": ["triggerer", "--skip-serve-logs"],
    }
    tokens = secret_files.commands(settings.home, secrets, secret_files.TOKENS)
    engine = {"ONEFOLD_ENGINE": engine_state(settings.root / "plugins")}
    only = {
        "api-server": {
            **tokens,
            **secret_files.commands(settings.home, secrets, secret_files.API_SERVER),
            **({SECRET_VARIABLE: client_secret} if (client_secret := secret(SECRET_VARIABLE)) else {}),
            **({"AIRFLOW__API__SSL_KEY": settings.ui_tls.key} if settings.ui_tls else {}),
            APPROVALS_URL: postgres.url(WAREHOUSE_DATABASE, "onefold_approvals"),
            CONSOLE_URL: postgres.url(WAREHOUSE_DATABASE, "onefold_console"),
        },
        "scheduler": {**tokens, **engine},
        "triggerer": engine,
    }
    return [
        Service(name, [sys.executable, "-m", "airflow", *rest], {**variables, **only.get(name, {})})
        for name, rest in commands.items()
    ]


def prepare(settings: Settings, secrets: Secrets, postgres: Postgres) -> None:
    """Make Airflow's home, the files with its secrets, and the one with the passwords of those who may sign in."""
    secret_files.write(settings.home, secrets, postgres.url(AIRFLOW_DATABASE, "airflow"))
    private_folder(airflow_home(settings.home))
    passwords = _passwords_file(settings.home)
    passwords.touch(mode=0o600)
    passwords.chmod(0o600)
    passwords.write_text(json.dumps({name: secrets.ui[name] for name in airflow_users()}))


def create_database(superuser_url: str, password: str) -> None:
    """Make Airflow's database and its role, with this password, where they are missing."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'airflow'").fetchone():
            connection.execute(sql.SQL("CREATE ROLE airflow LOGIN PASSWORD {}").format(sql.Literal(password)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [AIRFLOW_DATABASE]).fetchone():
            database = sql.Identifier(AIRFLOW_DATABASE)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER airflow").format(database))


def migrate(postgres: Postgres, variables: Mapping[str, str]) -> bool:
    """Bring Airflow's database to the installed version; returns False when it was there already.

    The version is stored as the database's comment, so that it moves with the database. Raises Fatal with the
    end of Airflow's output when it fails.
    """
    packages = ["apache-airflow", *([FAB] if importlib.util.find_spec("flask_appbuilder") else [])]  # it has tables
    version = f"migrated by {', '.join(f'{name} {metadata.version(name)}' for name in packages)}"
    with psycopg.connect(postgres.url(AIRFLOW_DATABASE), autocommit=True) as connection:
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
        if connection.execute(query).fetchone() == (version,):
            return False
        for pause in (*PAUSES, None):
            result = subprocess.run(
                [sys.executable, "-m", "airflow", "db", "migrate"],
                env=processes.environment(variables),
                cwd=variables["AIRFLOW_HOME"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                text=True,
            )
            output = result.stdout + result.stderr
            if result.returncode == 0:
                break
            if pause is None or not is_transient_output(output):  # each of its migrations is one transaction
                end = output.strip()[-2000:]
                raise Fatal(f"`airflow db migrate` failed (exit code {result.returncode}):\n{end}")
            time.sleep(pause)
        connection.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(AIRFLOW_DATABASE), sql.Literal(version))
        )
    return True


def engine_state(plugins: Path) -> str:
    """Another text whenever a file of the engine is added, removed or written."""
    files = {path: path.stat() for path in plugins.rglob("*") if path.suffix in (".py", ".sql")}
    state = sorted((str(path.relative_to(plugins)), stat.st_mtime_ns, stat.st_size) for path, stat in files.items())
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def airflow_home(home: Path) -> Path:
    """AIRFLOW_HOME below this installation's home."""
    return home / "airflow"


def _tls(settings: Settings) -> dict[str, str]:
    """What the API server shows, and by what tasks check it. Tasks' own CAs (REQUESTS_CA_BUNDLE) stay as they are:
    sources are checked by those. The server asks its clients for no certificate, whatever the name of the setting."""
    if settings.ui_tls is None:
        if os.environ.get("AIRFLOW__API__SSL_CERT"):
            raise Fatal(
                "AIRFLOW__API__SSL_CERT is set, of which nothing but the API server would know. Set ONEFOLD_UI_CERT, "
                "ONEFOLD_UI_KEY and ONEFOLD_UI_CA instead (docs/hardening.md)."
            )
        return {}
    named = {
        "AIRFLOW__API__SSL_CERT": settings.ui_tls.certificate,
        "AIRFLOW__API__SSL_CA_FILE": settings.ui_tls.authority,
        "ONEFOLD_UI_CA": settings.ui_tls.authority,
    }
    return {name: path for name, path in named.items() if path}


def _identity_provider(settings: Settings) -> dict[str, str]:
    """What signs people in at the company's identity provider, where the settings name one; its client's secret is the
    API server's alone (services)."""
    found = identity_provider()
    if found is None:
        return {}
    if importlib.util.find_spec("flask_appbuilder") is None:
        raise Fatal("ONEFOLD_OIDC_ISSUER is set, but what signs people in there is not installed. Run: make sign-in")
    address = ui_address(settings)
    return {
        "AIRFLOW__CORE__AUTH_MANAGER": OIDC_AUTH_MANAGER,
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME": str(TOKEN_SECONDS),
        "AIRFLOW__FAB__CONFIG_FILE": str(settings.root / "plugins/onefold/orchestration/oidc/flask_config.py"),
        "AIRFLOW__FAB__AUTH_ROLE_PUBLIC": "",
        "AIRFLOW__FAB__UPDATE_FAB_PERMS": "False",  # its permissions are not used
        "AIRFLOW__FAB__SESSION_BACKEND": "securecookie",
        "AIRFLOW__FAB__SESSION_LIFETIME_MINUTES": "15",  # of the sign-in itself: nobody stays signed in by it
        "AIRFLOW__FAB__COOKIE_SAMESITE": "Lax",
        "AIRFLOW__FAB__COOKIE_SECURE": str(address.startswith("https:")),
        "ONEFOLD_UI_ADDRESS": address,
        # A task inherits the environment; the API server alone is given the secret (services).
        SECRET_VARIABLE: "",
        f"{SECRET_VARIABLE}_FILE": "",
        **{name: os.environ[name] for name in VARIABLES if os.environ.get(name)},
    }


def ui_address(settings: Settings) -> str:
    """Where browsers reach Airflow's UI (ONEFOLD_UI_ADDRESS): of the proxy before it, where there is one."""
    return (os.environ.get("ONEFOLD_UI_ADDRESS") or settings.ui_url).rstrip("/")


def _passwords_file(home: Path) -> Path:
    return airflow_home(home) / "passwords.json"


def _without_proxy(current: str) -> str:
    return ",".join(filter(None, (current, "127.0.0.1", "localhost")))


def _sandbox_connections(settings: Settings, postgres: Postgres) -> dict[str, str]:
    """Connections to the stand-ins, under the ids that the catalogue names."""
    from sandbox.stand_ins import connections  # imports a web server: only where the sandbox is wanted

    databases = {name: postgres.url(name, sandbox_database.reader(name)) for name in sandbox_database.NAMES}
    found = connections(settings.sandbox_url, databases, settings.home / "sandbox", settings.sandbox_redis_port)
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in found.items()}
