package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"vesper/internal/fault"
	"vesper/internal/lexicon"
	"vesper/models"
	"vesper/pipeline"
	"vesper/transcribe"
	"vesper/transcribe/audio"
	"vesper/transcribe/whisper"
)

// recogniser joins decoding, chunking and the engine's processes into what the pipeline asks for.
type recogniser struct {
	pool    *whisper.Pool
	check   *whisper.Pool // of the second model; nil: there is none
	lexicon *lexicon.Lexicon
	flags   engineFlags
	audio   audio.Options
}

func (r *recogniser) transcriber() transcribe.Transcriber {
	t := transcribe.Transcriber{Engine: r.pool, Lexicon: r.lexicon}
	if r.check != nil {
		t.Check = r.check
	}
	return t
}

// modelName is the chosen model or the default for this machine.
func (f engineFlags) modelName() string {
	if f.Model != "" {
		return f.Model
	}
	return models.Default(models.Detect())
}

// check refuses a model that nobody knows before anything starts; waiting for it would be for ever.
func (f engineFlags) check() error {
	for _, name := range []string{f.Model, f.CheckModel} {
		if name == "" || strings.ContainsRune(name, filepath.Separator) {
			continue
		}
		if _, err := models.Find(name); err != nil {
			return err
		}
	}
	return nil
}

// settings freezes what a transcription depends on. The model's digest is known once the model is here; before that the
// engine fills it in.
func (f engineFlags) settings() ([]byte, error) {
	var facts transcribe.ModelFacts
	if file, err := (&models.Store{Dir: f.ModelsDir}).Lookup(f.modelName()); err == nil {
		facts = transcribe.ModelFacts{Name: file.Name, SHA256: file.SHA256}
	}
	raw, err := json.Marshal(transcribe.Settings{Language: f.Language}.Freeze(facts))
	if err != nil {
		return nil, fmt.Errorf("encode settings: %w", err)
	}
	return raw, nil
}

// openRecogniser verifies the models, fetching them if they are missing, and starts the engine's processes.
func openRecogniser(ctx context.Context, rt *runtime, f engineFlags) (*recogniser, error) {
	terms, err := f.terms()
	if err != nil {
		return nil, err
	}
	if f.Children <= 0 && f.CheckModel != "" { // both models' children share the memory
		if f.Children, err = f.share(ctx, rt); err != nil {
			return nil, err
		}
	}
	pool, err := f.openPool(ctx, rt, f.modelName())
	if err != nil {
		return nil, err
	}
	r := &recogniser{pool: pool, lexicon: terms, flags: f}
	if f.CheckModel == "" {
		return r, nil
	}
	if r.check, err = f.openPool(ctx, rt, f.CheckModel); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return r, nil
}

// share is how many children each of the two models may have.
func (f engineFlags) share(ctx context.Context, rt *runtime) (int, error) {
	store := f.modelStore(rt)
	model, err := store.Ensure(ctx, f.modelName())
	if err != nil {
		return 0, err
	}
	check, err := store.Ensure(ctx, f.CheckModel)
	if err != nil {
		return 0, err
	}
	return whisper.FitChildren(f.onGPU(), model.Path, check.Path), nil
}

func (f engineFlags) onGPU() bool { return f.GPU || models.Detect().GPU }

// openPool verifies one model, fetching it if it is missing, and makes a pool of as many children as memory holds.
func (f engineFlags) openPool(ctx context.Context, rt *runtime, name string) (*whisper.Pool, error) {
	store := f.modelStore(rt)
	model, err := store.Ensure(ctx, name)
	if err != nil {
		return nil, err
	}
	vad, err := store.Ensure(ctx, models.SileroVAD)
	if err != nil {
		return nil, err
	}
	return whisper.New(ctx, whisper.Config{
		Watch: rt.watch.pool(),
		Model: engineFile(model), VAD: engineFile(vad), Children: f.Children, Log: rt.log, GPU: f.onGPU(),
		Memory: uint64(max(f.ChildMemory, 0)) << 20,
	})
}

// terms is the lexicon with the imported lists. A damaged list stops the engine, with its name and line, rather than be
// left out in silence.
func (f engineFlags) terms() (*lexicon.Lexicon, error) {
	dir := f.VocabularyDir
	if dir == "" {
		dir = vocabularyFolder{Data: "./data"}.path()
	}
	return lexicon.DefaultWith(dir)
}

func engineFile(f models.File) whisper.File {
	return whisper.File{Name: f.Name, Path: f.Path, SHA256: f.SHA256}
}

