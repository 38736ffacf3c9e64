"""The commands of bin/onefold, one module per group; onefold.commands.main imports a module only when it is called."""
