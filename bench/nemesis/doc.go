// Package nemesis judges a small practice that worked while everything under it was broken. Its tests run that practice:
// physicians upload, correct and sign, editors claim and send, workers transcribe and deliver, all through the public API
// and real processes, while a seeded adversary kills, stops, wipes, fills, cuts and slows them (TestNothingIsLost…), or
// kills a process once at each crash point of the program (TestACrashAnywhere…).
//
//	clients ──▶ History ─┐
//	PostgreSQL, S3, EHR ─┴▶ Evidence ──▶ Check ──▶ violations, or none
//
// The package itself is the judge: what was done (History), what is there at the end (Evidence), and whether the two agree
// (Check). It knows nothing of how the faults were made, so that it can be judged by made-up histories itself.
package nemesis
