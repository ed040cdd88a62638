package audio

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"vesper/internal/fault"
)

// The stable codes of what can be wrong with a recording.
const (
	CodeEmpty       = "audio_empty"
	CodeNotAudio    = "audio_not_audio"
	CodeCorrupt     = "audio_corrupt"
	CodeUnsupported = "audio_unsupported"
	CodeNoTrack     = "audio_no_track"
	CodeTooLong     = "audio_too_long"
	CodeTooComplex  = "audio_too_complex"
	CodeUnreadable  = "audio_unreadable"
	CodeTimeout     = "audio_timeout"
	CodeNoFFmpeg    = "ffmpeg_missing"
	CodeTempSpace   = "audio_temp_space"
	CodeTooBig      = "audio_too_big"
	CodeStalled     = "audio_stalled"
	CodeBrokenOff   = "audio_broken_off"
)

func errEmpty() error {
	return fault.New(fault.Invalid, CodeEmpty, "The file is empty (0 bytes). Record again or choose another file.")
}

func errNoSound() error {
	return fault.New(fault.Invalid, CodeEmpty, "The recording holds no sound data. Record again or choose another file.")
}

func errNotAudio(cause error) error {
	return fault.Wrap(cause, fault.Invalid, CodeNotAudio,
		"This is not an audio recording. Send "+supported+".")
}

func errCorrupt(cause error) error {
	return fault.Wrap(cause, fault.Invalid, CodeCorrupt,
		"The recording is damaged and cannot be read. Copy it again from the recorder, or record again.")
}

func errUnsupported(what string, cause error) error {
	return fault.Wrap(cause, fault.Unsupported, CodeUnsupported,
		what+" is not supported. Send "+supported+".")
}

// errDS2 is its own text: the maker's software is the only way, as the format is closed and often encrypted.
func errDS2(what string) error {
	return fault.New(fault.Unsupported, CodeUnsupported, what+" cannot be read: it is closed, often encrypted, and no free decoder "+
		"exists. Export the dictation as WAV, MP3 or DSS with the recorder's software, or set the recorder to DSS or MP3.")
}

func errNoTrack(cause error) error {
	return fault.Wrap(cause, fault.Invalid, CodeNoTrack, "The file has no sound track. Choose a file with a recording.")
}

func errTooLong(limit time.Duration) error {
	return fault.New(fault.TooLarge, CodeTooLong,
		fmt.Sprintf("The recording is longer than %s. Split it and send the parts.", limit.Round(time.Minute)))
}

func errTooManyBytes(limit int64) error {
	return fault.New(fault.TooLarge, CodeTooBig,
		fmt.Sprintf("The recording is larger than %d MB. Split it, or send it as MP3, M4A or Opus.", limit>>20))
}

func errStalled(after time.Duration) error {
	return fault.New(fault.Unavailable, CodeStalled,
		fmt.Sprintf("No sound arrived for %s, so the recording was given up. Send it again.", after.Round(time.Millisecond)))
}

func errBrokenOff(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, CodeBrokenOff,
		"The recording stopped arriving before its end. Send it again.")
}

func errTooComplex(cause error) error {
	return fault.Wrap(cause, fault.Invalid, CodeTooComplex,
		"Reading this file took more memory or time than a recording should need. Convert it to WAV and send it again.")
}

func errUnreadable(cause error) error {
	if errors.Is(cause, fs.ErrNotExist) {
		return fault.Wrap(cause, fault.NotFound, CodeUnreadable, "There is no such file. Check the path.")
	}
	return fault.Wrap(cause, fault.Invalid, CodeUnreadable, "The file cannot be opened. Check that it exists and may be read.")
}

func errTimeout(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, CodeTimeout, "Reading the recording took too long. Try again in a moment.")
}

func errNoFFmpeg(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, CodeNoFFmpeg,
		"ffmpeg is needed for this kind of recording and is not installed. Install ffmpeg (vesper doctor says how); WAV works without it.")
}

func errTempSpace(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, CodeTempSpace,
		"There is no room for the decoded recording in the temporary folder. Free some space; it will be tried again.")
}
