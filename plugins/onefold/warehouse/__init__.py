"""The load protocol, DDL, cursors and versions."""
