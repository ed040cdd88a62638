package postgres

// MigrateTo goes to a version, up or down, for tests.
var MigrateTo = migrateTo
