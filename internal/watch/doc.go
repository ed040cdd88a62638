// Package watch brings the recordings of a folder to a Vesper server: the folder of a desktop recorder or of a dictation
// device, often on a network share. It is `vesper watch` without flags.
//
//	seen ─unchanged over several looks─▶ settled ─hashed, uploaded─▶ received ─still the same bytes─▶ moved to sent/
//	  ▲                                     │  ▲                        │
//	  └────────── changed meanwhile ────────┘  └── pause, held ◀────────┤ server away, unknown author, …
//	                                                                    └─▶ unusable: moved to rejected/ with the reason
//
// What holds at any moment, also when the process is killed or the power fails:
//
//   - A recording leaves the folder only after the server's receipt for exactly these bytes, and it is never deleted.
//   - The same bytes become one dictation of an author, however often they are copied into the folder and under whatever
//     name: the client key is made of their SHA-256.
//   - What was uploaded of a recording is not uploaded again.
//
// A look at the folder is the only source of news: shares do not notify, and what a notification tells would have to
// settle all the same. The state file (journal) is a help, not the truth: without it everything is asked of the server.
//
// File names may hold names of patients, so they go to no log and to no error: what is logged names a file by its number
// in this run and by the first digits of its content's SHA-256.
package watch
