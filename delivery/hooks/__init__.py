"""Webhooks of sending providers: verified, understood, and handed on as events of ours."""
