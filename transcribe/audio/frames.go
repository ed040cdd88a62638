package audio

// matchFrame knows MPEG audio by two frames in a row, because two bytes of sync occur in any data.
func matchFrame(head []byte) Container {
	for start := 0; start+4 <= len(head) && start < 2048; start++ {
		if head[start] != 0xff {
			if start == 0 && head[0] != 0 { // only zero padding may stand before the first frame
				return ""
			}
			if head[start] != 0 {
				return ""
			}
			continue
		}
		if n := mp3FrameLength(head[start:]); n > 0 && nextFrame(head, start+n, mp3FrameLength) {
			return MP3
		}
		if n := adtsFrameLength(head[start:]); n > 0 && nextFrame(head, start+n, adtsFrameLength) {
			return AAC
		}
		return ""
	}
	return ""
}

func nextFrame(head []byte, at int, length func([]byte) int) bool {
	return at+4 > len(head) || length(head[at:]) > 0
}

var mp3Kbps = [2][16]int{ // layer III: MPEG-1, then MPEG-2 and 2.5 (ISO 11172-3, 13818-3)
	{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
	{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
}

func mp3FrameLength(b []byte) int {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 || b[1]>>1&3 != 1 {
		return 0
	}
	version, rateIndex := b[1]>>3&3, int(b[2]>>2&3)
	if version == 1 || rateIndex == 3 {
		return 0
	}
	rate, table, samples := []int{44100, 48000, 32000}[rateIndex], 0, 144000
	if version != 3 {
		rate, table, samples = rate/2, 1, 72000
		if version == 0 {
			rate /= 2
		}
	}
	kbps := mp3Kbps[table][b[2]>>4]
	if kbps == 0 {
		return 0
	}
	return samples*kbps/rate + int(b[2]>>1&1)
}

func adtsFrameLength(b []byte) int {
	if len(b) < 6 || b[0] != 0xff || b[1]&0xf6 != 0xf0 || b[2]>>2&15 > 12 {
		return 0
	}
	n := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
	if n < 7 {
		return 0
	}
	return n
}
