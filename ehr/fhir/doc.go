// Package fhir delivers signed notes to an EHR over FHIR R4, as DocumentReference resources made by conditional create.
//
//	POST DocumentReference            ┌ 201, 200 + Location ─────────────────────────────▶ receipt
//	If-None-Exist: identifier=…  ─────┤ 409, 200 or 201 without a place ─▶ search ─ one ──▶ receipt
//	                                  │ 5xx, timeout, cut connection ────▶ search ─ one ──▶ receipt
//	                                  │                                           ├ none ─▶ Unavailable, later again
//	                                  │                                           └ many ─▶ Conflict, a person
//	                                  │ 412 (several match) ──────────────────────────────▶ Conflict, a person
//	                                  └ other 4xx, redirects ─────────────────────────────▶ Invalid, a person
//
// A server whose CapabilityStatement does not declare conditional create is searched before every create. That leaves a
// gap between two writers, which the caller closes by having one writer per note (the row lock of the delivery).
//
// The client goes nowhere but to the configured base URL: it follows no redirects, uses no proxy, reads bounded answers,
// and refuses to connect to addresses that no EHR has (link-local and metadata services always; private and loopback
// ranges unless configured).
package fhir
