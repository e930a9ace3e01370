"""The ground that every floor stands on: settings, database, tokens, languages and the web kit."""
