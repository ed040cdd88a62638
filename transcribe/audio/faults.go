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
)

func errEmpty() error {
	return fault.New(fault.Invalid, CodeEmpty, "The file is empty (0 bytes). Record again or choose another file.")
}

func errNoSound() error {
	return fault.New(fault.Invalid, CodeEmpty, "The recording holds no sound data. Record again or choose another file.")
}

func errNotAudio(cause error) error {
	return fault.Wrap(cause, fault.Invalid, CodeNotAudio,
		"This is not an audio recording. Send WAV, MP3, M4A, OGG/Opus, WebM or FLAC.")
}

func errCorrupt(cause error) error {
	return fault.Wrap(cause, fault.Invalid, CodeCorrupt,
		"The recording is damaged and cannot be read. Copy it again from the recorder, or record again.")
}

func errUnsupported(what string, cause error) error {
	return fault.Wrap(cause, fault.Unsupported, CodeUnsupported,
		what+" is not supported. Send WAV, MP3, M4A, OGG/Opus, WebM or FLAC.")
}

func errNoTrack(cause error) error {
	return fault.Wrap(cause, fault.Invalid, CodeNoTrack, "The file has no sound track. Choose a file with a recording.")
}

func errTooLong(limit time.Duration) error {
	return fault.New(fault.TooLarge, CodeTooLong,
		fmt.Sprintf("The recording is longer than %s. Split it and send the parts.", limit.Round(time.Minute)))
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
