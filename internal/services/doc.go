// Package services supervises what Vesper needs on one machine: PostgreSQL, Redis and an S3 store (versitygw), each a
// child process that lives in one data folder. It is for a box in a closet, for the demo and for tests; a cluster uses
// managed services instead and never calls this package.
//
// Each child goes through
//
//	stopped ──Start──▶ starting ──probe answers──▶ up ──dies──▶ waiting ──back-off──▶ starting
//	   ▲                                            │
//	   └────────────────── Stop ────────────────────┘
//
// and is known in one table: name, command, port, what it needs, how it says that it is ready, how it is stopped.
// Readiness is always asked in the child's own protocol, never assumed after a pause.
//
// The data folder:
//
//	vesper.lock   held (flock) while a supervisor runs; holds its process id
//	ports.json    the ports of the last run, used again when they are still free
//	secrets/      passwords and keys, made on the first start, mode 0600
//	run/          process records with start times, so that leftovers of a crash are found and no stranger is ever killed
//	logs/         one log for each child, rotated at start
//	postgres/ redis/ s3/   the data
//
// It survives kill -9 of anything: children ask the kernel to be told when the supervisor dies (Linux), what still lives
// is stopped by the next start, and half-made folders are made again.
package services
