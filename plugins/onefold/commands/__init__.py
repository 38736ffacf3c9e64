"""The commands of bin/onefold, one module per group; onefold.cli imports a module only when it is called."""
