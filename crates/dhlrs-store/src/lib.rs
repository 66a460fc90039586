//! One store: intents, order, log, apply, notify, behind one machine
