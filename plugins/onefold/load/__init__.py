"""One load of one stream, step by step: land → gate → publish. What the tasks of the sync DAGs call."""
