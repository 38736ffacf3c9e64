"""RabbitMQ: queues, which keep a message until it is taken, and streams, which keep it for everybody."""
