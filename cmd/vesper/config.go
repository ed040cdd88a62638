package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"vesper/internal/fault"
	"vesper/models"
)

// databaseFlags say where PostgreSQL is.
type databaseFlags struct {
	DatabaseURL string `help:"PostgreSQL, as postgres://USER:PASSWORD@HOST:PORT/NAME." placeholder:"URL"`
}

// serviceFlags say where the other services are and which keys to use.
type serviceFlags struct {
	RedisURL        string `help:"Redis, as redis://:PASSWORD@HOST:PORT/0, redis-sentinel://… or redis-cluster://… (see docs/fleet.md)." placeholder:"URL"`
	S3Endpoint      string `env:"VESPER_S3_ENDPOINT" name:"s3-endpoint" help:"S3 store, as http(s)://HOST:PORT." placeholder:"URL"`
	S3Region        string `env:"VESPER_S3_REGION" name:"s3-region" help:"Region of the S3 store." default:"us-east-1"`
	S3AccessKey     string `env:"VESPER_S3_ACCESS_KEY" name:"s3-access-key" help:"Access key of the S3 store."`
	S3SecretKey     string `env:"VESPER_S3_SECRET_KEY" name:"s3-secret-key" help:"Secret key of the S3 store."`
	S3Bucket        string `env:"VESPER_S3_BUCKET" name:"s3-bucket" help:"Bucket for recordings; it is set up when it is missing." default:"vesper"`
	MasterKeyFile   string `help:"File with the 32-byte master key of the recordings (base64url)." placeholder:"FILE"`
	AuditKeyFile    string `help:"File with the secret key of the audit log (workers)." placeholder:"FILE"`
	AuditPublicKey  string `help:"Public key of the audit log, or a file that holds it."`
	EHRName         string `help:"Name under which deliveries to this EHR are recorded." default:"ehr" name:"ehr-name"`
	EHRURL          string `help:"Base address of the EHR's FHIR R4 API." placeholder:"URL" name:"ehr-url"`
	EHRToken        string `help:"Bearer token for the EHR." name:"ehr-token"`
	EHRAllowPrivate bool   `help:"Allow an EHR on a private or loopback address." name:"ehr-allow-private"`
	styleFlag
	NoteSystem        string `help:"URI that names this installation in note identifiers; never change it." default:"urn:vesper:note-version"`
	MaxRecordingBytes int64  `help:"Largest recording that is taken, in bytes." default:"2147483648"`
	ListenEarly       bool   `help:"Listen to long recordings while they still arrive." default:"true" negatable:""`
	limitFlags
	ScratchDir string `help:"Private folder for uploads and temporary files." default:"${scratch}" placeholder:"DIR"`
	noticeFlags
	ownScratch bool // no other process uses the scratch folder
	keepingFlags

	aroundStore func(http.RoundTripper) http.RoundTripper // counts what goes to the object store; may be nil
}

// styleFlag says how drafts are written.
type styleFlag struct {
	Style string `help:"How the practice writes: en-US, en-GB, or a file of its own style (NAME.yaml)." default:"en-US"`
}

// limitFlags say how much may wait before routine recordings are put off.
type limitFlags struct {
	QueueLimit int   `help:"Routine recordings that may wait for the engine; more are put off with Retry-After until some are done. 0: no bound." default:"10000"`
	SpoolLimit int64 `help:"Bytes that may lie in the upload spool before routine uploads are put off; 0: no bound but the disk." default:"0"`
}

// limitDefaults are those of the tags, for flags that no command line was read for.
func limitDefaults() limitFlags { return limitFlags{QueueLimit: 10_000} }

// engineFlags choose the model and the size of the engine.
type engineFlags struct {
	Model       string   `help:"Whisper model; empty: the best this machine can run well (see vesper models list)."`
	CheckModel  string   `help:"Second model that listens again and doubts doses, numbers, negations and sides that it hears otherwise; empty: none."`
	Language    string   `help:"Language spoken." default:"en"`
	Children    int      `help:"Engine processes, one thread each; 0: one for each core, as memory allows."`
	GPU         bool     `help:"Use the GPU that whisper.cpp was built for (see docs/fleet.md)." name:"gpu"`
	ModelsDir   string   `help:"Folder of the models; empty: the cache." placeholder:"DIR"`
	ModelMirror []string `help:"Folders or addresses to look for model files first." placeholder:"PLACE"`

	Grace       time.Duration `help:"How long running work may take to come to a point where it is saved when the worker is told to stop." default:"20s"`
	ChildMemory int           `help:"Most memory one engine process may take beside the shared weights, in MiB; 0: as its model needs." name:"child-memory"`

	VocabularyDir string `help:"Folder of imported lists of terms; empty: vocabulary in the data folder." placeholder:"DIR"`
}

// yamlFile resolves flags from a YAML file: one key for each flag, with its long name, in which
// underscores stand for hyphens as people like.
type yamlFile map[string]any

func yamlResolver(r io.Reader) (kong.Resolver, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	read := map[string]any{}
	if err := yaml.Unmarshal(raw, &read); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "config_yaml", "The configuration file is not valid YAML.")
	}
	values := yamlFile{}
	for key, value := range read {
		values[strings.ReplaceAll(key, "_", "-")] = value
	}
	return values, nil
}

// Resolve implements kong.Resolver.
func (y yamlFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	return y[flag.Name], nil
}

// Validate refuses keys that no command has: a misspelt setting must not be ignored.
func (y yamlFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if f, ok := node.(*kong.Flag); ok {
			known[f.Name] = true
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	for key := range y {
		if !known[key] {
			return fmt.Errorf("the configuration file has a setting %q that no command knows", key)
		}
	}
	return nil
}

// need checks that required settings are there and names the flags that are missing.
func need(settings map[string]string) error {
	var missing []string
	for flag, value := range settings {
		if value == "" {
			missing = append(missing, "--"+flag)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "config_missing", fmt.Sprintf(
		"Settings are missing: %s. Give them as flags, as VESPER_… variables or in the --config file. `vesper up` needs none of them.",
		strings.Join(sorted(missing), ", ")))
}

// readKey reads a secret from a file, which must not be readable by others.
func readKey(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "key_unreadable", fmt.Sprintf("The key file %s cannot be read.", path))
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fault.New(fault.Invalid, "key_exposed", fmt.Sprintf("The key file %s can be read by others. Run: chmod 600 %s", path, path))
	}
	raw, err := os.ReadFile(path)
	return strings.TrimSpace(string(raw)), err
}

// modelStore is the catalogue's local store under these flags.
func (f engineFlags) modelStore(rt *runtime) *models.Store {
	return &models.Store{Dir: f.ModelsDir, Mirrors: f.ModelMirror, Log: rt.log, Progress: progress(rt)}
}
