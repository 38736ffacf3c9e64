"""BambooHR: employees, their jobs and pay."""
