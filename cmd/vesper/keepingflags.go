package main

import (
	"context"
	"time"

	"vesper/pipeline"
	"vesper/pipeline/keeping"
	"vesper/transcribe/audio"
)

// keepingFlags shape how recordings are watched and locked in the object store.
type keepingFlags struct {
	ObjectLock     string `help:"Lock originals in a store with object lock: off, governance (an account with that right can lift it) or compliance (nobody can)." enum:"off,governance,compliance" default:"off"`
	ObjectLockDays int    `help:"Days of that lock at receipt; it is renewed until the note is delivered, and then ends with the practice's rule." default:"30"`
	CheckPace      int64  `help:"MiB a minute that the slow check of all recordings reads; 0: it does not run." default:"64"`
}

// keepingDefaults are those of the tags, for flags that no command line was read for.
func keepingDefaults() keepingFlags {
	return keepingFlags{ObjectLock: "off", ObjectLockDays: 30, CheckPace: 64}
}

// lock is what the store is asked to do with originals.
func (f keepingFlags) lock() keeping.Lock {
	if f.ObjectLock == "" || f.ObjectLock == "off" || f.ObjectLockDays <= 0 {
		return keeping.Lock{}
	}
	return keeping.Lock{Mode: f.ObjectLock, For: time.Duration(f.ObjectLockDays) * 24 * time.Hour}
}

// newKeeper watches over recordings in the background.
func newKeeper(rt *runtime, p *parts, auditKey string) *keeping.Keeper {
	return &keeping.Keeper{
		Checker: &keeping.Checker{Store: p.store, Objects: p.objects, Others: otherParts(), Log: rt.log},
		Purger:  &keeping.Purger{Store: p.store, Objects: p.objects, SignKey: auditKey, Log: rt.log},
		Lock:    p.flags.lock(), Pace: p.flags.CheckPace << 20, Log: rt.log, Watch: rt.watch.stages(),
	}
}

// otherParts are the parts of the bucket that hold neither recordings nor checkpoints. Parts of uploads under way clean up
// after themselves.
func otherParts() []keeping.Known { return []keeping.Known{{Prefix: "arriving/"}} }

// newRemaker makes renditions for playback again.
func newRemaker(p *pipeline.Remaker) *pipeline.Remaker {
	p.Decode = func(ctx context.Context, path string) (pipeline.Sound, error) {
		pcm, err := audio.Decode(ctx, path, audio.Options{})
		if err != nil {
			return nil, err
		}
		return sound{pcm}, nil
	}
	return p
}
