"""The web kit: what every page and API handler shares. Verbs never import from here."""
