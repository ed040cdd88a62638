// Package backup writes an installation into one encrypted file, and a file back into an empty folder. It knows the format
// and the order of steps; where the database and the objects are, callers say through small interfaces.
//
//	age ─▶ tar ─▶ vesper-backup.json   what this is: program, schema, rows of each table, last signed checkpoint
//	              files/…              secrets, practice's own lists
//	              database/00000001 …  pg_dump of one snapshot, in pieces
//	              objects/KEY …        each recording that the snapshot names, as stored (ciphertext), with its metadata
//	              checkpoints/SIZE …   signed checkpoints of the audit log, up to the snapshot's last
//	              manifest/00000001 …  after each 1000 members: their names, sizes and SHA-256
//	              manifest.json        totals, and a hash over all manifests: without it the file is not whole
//
// The snapshot is taken first. Objects are written once and never changed, so whatever the snapshot names can be copied
// afterwards while work goes on, and fits. age authenticates each piece as it is read and the end as well, so what was
// changed, cut off or reordered is refused before it is used; the hashes inside tell what a faulty program or memory did
// before encryption. Both sides stream: neither holds more than a piece in memory.
package backup
