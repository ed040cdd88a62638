package postgres

// MigrateTo goes to a version, up or down, for tests.
var MigrateTo = migrateTo

// Heads is the statement that picks work.
const Heads = heads
