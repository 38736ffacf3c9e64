"""One folder that holds a whole installation: the cluster as of one moment, the chain's anchors, the erased persons."""
