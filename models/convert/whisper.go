package convert

import (
	"bufio"
	"context"
	"fmt"
	"io"
)

// dims are the sizes that a ggml header states.
type dims struct {
	vocab, audioCtx, state, head, audioLayer, textCtx, textLayer, mels int64
}

// Whisper writes the ggml form of a Whisper model to w. The tokens are the tokenizer.json that comes with the weights.
// Matrices stay float16, all else becomes float32, as in the files that whisper.cpp's authors publish.
func Whisper(ctx context.Context, w io.Writer, m *CT2, tokenizer io.Reader) error {
	if m.Spec != "WhisperSpec" {
		return fmt.Errorf("convert: the file holds a %q, not a WhisperSpec: %w", m.Spec, ErrFormat)
	}
	d, err := m.dims()
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	plan, err := m.plan(d)
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	tokens, err := readTokens(tokenizer)
	if err != nil {
		return fmt.Errorf("convert: read tokens: %w", err)
	}
	out := &ggmlWriter{w: bufio.NewWriterSize(w, 1<<20)}
	out.ints(ggmlMagic, d.vocab, d.audioCtx, d.state, d.head, d.audioLayer, d.textCtx, d.state, d.head, d.textLayer, d.mels, 1)
	out.mel(int(d.mels))
	out.tokens(tokens)
	for _, t := range plan {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.tensor(m, t); err != nil {
			return fmt.Errorf("convert %s: %w", t.name, err)
		}
	}
	return out.flush()
}

func (m *CT2) dims() (d dims, err error) {
	embed, err := m.need("decoder/embeddings/weight", ct2F16, -1, -1)
	if err != nil {
		return d, err
	}
	d.vocab, d.state = embed.Dims[0], embed.Dims[1]
	audio, err := m.need("encoder/position_encodings/encodings", ct2F16, -1, d.state)
	if err != nil {
		return d, err
	}
	text, err := m.need("decoder/position_encodings/encodings", ct2F16, -1, d.state)
	if err != nil {
		return d, err
	}
	conv, err := m.need("encoder/conv1/weight", ct2F16, d.state, -1, 3)
	if err != nil {
		return d, err
	}
	d.audioCtx, d.textCtx, d.mels = audio.Dims[0], text.Dims[0], conv.Dims[1]
	if d.head, err = m.scalar("encoder/num_heads"); err != nil {
		return d, err
	}
	d.audioLayer, d.textLayer = m.layers("encoder"), m.layers("decoder")
	return d, nil
}

func (m *CT2) layers(side string) (n int64) {
	for {
		if _, ok := m.Vars[fmt.Sprintf("%s/layer_%d/ffn/linear_0/weight", side, n)]; !ok {
			return n
		}
		n++
	}
}
