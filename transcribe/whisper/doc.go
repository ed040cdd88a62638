// Package whisper runs whisper.cpp for package transcribe, and is the only cgo in Vesper. The library runs in child
// processes, because it may abort, hang or leak: the parent never links its fate to it. A child is this same binary,
// started again; it does one call at a time, with its own state, and dies with its parent.
//
//	Pool (parent) ── length-prefixed frames over two pipes ──▶ child: shim.c ─▶ whisper.h
//	  slots, digests, time limits, restart                       one model, one state, one speech detector
//
// Every binary that makes a Pool calls RunChildIfAsked first thing in main (in tests: in TestMain).
package whisper
