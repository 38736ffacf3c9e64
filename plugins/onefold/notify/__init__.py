"""What is wrong, told to people once: by the log, by e-mail, by a webhook of Slack or Teams."""
