// The JSON of the API, as far as the islands read it.
export type State =
  | "received" | "queued" | "transcribed" | "drafted" | "in_review"
  | "awaiting_signature" | "signed" | "delivered" | "rejected" | "failed";

export interface Source {
  kind: "speech" | "person" | "template" | "blank" | "block";
  start?: number;
  end?: number;
  said?: string;
  by?: string;
  at?: string;
  confidence?: number;
  words?: number[];
  command?: string; // the spoken command that wrote the text
}
export interface Run { text: string; source: Source }
export interface Section { key: string; heading: string; required?: boolean; runs: Run[] }
export interface Blank { start: number; end: number; section: string }
export interface Flag {
  id: string;
  kind: string;
  severity: "critical" | "notice";
  section?: string;
  text: string;
  start: number;
  end: number;
  detail: string;
  settled?: { by: string; at: string; how: string } | null;
}
export interface Removed { reason: string; text: string; start: number; end: number; section: string; words?: number[]; command?: string }
export interface FollowUp {
  id: string;
  kind: string;
  text: string;
  due: string;
  due_words?: string;
  to: string;
  owner: string;
  conditional?: boolean;
  condition?: string;
  pending?: boolean;
  section: string;
  start: number;
  end: number;
  change?: { by: string; at: string; how: string } | null;
}
export interface NoteDocument {
  work_type: string;
  sections: Section[];
  blanks: Blank[] | null;
  flags: Flag[] | null;
  removed?: Removed[] | null;
  follow_ups?: FollowUp[] | null;
}
export interface SectionText { key: string; text: string }
export interface PersonRef { id: string; name: string }
export interface Version {
  number: number;
  kind: string;
  by: PersonRef | null;
  at: string;
  content_hash: string;
  document: NoteDocument;
}
export interface Word { text: string; start: number; end: number; confidence: number }
export interface Span { start: number; end: number; kind: "words" | "silence" | "unheard" | "struck"; reason?: string; text?: string }
export interface Transcript { words: Word[]; spans: Span[]; audio: { seconds: number } }
export interface Patient { id: string; mrn: string; name: string; birth_date: string; sex: string }
export interface Encounter { id: string; patient_id: string; author_id: string; starts: string; title: string; patient_name: string; mrn: string }
export interface Detail {
  id: string;
  state: State;
  reason: string;
  priority: string;
  work_type: string;
  author: PersonRef;
  seconds: number;
  patient: Patient | null;
  encounter: Encounter | null;
  version: Version | null;
  transcript: Transcript | null;
  claim: { person: PersonRef; since: string; until: string } | null;
  has_audio: boolean;
  can: Record<string, boolean>;
}
export interface Status { state: State; reason: string; done: number; total: number; version: number; claimed_by: PersonRef | null }
export interface WorkType { key: string; name: string; sections: { key: string; heading: string }[] | null }
export interface AuditReport { ok: boolean; events: number; checkpoints: number; root: string; findings: { seq: number; what: string }[] }
