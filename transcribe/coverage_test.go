package transcribe

import (
	"context"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"vesper/transcribe/audio"
)

func TestEverySecondOfSpeechEndsAsWordsOrUnheardOrStruck(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pcm := drawRecording(t)
		e := &babbler{seed: rapid.Uint64().Draw(t, "seed"), slots: 2}
		set := Settings{ChunkSeconds: rapid.Float64Range(4, 28).Draw(t, "chunk")}
		tr, err := Transcriber{Engine: e}.Run(context.Background(), pcm, RunOptions{Settings: set})
		if err != nil {
			t.Fatal(err)
		}
		r := &run{engine: e, pcm: pcm, settings: tr.Settings}
		plan, err := r.planAll(context.Background(), func(Chunk) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range plan.Speech {
			if s.Loud {
				continue
			}
			from, to, silent := round3(seconds(s.From)), round3(seconds(s.To)), 0.0
			for _, sp := range tr.Spans {
				if sp.Kind == SpanSilence {
					silent += max(0, min(to, sp.End)-max(from, sp.Start))
				}
			}
			alone := silent > to-from-0.002
			if silent > 0.002 && !(alone && to-from < aloneFrom) {
				t.Fatalf("speech from %v to %v, %v s of it silence in %+v", from, to, silent, tr.Spans)
			}
		}
	})
}

// stuck is an engine that says the same again and again, whatever is tried.
type stuck struct{ babbler }

func (s *stuck) Hear(context.Context, []float32) (Hearing, error) {
	return &stuckHearing{babbling{&s.babbler, make([]float32, audio.Rate)}}, nil
}

type stuckHearing struct{ babbling }

func (*stuckHearing) NoSpeech() float64 { return 0 }

func (*stuckHearing) Decode(context.Context, DecodeOptions) ([]Decoding, error) {
	d := Decoding{Ended: true}
	for range 12 {
		d.Tokens = append(d.Tokens, Token{ID: 1, Text: []byte(babble[1]), LogP: -0.1, End: -1})
	}
	return []Decoding{d}, nil
}

func TestAChunkThatNoAttemptCouldMendIsCalledUnreliable(t *testing.T) {
	t.Parallel()
	tr, err := Transcriber{Engine: &stuck{babbler{slots: 1}}}.Run(t.Context(), tone(10*audio.Rate), RunOptions{Settings: Settings{Vocabulary: NoVocabulary}})
	if err != nil {
		t.Fatal(err)
	}
	got := tr.Unreliable()
	if len(got) != 1 || got[0].Reason != ReasonLoop || got[0].Start > 0.1 {
		t.Fatalf("unreliable: %+v of %+v", got, tr.Spans)
	}
	if !slices.ContainsFunc(tr.Spans, func(s Span) bool { return s.Kind == SpanStruck && s.Reason == ReasonLoop }) {
		t.Fatalf("the loop is not struck: %+v", tr.Spans)
	}
}

func TestWordsAreDistrustedExactlyWhereTheirChunkFailed(t *testing.T) {
	t.Parallel()
	spans := []Span{{0, 4, SpanWords, "", ""}, {4, 5, SpanSilence, "", ""}, {5, 9, SpanWords, "", ""}, {9, 10, SpanUnheard, ReasonNoWords, ""}, {10, 12, SpanWords, "", ""}}
	got := distrust(spans, []Span{{Start: 3, End: 8, Reason: ReasonCut}, {Start: 7.5, End: 8.5, Reason: ReasonCut}, {Start: 11, End: 20, Reason: ReasonLoop}})
	want := []Span{
		{0, 3, SpanWords, "", ""},
		{3, 4, SpanWords, ReasonCut, ""},
		{4, 5, SpanSilence, "", ""},
		{5, 8.5, SpanWords, ReasonCut, ""},
		{8.5, 9, SpanWords, "", ""},
		{9, 10, SpanUnheard, ReasonNoWords, ""},
		{10, 11, SpanWords, "", ""},
		{11, 12, SpanWords, ReasonLoop, ""},
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
	stretches := Transcript{Spans: got}.Unreliable()
	if len(stretches) != 2 || stretches[0].Start != 3 || stretches[0].End != 8.5 || stretches[1].Start != 11 {
		t.Fatalf("stretches %+v", stretches)
	}
}
