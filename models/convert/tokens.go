package convert

import (
	"encoding/json"
	"fmt"
	"io"
)

// whisperTokens is the size of the byte-level vocabulary; whisper.cpp makes the special tokens above it itself.
const whisperTokens = 50257

// readTokens reads the vocabulary from a tokenizer.json and returns its tokens as raw bytes, in order of their ids.
func readTokens(r io.Reader) ([][]byte, error) {
	var file struct {
		Model struct {
			Vocab map[string]int `json:"vocab"`
		} `json:"model"`
	}
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w: %w", err, ErrFormat)
	}
	tokens := make([][]byte, whisperTokens)
	bytesOf := byteAlphabet()
	seen := 0
	for text, id := range file.Model.Vocab {
		if id < 0 || id >= whisperTokens {
			continue
		}
		if tokens[id] != nil {
			return nil, fmt.Errorf("tokenizer.json has two tokens %d: %w", id, ErrFormat)
		}
		raw, err := rawToken(text, bytesOf)
		if err != nil {
			return nil, err
		}
		tokens[id] = raw
		seen++
	}
	if seen != whisperTokens {
		return nil, fmt.Errorf("tokenizer.json has %d of %d tokens: %w", seen, whisperTokens, ErrFormat)
	}
	return tokens, nil
}

func rawToken(text string, bytesOf map[rune]byte) ([]byte, error) {
	raw := make([]byte, 0, len(text))
	for _, r := range text {
		b, ok := bytesOf[r]
		if !ok {
			return nil, fmt.Errorf("tokenizer.json: %q is no byte-level character: %w", r, ErrFormat)
		}
		raw = append(raw, b)
	}
	return raw, nil
}

// byteAlphabet maps the printable stand-ins of byte-level BPE to bytes: printable Latin-1 stands for itself, the other
// bytes for U+0100 onwards, in order.
func byteAlphabet() map[rune]byte {
	m := make(map[rune]byte, 256)
	next := rune(256)
	for b := range 256 {
		if b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae {
			m[rune(b)] = byte(b)
			continue
		}
		m[next] = byte(b)
		next++
	}
	return m
}
