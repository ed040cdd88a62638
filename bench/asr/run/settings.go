package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vesper/transcribe"
)

// variants are the settings that can be measured by name. One line each: a lever that is added to transcribe.Settings gets
// a line that switches it off, so that its worth can be read from the ablation.
var variants = map[string]transcribe.Settings{
	"full":       {},
	"unprompted": {Prompt: transcribe.NoPrompt},                                                // not shown how a dictation reads
	"beam":       {Vocabulary: transcribe.NoVocabulary},                                        // no second pass
	"greedy":     {Vocabulary: transcribe.NoVocabulary, Beams: 1},                              // no second pass, no search
	"bare":       {Vocabulary: transcribe.NoVocabulary, Beams: 1, Prompt: transcribe.NoPrompt}, // the model alone, greedily
	"bare-beam":  {Vocabulary: transcribe.NoVocabulary, Prompt: transcribe.NoPrompt},
	"short":      {ChunkSeconds: 10}, // windows not packed full
}

// find returns the settings of a name, changed by a JSON object, which may be "".
func find(name, changes string) (transcribe.Settings, error) {
	s, known := variants[name]
	if !known {
		names := slices.Sorted(maps.Keys(variants))
		return s, fmt.Errorf("no settings are called %q; there are %s", name, strings.Join(names, ", "))
	}
	if changes == "" {
		return s, nil
	}
	d := json.NewDecoder(strings.NewReader(changes))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("settings %q: %w", changes, err)
	}
	return s, nil
}
