package convert

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// The network of Silero VAD at 16 kHz: an STFT as a convolution, four convolutions, one LSTM cell, one output.
var (
	sileroIn  = [4]int64{129, 128, 64, 64}
	sileroOut = [4]int64{128, 64, 64, 128}
)

const (
	sileroWindow  = 512 // samples per probability: 32 ms
	sileroContext = 64  // samples of the window before
	sileroKernel  = 3
	sileroHidden  = 128
	sileroFFT     = 256
)

// Silero writes the ggml form of Silero VAD to w, from the package's 16 kHz safetensors of the given release.
func Silero(w io.Writer, r io.ReaderAt, size int64, release [3]int64) error {
	s, err := readSafetensors(r, size)
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	out := &ggmlWriter{w: bufio.NewWriter(w)}
	const kind = "silero-16k"
	out.ints(ggmlMagic, int64(len(kind)))
	_, _ = out.w.WriteString(kind)
	out.ints(release[0], release[1], release[2], sileroWindow, sileroContext, int64(len(sileroIn)))
	for i := range sileroIn {
		out.ints(sileroIn[i], sileroOut[i], sileroKernel)
	}
	out.ints(sileroHidden, sileroHidden, sileroHidden, 1)
	for _, t := range sileroTensors() {
		data, err := s.floats(t.from, t.shape...)
		if err != nil {
			return fmt.Errorf("convert: %w", err)
		}
		out.floats(t, data)
	}
	return out.flush()
}

// sileroTensor maps one tensor: from the package's name and shape to whisper.cpp's.
type sileroTensor struct {
	to, from string
	shape    []int64
	dims     []int64 // the shape without ones, except for the STFT, which whisper.cpp reads as three
	half     bool    // convolutions are float16
}

func sileroTensors() []sileroTensor {
	var list []sileroTensor
	for i := range sileroIn {
		to, from := fmt.Sprintf("_model.encoder.%d.reparam_conv.", i), fmt.Sprintf("conv%d.", i+1)
		shape := []int64{sileroOut[i], sileroIn[i], sileroKernel}
		list = append(list,
			sileroTensor{to + "weight", from + "weight", shape, shape, true},
			sileroTensor{to + "bias", from + "bias", shape[:1], shape[:1], false})
	}
	gates := []int64{4 * sileroHidden, sileroHidden}
	for _, part := range []string{"weight_ih", "weight_hh"} {
		list = append(list, sileroTensor{"_model.decoder.rnn." + part, "lstm_cell." + part, gates, gates, false})
	}
	for _, part := range []string{"bias_ih", "bias_hh"} {
		list = append(list, sileroTensor{"_model.decoder.rnn." + part, "lstm_cell." + part, gates[:1], gates[:1], false})
	}
	stft := []int64{sileroFFT + 2, 1, sileroFFT}
	return append(list,
		sileroTensor{"_model.decoder.decoder.2.weight", "final_conv.weight", []int64{1, sileroHidden, 1}, []int64{sileroHidden}, true},
		sileroTensor{"_model.decoder.decoder.2.bias", "final_conv.bias", []int64{1}, nil, false},
		sileroTensor{"_model.stft.forward_basis_buffer", "stft_conv.weight", stft, stft, true})
}

// floats writes a small tensor from memory. Silero's headers put the name's length before the type, as Whisper's do.
func (g *ggmlWriter) floats(t sileroTensor, data []float32) {
	if !t.half {
		g.head(t.to, ggmlF32, t.dims)
		for _, f := range data {
			g.float(f)
		}
		return
	}
	g.head(t.to, ggmlF16, t.dims)
	for _, f := range data {
		_, _ = g.w.Write(binary.LittleEndian.AppendUint16(nil, floatToHalf(f)))
	}
}
