//! Trigger lists, pattern subscriptions and dispatch order
