package whisper

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// vocabulary holds the text tokens of a model. Their ids are also the ranks of byte-pair merging (Sennrich et al. 2016, on
// bytes as in GPT-2): of two neighbours that together are a token, those with the lowest id are joined first.
type vocabulary struct {
	text [][]byte
	id   map[string]int
}

const (
	ggmlMagic    = 0x67676d6c
	headerFields = 11
	mostFilters  = 1 << 20
	longestToken = 1 << 10
	textTokens   = 50_256 // in every Whisper vocabulary the first are text; what follows are marks
)

// readVocabulary reads the tokens in the head of a ggml model file.
func readVocabulary(path string) (*vocabulary, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read vocabulary: %w", err)
	}
	defer f.Close()
	v, err := parseVocabulary(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("read vocabulary: %w", err)
	}
	return v, nil
}

func parseVocabulary(r io.Reader) (*vocabulary, error) {
	var head struct {
		Magic    uint32
		Fields   [headerFields]int32
		Mel, FFT int32
	}
	if err := binary.Read(r, binary.LittleEndian, &head); err != nil {
		return nil, err
	}
	filters := int64(head.Mel) * int64(head.FFT)
	if head.Magic != ggmlMagic || filters <= 0 || filters > mostFilters {
		return nil, fmt.Errorf("no ggml model: magic %x, %d filters", head.Magic, filters)
	}
	if _, err := io.CopyN(io.Discard, r, 4*filters); err != nil {
		return nil, err
	}
	var n int32
	if err := binary.Read(r, binary.LittleEndian, &n); err != nil {
		return nil, err
	}
	if n < textTokens {
		return nil, fmt.Errorf("%d tokens", n)
	}
	v := &vocabulary{text: make([][]byte, 0, textTokens), id: make(map[string]int, textTokens)}
	for i := range textTokens {
		var size uint32
		if err := binary.Read(r, binary.LittleEndian, &size); err != nil {
			return nil, err
		}
		if size > longestToken {
			return nil, fmt.Errorf("token %d has %d bytes", i, size)
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		v.text = append(v.text, b)
		if _, double := v.id[string(b)]; !double && size > 0 {
			v.id[string(b)] = i
		}
	}
	return v, nil
}

// bytes is the text of a token, nil for a mark.
func (v *vocabulary) bytes(id int) []byte {
	if id < 0 || id >= len(v.text) {
		return nil
	}
	return v.text[id]
}

// encode splits text into pieces as the model was trained on (contractions, words with the space before them, numbers,
// other signs, spaces) and merges the bytes of each.
func (v *vocabulary) encode(text string) []int {
	var out []int
	for text != "" {
		n := nextPiece(text)
		out = append(out, v.merge(text[:n])...)
		text = text[n:]
	}
	return out
}

func (v *vocabulary) merge(piece string) []int {
	if id, ok := v.id[piece]; ok {
		return []int{id}
	}
	cuts := make([]int, 0, len(piece)+1)
	for i := range len(piece) + 1 {
		cuts = append(cuts, i)
	}
	for {
		best, at := math.MaxInt, -1
		for i := 0; i+2 < len(cuts); i++ {
			if id, ok := v.id[piece[cuts[i]:cuts[i+2]]]; ok && id < best {
				best, at = id, i
			}
		}
		if at < 0 {
			break
		}
		cuts = append(cuts[:at+1], cuts[at+2:]...)
	}
	out := make([]int, 0, len(cuts))
	for i := 0; i+1 < len(cuts); i++ {
		if id, ok := v.id[piece[cuts[i]:cuts[i+1]]]; ok {
			out = append(out, id)
		}
	}
	return out
}

// nextPiece is the length of the piece that a text begins with.
func nextPiece(s string) int {
	for _, c := range []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(s, c) {
			return len(c)
		}
	}
	first, size := utf8.DecodeRuneInString(s)
	lead := 0
	if first == ' ' && len(s) > size {
		lead = size
		first, _ = utf8.DecodeRuneInString(s[size:])
	}
	for _, class := range []func(rune) bool{unicode.IsLetter, unicode.IsNumber, isOther} {
		if class(first) {
			return lead + length(s[lead:], class)
		}
	}
	// Spaces: all but the last, which goes with the word after them; all of them at the end of the text.
	n := length(s, unicode.IsSpace)
	if n < len(s) {
		if _, last := utf8.DecodeLastRuneInString(s[:n]); n > last {
			return n - last
		}
	}
	return max(n, 1)
}

func isOther(r rune) bool { return !unicode.IsSpace(r) && !unicode.IsLetter(r) && !unicode.IsNumber(r) }

func length(s string, class func(rune) bool) int {
	if n := strings.IndexFunc(s, func(r rune) bool { return !class(r) }); n >= 0 {
		return n
	}
	return len(s)
}
