package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"vesper/internal/lexicon"
	"vesper/transcribe"
)

// engine is the program and the model that hear.
type engine struct{ binary, model string }

// wanted is how many terms of each kind are spoken.
var wanted = map[lexicon.Kind]int{
	lexicon.Generic: 130, lexicon.Brand: 60, lexicon.Disease: 70, lexicon.Procedure: 40, lexicon.Anatomy: 20,
	lexicon.Lab: 10, lexicon.Organism: 12, lexicon.Exam: 8, lexicon.Device: 5, lexicon.Symptom: 5,
}

// carrier is the sentence around a term; what stands before and after it is cut off again.
var carrier = struct{ before, after string }{"The patient has", "today."}

const (
	rate  = 16000         // flite's three better voices speak at 16 kHz
	pause = rate * 7 / 10 // samples of silence after a sentence
)

func hashOf(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}

// choose takes common terms that are read as they are spelled, by hash.
func choose() []lexicon.Term {
	terms := slices.DeleteFunc(lexicon.Default().Terms(), func(t lexicon.Term) bool {
		spelled := strings.ContainsFunc(t.Text, func(r rune) bool { return !unicode.IsLetter(r) && r != ' ' && r != '-' && r != '\'' })
		return t.Weight < 0.5 || len(t.Says) > 0 || spelled || strings.ToUpper(t.Text) == t.Text || isPlain(t.Text)
	})
	slices.SortFunc(terms, func(a, b lexicon.Term) int { return int(int64(hashOf(a.Text)) - int64(hashOf(b.Text))) })
	left := map[lexicon.Kind]int{}
	for k, n := range wanted {
		left[k] = n
	}
	var out []lexicon.Term
	for _, t := range terms {
		if left[t.Kind] > 0 {
			left[t.Kind]--
			out = append(out, t)
		}
	}
	return out
}

// isPlain says whether a text is plain English throughout.
func isPlain(text string) bool {
	for word := range strings.FieldsSeq(text) {
		if lexicon.English(word) == 0 {
			return false
		}
	}
	return true
}

// recordAll speaks the terms, the voices taking turns, and writes what the engine heard after each voice.
func recordAll(ctx context.Context, file string, voices []string, e engine) error {
	dir, err := os.MkdirTemp("", "vesper-lexicon-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	var out bytes.Buffer
	fmt.Fprintf(&out, "# What %s heard for \"%s TERM %s\", spoken by flite; written by go run ./bench/lexicon -record\n", e.model, carrier.before, carrier.after)
	all := choose()
	for v, voice := range voices {
		var terms []lexicon.Term
		for i := v; i < len(all); i += len(voices) {
			terms = append(terms, all[i])
		}
		heard, err := hear(ctx, dir, voice, terms, e)
		if err != nil {
			return fmt.Errorf("voice %s: %w", voice, err)
		}
		for i, t := range terms {
			fmt.Fprintf(&out, "%s\t%s\t%s\t%s\n", t.Text, t.Kind, voice, heard[i])
		}
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write mishearings: %w", err)
		}
	}
	return nil
}

// hear speaks all terms in one recording and returns what was written for each.
func hear(ctx context.Context, dir, voice string, terms []lexicon.Term, e engine) ([]string, error) {
	var samples []byte
	ends := make([]float64, len(terms))
	for i, t := range terms {
		spoken, err := speak(ctx, filepath.Join(dir, "one.wav"), voice, fmt.Sprintf("%s %s %s", carrier.before, t.Text, carrier.after))
		if err != nil {
			return nil, err
		}
		samples = append(append(samples, spoken...), make([]byte, 2*pause)...)
		ends[i] = float64(len(samples)) / 2 / rate
	}
	path := filepath.Join(dir, voice+".wav")
	if err := os.WriteFile(path, append(header(len(samples)), samples...), 0o600); err != nil {
		return nil, err
	}
	raw, err := exec.CommandContext(ctx, e.binary, "transcribe", "--json", "--model", e.model, path).Output()
	if err != nil {
		return nil, fmt.Errorf("transcribe: %w", err)
	}
	var tr transcribe.Transcript
	if err := json.Unmarshal(raw, &tr); err != nil {
		return nil, fmt.Errorf("transcript: %w", err)
	}
	return split(tr.Words, ends), nil
}

// split gives each sentence what was heard between the words of the carrier, "" where they were not heard: then the cut
// cannot be trusted. A sentence belongs to the place where its middle is.
func split(words []transcribe.Word, ends []float64) []string {
	out := make([]string, len(ends))
	for i := 0; i+2 < len(words); i++ {
		if plainWord(words[i]) != "patient" || plainWord(words[i+1]) != "has" {
			continue
		}
		var said []string
		j := i + 2
		for ; j < len(words) && plainWord(words[j]) != "today" && plainWord(words[j]) != "patient"; j++ {
			said = append(said, words[j].Text)
		}
		if j == len(words) || plainWord(words[j]) != "today" {
			continue
		}
		at, _ := slices.BinarySearch(ends, (words[i].Start+words[j].End)/2)
		if at < len(out) {
			out[at] = strings.Trim(strings.Join(said, " "), " ,.;:-?!")
		}
		i = j
	}
	return out
}

func plainWord(w transcribe.Word) string {
	return strings.ToLower(strings.Trim(w.Text, " ,.;:-?!"))
}

// speak returns the samples of a sentence, 16 bits, little-endian.
func speak(ctx context.Context, path, voice, text string) ([]byte, error) {
	if out, err := exec.CommandContext(ctx, "flite", "-voice", voice, "-t", text, "-o", path).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("flite: %w: %s", err, out)
	}
	wav, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(wav) < 44 || binary.LittleEndian.Uint32(wav[24:]) != rate {
		return nil, fmt.Errorf("flite's voice %s does not speak at %d Hz", voice, rate)
	}
	return wav[44:], nil
}

// header is that of a mono WAV file with n bytes of samples.
func header(n int) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF")
	for _, v := range []any{
		uint32(36 + n), []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16), []byte("data"), uint32(n),
	} {
		_ = binary.Write(&b, binary.LittleEndian, v) // into memory
	}
	return b.Bytes()
}
