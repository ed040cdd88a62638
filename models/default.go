package models

// Hardware is what the choice of a model depends on.
type Hardware struct {
	CPUs         int
	MemoryMiB    int  // 0: unknown
	GPU          bool // usable by this build of whisper.cpp
	GPUMemoryMiB int  // memory the GPU may use, its own or shared; 0: unknown
}

// What a GPU must have for the larger models: the model's memory (MemoryMiB in the catalogue) with room for a second
// engine and the desktop.
const (
	turboGPUMiB = 6 << 10
	turboRAMMiB = 8 << 10
	smallGPUMiB = 2 << 10
	smallRAMMiB = 4 << 10
)

// Default names the model that a machine gets when its settings name none:
//
//   - without a GPU: base-q8_0. Two cores transcribe faster than people dictate; q8_0 is half the size of
//     float16 and no slower;
//   - with a GPU of 2 GiB and 4 GiB of memory: small-q8_0;
//   - with a GPU of 6 GiB and 8 GiB of memory: large-v3-turbo-q8_0.
func Default(hw Hardware) string {
	switch {
	case hw.GPU && hw.GPUMemoryMiB >= turboGPUMiB && hw.MemoryMiB >= turboRAMMiB:
		return "large-v3-turbo-q8_0"
	case hw.GPU && hw.GPUMemoryMiB >= smallGPUMiB && hw.MemoryMiB >= smallRAMMiB:
		return "small-q8_0"
	default:
		return "base-q8_0"
	}
}
