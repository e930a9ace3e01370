"""The list before sending: everything that should be looked at before a campaign goes out.

Each subject has a module that gives `items.Item`s; `checklist` puts them together. What takes long
(following links, asking SpamAssassin) is done beforehand by `looking`, and kept; starting a
campaign only reads what is kept.
"""