// waitForRecogniser opens the recogniser and warms it, trying again while the model cannot be had: recordings are taken
// meanwhile, and wait.
func waitForRecogniser(ctx context.Context, rt *runtime, f engineFlags) (*recogniser, error) {
	for pause := 5 * time.Second; ; pause = min(2*pause, time.Minute) {
		r, err := openRecogniser(ctx, rt, f)
		if err == nil {
			if err = r.pool.Warm(ctx); err == nil {
				rt.log.Info("engine is ready", "model", r.pool.Model().Name, "slots", r.Slots())
				return r, nil
			}
			r.Close()
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		rt.log.Error("no engine: recordings are taken and wait for it", "code", fault.As(err).Code, "do", fault.As(err).Public, "err", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Slots is how many transcriptions can run without slowing each other.
func (r *recogniser) Slots() int { return r.pool.Slots() }

// Close ends the engine's processes.
func (r *recogniser) Close() error {
	if r.check == nil {
		return r.pool.Close()
	}
	return errors.Join(r.check.Close(), r.pool.Close())
}

// file transcribes one recording on disk, with progress on the terminal. What is done when it is interrupted is taken up
// again by the next call for the same recording.
func (r *recogniser) file(rt *runtime, path string) (transcribe.Transcript, error) {
	saved, err := openUnfinished(path)
	if err != nil {
		return transcribe.Transcript{}, err
	}
	show := statusLine(rt)
	began, name := time.Now(), filepath.Base(path)
	var done, total int
	var heard float64
	t, err := r.transcriber().File(rt.ctx, path, transcribe.FileOptions{Audio: r.audio, Run: transcribe.RunOptions{
		Settings: transcribe.Settings{Language: r.flags.Language},
		Resume:   saved.results,
		OnPlan: func(d, t int) {
			if done, total = d, t; d > 0 {
				fmt.Fprintf(rt.errOut, "%s: goes on after %d of %d parts\n", name, d, t)
			}
		},
		OnChunk: func(c transcribe.ChunkResult) error {
			done++
			heard += c.End - c.Start
			if total > 2 {
				show(fmt.Sprintf("%s: %d %%, %.1f × real time", name, 100*done/total, heard/time.Since(began).Seconds()), done == total)
			}
			return saved.add(c)
		},
	}})
	switch {
	case err == nil:
		saved.remove()
	case rt.ctx.Err() != nil && done > 0:
		fmt.Fprintf(rt.errOut, "%s: interrupted after %d of %d parts; the same command goes on from there\n", name, done, total)
	}
	return t, errors.Join(err, saved.close())
}

// Decode implements pipeline.Recogniser.
func (r *recogniser) Decode(ctx context.Context, path string) (pipeline.Sound, error) {
	pcm, err := audio.Decode(ctx, path, r.audio)
	if err != nil {
		return nil, err
	}
	return sound{pcm}, nil
}

// Transcribe implements pipeline.Recogniser.
func (r *recogniser) Transcribe(ctx context.Context, s pipeline.Sound, sha256 string, settings []byte, saved [][]byte,
	onChunk func(number, total int, result []byte) error,
) (transcribe.Transcript, error) {
	pcm, ok := s.(sound)
	if !ok {
		return transcribe.Transcript{}, fmt.Errorf("transcribe: %T is not a sound of this recogniser", s)
	}
	o := transcribe.RunOptions{}
	if err := json.Unmarshal(settings, &o.Settings); err != nil {
		return transcribe.Transcript{}, fault.Wrap(err, fault.Invalid, "job_settings", "The job's settings cannot be read. Order the stage again.")
	}
	for _, raw := range saved {
		var c transcribe.ChunkResult
		if err := json.Unmarshal(raw, &c); err != nil {
			return transcribe.Transcript{}, fmt.Errorf("read saved chunk: %w", err)
		}
		o.Resume = append(o.Resume, c)
	}
	var number, total int
	o.OnPlan = func(done, all int) { number, total = done, all }
	o.OnChunk = func(c transcribe.ChunkResult) error {
		raw, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("encode chunk: %w", err)
		}
		number++
		return onChunk(number, total, raw)
	}
	t, err := r.transcriber().Run(ctx, pcm.PCM, o)
	t.Audio.SHA256 = sha256
	return t, err
}

// sound is a decoded recording.
type sound struct{ *audio.PCM }

// WriteWAV implements pipeline.Sound: a 44-byte RIFF header and 16-bit little-endian samples. go-audio/wav's encoder
// needs a seekable file and an int buffer four times the size; the fixed header is simpler than the adapter would be.
func (s sound) WriteWAV(ctx context.Context, w io.Writer) error {
	const bytesPerSample = 2
	size := s.Samples() * bytesPerSample
	if size > math.MaxUint32-44 {
		return fault.New(fault.TooLarge, "audio_too_long", "The recording is too long for playback. Split it and send the parts.")
	}
	out := bufio.NewWriterSize(w, 1<<16)
	header := []any{
		[4]byte{'R', 'I', 'F', 'F'},
		uint32(36 + size),
		[8]byte{'W', 'A', 'V', 'E', 'f', 'm', 't', ' '},
		uint32(16), uint16(1), uint16(1),
		uint32(audio.Rate), uint32(audio.Rate * bytesPerSample), uint16(bytesPerSample), uint16(16),
		[4]byte{'d', 'a', 't', 'a'},
		uint32(size),
	}
	for _, field := range header {
		if err := binary.Write(out, binary.LittleEndian, field); err != nil {
			return fmt.Errorf("write wav header: %w", err)
		}
	}
	samples, raw := make([]float32, 1<<15), make([]byte, bytesPerSample<<15)
	for at := 0; at < s.Samples(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.Read(samples, at)
		if n == 0 && err != nil {
			return fmt.Errorf("read samples: %w", err)
		}
		for i, x := range samples[:n] {
			v := max(-32768, min(32767, math.Round(float64(x)*32767)))
			binary.LittleEndian.PutUint16(raw[i*bytesPerSample:], uint16(int16(v)))
		}
		if _, err := out.Write(raw[:n*bytesPerSample]); err != nil {
			return fmt.Errorf("write samples: %w", err)
		}
		at += n
	}
	return out.Flush()
}
