"""Stripe: charges, refunds, payouts and their events."""
