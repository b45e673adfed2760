//! Converters, header converters, transforms, predicates, config providers.
