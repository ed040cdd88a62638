package services

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// S3 is how to reach the object store.
type S3 struct {
	Endpoint  string // "http://127.0.0.1:17070"
	Region    string
	AccessKey string
	SecretKey Secret
}

const s3Region = "us-east-1"

// s3Spec runs versitygw over plain folders: objects below s3/objects, their earlier versions below s3/versions.
func s3Spec(_ context.Context, s *Stack) (Spec, error) {
	program, err := FindS3()
	if err != nil {
		return Spec{}, err
	}
	// The health page has a name nobody else can know: an answer proves that it is our child and not a stranger.
	health := "/health-" + rand.Text()
	return Spec{
		Title: "The S3 store", StopSignal: s3Stop, StopWithin: s3Within,
		Command: func(_ context.Context, first bool) (Command, error) {
			port, err := s.portOf(S3Store, s.cfg.S3Port, first)
			if err != nil {
				return Command{}, err
			}
			storage, err := s3Storage(filepath.Join(s.cfg.Dir, "s3"))
			if err != nil {
				return Command{}, err
			}
			access, secret, err := s.secrets.S3Keys()
			if err != nil {
				return Command{}, err
			}
			args := append([]string{
				"--port", address(port), "--region", s3Region, "--health", health, "--quiet",
				"posix", "--dir-perms", "0700", "--file-perms", "0600",
			}, storage...)
			env := append(baseEnv(), "ROOT_ACCESS_KEY_ID="+access, "ROOT_SECRET_ACCESS_KEY="+secret.Reveal())
			return Command{Path: program.Path, Args: args, Env: env}, nil
		},
		Ready: func(ctx context.Context, _ int) error {
			return getOK(ctx, "http://"+address(s.ports.get(S3Store))+health)
		},
	}, nil
}

// s3Storage makes the folders and returns the arguments that name them. versitygw keeps an object's attributes in
// extended attributes; on a disk without them it gets a side folder, and keeps it.
func s3Storage(dir string) ([]string, error) {
	objects, versions, side := filepath.Join(dir, "objects"), filepath.Join(dir, "versions"), filepath.Join(dir, "attributes")
	for _, d := range []string{objects, versions} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, folderFault(err, "make the object store")
		}
	}
	args := []string{"--versioning-dir", versions}
	_, err := os.Stat(side)
	switch {
	case err == nil || (errors.Is(err, fs.ErrNotExist) && !hasAttributes(objects)):
		if err := os.MkdirAll(side, 0o700); err != nil {
			return nil, folderFault(err, "make the object store")
		}
		args = append(args, "--sidecar", side)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, folderFault(err, "open the object store")
	}
	return append(args, objects), nil
}

func hasAttributes(dir string) bool {
	const name = "user.vesper"
	if err := unix.Setxattr(dir, name, []byte("1"), 0); err != nil {
		return false
	}
	return unix.Removexattr(dir, name) == nil
}

func getOK(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Close = true // no idle connection may stay behind
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the store answers %s", resp.Status)
	}
	return nil
}

// S3 is where the object store answers, with its keys.
func (s *Stack) S3() S3 {
	access, secret, err := s.secrets.S3Keys()
	if err != nil {
		return S3{}
	}
	return S3{Endpoint: "http://" + address(s.ports.get(S3Store)), Region: s3Region, AccessKey: access, SecretKey: secret}
}
