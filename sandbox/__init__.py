"""Wire-faithful stand-ins of the source systems over one deterministic world of Polish companies."""
