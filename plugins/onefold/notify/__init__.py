"""Alerts, and their notifications to people: in the log, by e-mail, by a webhook of Slack or Teams."""
