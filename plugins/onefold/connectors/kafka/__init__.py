"""Topics of Kafka, and of what speaks its protocol."""
