// Package sample holds the one dictation that is embedded in the binary, so that a demo has something to hear on a machine
// with nothing else. It is the case family-hypertension of testdata/dictations; testdata/generate.py writes both. The
// speaker is a synthetic voice and the patient is invented.
package sample

import _ "embed"

// WorkType is the kind of document the sample dictates.
const WorkType = "progress"

// Case is the folder under testdata/dictations that holds the same dictation with its note and facts.
const Case = "family-hypertension"

// Title says what the sample is about, in a few words.
const Title = "Hypertension, follow-up"

//go:embed sample.ogg
var audio []byte

//go:embed script.txt
var script string

// Audio returns a copy of the recording: Opus in Ogg, mono, about 50 seconds.
func Audio() []byte { return append([]byte(nil), audio...) }

// Name is the file name of the recording.
func Name() string { return "sample.ogg" }

// ContentType is the media type of the recording.
func ContentType() string { return "audio/ogg" }

// Script is what is said, word for word, one breath per line.
func Script() string { return script }
