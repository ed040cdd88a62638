package transcribe

// finder turns frames into stretches of speech as they come: the detector's view with hysteresis, and loud stretches that
// the detector missed, because it loses quiet and distant voices and a lost sentence is worse than a wasted decode. What
// it says of a frame depends on that frame, those before, and at most a pause's length behind it, so it says the same
// whether frames come one by one or all at once.
type finder struct {
	seen        int    // frames
	soft        int    // first frame of the run above speechOff that the newest frame ends; −1: none
	start, last int    // of the open stretch: its first frame, −1 for none, and its last frame above speechOff
	ended       int    // frame behind the last stretch
	settled     int    // frames before it are known to be in a stretch or not
	loud        []bool // of the frames from settled on
	loudStart   int    // of the open loud stretch; −1: none
	loudLast    int
	found       []Region // in order
}

func newFinder() *finder { return &finder{soft: -1, start: -1, loudStart: -1} }

// add takes the next frame: the probability of speech in it, and whether it stands out of the noise.
func (f *finder) add(p float32, loud bool) {
	i := f.seen
	f.seen++
	f.loud = append(f.loud, loud)
	switch {
	case p < speechOff:
		f.soft = -1
	case f.soft < 0:
		f.soft = i
	default:
		f.soft = max(f.soft, i-softReach)
	}
	switch {
	case f.start < 0 && p >= speechOn:
		f.settle(max(f.soft, f.ended))
		f.start, f.last = max(f.soft, f.ended), i
	case f.start >= 0 && p >= speechOff:
		f.last = i
	case f.start >= 0 && i-f.last >= minPause:
		f.close()
		f.settle(f.seen)
	case f.start < 0 && f.soft < 0:
		f.settle(f.seen)
	case f.start < 0:
		f.settle(f.soft)
	}
	if f.start >= 0 && f.last+1-f.start >= minSpeech {
		f.endLoud()
	}
}

// end takes note that there are no more frames.
func (f *finder) end() {
	if f.start >= 0 {
		f.close()
	}
	f.settle(f.seen)
	f.endLoud()
}

// close ends the open stretch at its last frame. One that is too short was a click.
func (f *finder) close() {
	from, to := f.start, f.last+1
	f.start = -1
	if to-from < minSpeech {
		return
	}
	f.settle(from)
	f.endLoud()
	f.found = append(f.found, Region{From: from * FrameSamples, To: to * FrameSamples})
	f.loud = f.loud[to-f.settled:]
	f.settled, f.ended = to, to
}

// settle looks for loud stretches among the frames up to one that are now known to be in no stretch of speech.
func (f *finder) settle(upto int) {
	for f.settled < upto {
		i, loud := f.settled, f.loud[0]
		f.settled, f.loud = f.settled+1, f.loud[1:]
		switch {
		case loud && f.loudStart < 0:
			f.loudStart, f.loudLast = i, i
		case loud:
			f.loudLast = i
		case f.loudStart >= 0 && i-f.loudLast > cutSmooth:
			f.endLoud()
		}
	}
}

func (f *finder) endLoud() {
	if f.loudStart >= 0 && f.loudLast+1-f.loudStart >= guardRun {
		f.found = append(f.found, Region{From: f.loudStart * FrameSamples, To: (f.loudLast + 1) * FrameSamples, Loud: true})
	}
	f.loudStart = -1
}

// open returns the stretch that is still going on, as far as it is certain, and the sample before which nothing will be
// found that is not found yet.
func (f *finder) open() (r Region, is bool, nothingBefore int) {
	switch {
	case f.start >= 0 && f.last+1-f.start >= minSpeech:
		return Region{From: f.start * FrameSamples, To: (f.last + 1) * FrameSamples}, true, f.start * FrameSamples
	case f.loudStart >= 0 && f.loudLast+1-f.loudStart >= guardRun:
		return Region{From: f.loudStart * FrameSamples, To: (f.loudLast + 1) * FrameSamples, Loud: true}, true, f.loudStart * FrameSamples
	case f.loudStart >= 0:
		return r, false, f.loudStart * FrameSamples
	case f.start >= 0:
		return r, false, min(f.start, f.settled) * FrameSamples
	default:
		return r, false, f.settled * FrameSamples
	}
}

// noiseFloor is the loudness of the quietest quarter of a second that is not digital silence; 0 if there is none. Speech
// always leaves such gaps; a share of all frames, as the tenth percentile, lies inside speech where it is dense.
func noiseFloor(loudness []float32) float64 {
	floor, sum, n := 0.0, 0.0, 0
	for i, db := range loudness {
		if db <= digitalSilence {
			sum, n = 0, 0
			continue
		}
		if sum, n = sum+float64(db), n+1; n > floorFrames {
			sum, n = sum-float64(loudness[i-floorFrames]), floorFrames
		}
		if n == floorFrames {
			floor = min(floor, sum/floorFrames)
		}
	}
	return floor
}

// loudFrom is the level from which a frame stands out of the noise around it.
func loudFrom(loudness []float32) float32 {
	return float32(max(noiseFloor(loudness)+guardAboveFloor, quietest))
}
