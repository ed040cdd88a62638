package models

import (
	"fmt"
	"slices"
	"strings"

	"vesper/internal/fault"
)

// Kind says what a model does.
type Kind string

// The kinds of models.
const (
	Whisper Kind = "whisper" // speech to words
	VAD     Kind = "vad"     // speech or not
)

// SileroVAD is the catalogue name of the voice activity detector.
const SileroVAD = "silero-vad"

// Entry describes one model file.
type Entry struct {
	Name       string // how settings and the command line call it: "base-q8_0"
	File       string // as published: "ggml-base-q8_0.bin"
	Kind       Kind
	Base       string // the float16 model it is a form of: "base"
	Quant      string // f16, q8_0, q5_1 or q5_0
	Size       int64  // bytes
	SHA256     string // of the published file; of the converted one where Published is false
	MadeSHA256 string // of what the quantize tool makes here, where it differs from the published file; else empty
	Published  bool   // among the files of whisper.cpp's authors
	License    string // SPDX
	Languages  int    // languages understood; 1 is English alone
	MemoryMiB  int    // resident memory of one engine with this model
}

// Multilingual says whether the model understands more than English.
func (e Entry) Multilingual() bool { return e.Languages > 1 }

// accepts says whether a SHA-256 is one of this entry's.
func (e Entry) accepts(sum string) bool {
	return sum != "" && (sum == e.SHA256 || sum == e.MadeSHA256)
}

// Catalogue lists every known model, smallest first, the voice activity detector last.
func Catalogue() []Entry {
	var list []Entry
	for _, f := range families {
		for _, w := range f.files {
			list = append(list, f.entry(w))
		}
	}
	return append(list, sileroEntry)
}

// Find returns the entry of that name. The file's name is understood too.
func Find(name string) (Entry, error) {
	all := Catalogue()
	i := slices.IndexFunc(all, func(e Entry) bool { return e.Name == name || e.File == name })
	if i < 0 {
		return Entry{}, fault.New(fault.NotFound, "model_unknown", fmt.Sprintf("There is no model %q. Known models: %s.", name, strings.Join(names(all), ", ")))
	}
	return all[i], nil
}

func names(list []Entry) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = e.Name
	}
	return out
}
