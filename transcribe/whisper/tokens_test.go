package whisper

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTokensAreThoseTheModelWasTrainedOn(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	// As the tokenizer of the multilingual models gives them.
	for text, want := range map[string][]int{
		" Hello world":           {2425, 1002},
		" the patient":           {264, 4537},
		"The patient's 50 mg.":   nil,
		"  two  spaces\n":        nil,
		" Crohn's, 120/80; Ñoño": nil,
	} {
		got := p.Encode(text)
		if want != nil && !slices.Equal(got, want) {
			t.Errorf("%q becomes %v, want %v", text, got, want)
		}
		var back []byte
		for _, id := range got {
			back = append(back, p.Bytes(id)...)
		}
		if string(back) != text {
			t.Errorf("%q comes back as %q", text, back)
		}
	}
}

func TestAnyTextComesBackFromItsTokens(t *testing.T) {
	t.Parallel()
	p := sharedPool(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		var back []byte
		for _, id := range p.Encode(text) {
			back = append(back, p.Bytes(id)...)
		}
		if string(back) != text {
			t.Fatalf("%q comes back as %q", text, back)
		}
	})
}

func FuzzVocabulary(f *testing.F) {
	f.Add([]byte("lmgg"))
	f.Add([]byte(strings.Repeat("\x01\x00\x00\x00", 400)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := parseVocabulary(bytes.NewReader(b)); err == nil && len(v.text) != textTokens {
			t.Fatalf("%d tokens", len(v.text))
		}
	})
}
