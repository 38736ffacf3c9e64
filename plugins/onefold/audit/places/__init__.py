"""Where checkpoints go besides (ONEFOLD_CHECKPOINTS): places that the engine itself cannot rewrite."""
