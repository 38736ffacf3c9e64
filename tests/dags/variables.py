"""Airflow's API server as a task meets it, as far as variables go."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import (
    ErrorResponse,
    GetVariable,
    GetVariableKeys,
    PutVariable,
    VariableKeysResult,
    VariableResult,
)


class Supervisor:
    """What a task talks to: Airflow's API server, as far as variables go; `down` as while it is restarted."""

    def __init__(self) -> None:
        self.variables: dict[str, str | None] = {}
        self.down = 0

    def send(self, message: object) -> object:
        if self.down:
            self.down -= 1
            error = ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": 503})
            if isinstance(message, PutVariable):
                raise AirflowRuntimeError(error)
            return error
        match message:
            case PutVariable():
                self.variables[message.key] = message.value
            case GetVariable() if message.key in self.variables:
                return VariableResult(key=message.key, value=self.variables[message.key])
            case GetVariable():
                return ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND)
            case GetVariableKeys():
                keys = [key for key in self.variables if key.startswith(message.prefix or "")]
                return VariableKeysResult(keys=keys, total_entries=len(keys))
        return None
