// Package ehr carries a signed note out of Vesper and into an electronic health record. It holds what every target needs
// (Document), what a target answers (Receipt, Copy), the contract all targets keep (Target), and the comparison that
// decides whether what stands in the EHR is what the physician signed (Verify). It is pure: the wire is the business of
// the packages below it (fhir, and whatever comes beside it).
//
// A write to an EHR has three outcomes: done, refused, and unknown. Unknown (a timeout, a cut connection, a server error)
// is never answered by sending again blindly but by looking the document up under its identifier:
//
//	          ┌────────────── already there ───────────────┐
//	          │                                            ▼
//	deliver ──┼── created ────────────────────────────▶ receipt ──▶ read back ──▶ verify ──▶ delivered
//	          │                                            ▲                         │
//	          ├── unknown ──▶ look up by identifier ─ one ─┘                         └─ differs ──▶ a person
//	          │                     ├─ none ──▶ Unavailable: later, with the same identifier
//	          │                     └─ many ──▶ Conflict: a person
//	          └── refused ──▶ Invalid or Conflict: a person
package ehr
