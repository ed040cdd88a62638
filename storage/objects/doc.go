// Package objects keeps recordings in an S3 store. It is the only place that knows minio-go.
//
// Nothing readable leaves the process. Each object has its own random 256-bit key and is encrypted as DARE 2.0
// (minio/sio: AES-256-GCM in packages of 64 KiB, so that any range can be read and any changed, moved or missing package
// is noticed). The object's key is sealed by the master key with AES-256-GCM, bound to the practice and the recording's
// id, and stands both in the caller's database row and in the object's metadata. Exchanging two objects or two sealed
// keys therefore fails; destroying a sealed key in both places destroys the recording.
//
//	plaintext ─▶ SHA-256 ─▶ DARE 2.0 ─▶ private spool file ─▶ PUT with SHA-256 of the ciphertext, checked by the store
//	                            ▲
//	                 object key, sealed by the master key (AAD: practice, recording)
//
// # Names
//
// An object's name is practice/PRACTICE-ID/audio/TAG, where TAG is HMAC-SHA-256 over practice, recording and the
// plaintext's SHA-256 under a key derived from the master key. The same recording sent again gets the same name, which
// makes Put idempotent; without the master key a name does not tell whether two recordings are alike, nor whether a
// known sound is among them. Ids are the only other thing that shows. The practice comes first so that one practice can
// be exported, replicated or expired by prefix.
//
// # What the store must do
//
// Plain S3 with checksums is enough; where the store ignores x-amz-checksum-sha256 the object is read back instead.
// Versioning and object lock are switched on where the store has them; Capabilities says what was found. Objects are
// written in one PUT, which S3 allows up to 5 GiB.
package objects
