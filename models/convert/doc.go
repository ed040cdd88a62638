// Package convert turns published weights into the ggml files that whisper.cpp reads: Whisper from CTranslate2's float16
// model.bin, and the Silero voice activity detector from safetensors. It reads tensors where they lie and copies them
// one at a time, so that memory stays small whatever the model's size, and the same input always yields the same bytes.
package convert
