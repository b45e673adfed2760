//! What a connector author sees: data model, records, traits, configuration.
