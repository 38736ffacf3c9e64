"""All that the warehouse has of one person, for that person (Article 15 GDPR): see docs/runbooks/subject-request.md."""
