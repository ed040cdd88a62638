// Package crashpoint marks the places where a process may be killed with the most to lose: around each commit, each
// doorbell, each object that is stored, each note and each message that is sent. In an ordinary build At does nothing. In one with the
// tag crashpoints it kills the process, without any order, when it comes to the place that the file named by
// VESPER_CRASH_FILE asks for; the test in bench/nemesis takes dictations the whole way past every place there is.
package crashpoint
