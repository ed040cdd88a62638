package templates

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vesper/internal/fault"
)

// Folder is what a practice's folder of templates holds.
type Folder struct {
	Set      Set       // the files without a problem
	Files    []string  // all files that were read
	Problems []Problem // of the others, with the path of the file
}

// ReadFolder reads every *.yaml file of a folder, or one file. Files with problems are left out of the set and do not keep
// the others from being used. An error means that the folder itself cannot be read.
func ReadFolder(path string) (Folder, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Folder{}, fault.Wrap(err, fault.Invalid, "templates_unreadable",
			"The templates at "+path+" cannot be read. Check the name and that you may read it.")
	}
	dir, only := path, ""
	if !info.IsDir() {
		dir, only = filepath.Dir(path), filepath.Base(path)
	}
	return readFS(os.DirFS(dir), dir, only)
}

func readFS(fsys fs.FS, dir, only string) (Folder, error) {
	names, err := yamlFiles(fsys, ".")
	if err != nil {
		return Folder{}, err
	}
	if only != "" {
		names = []string{only}
	}
	var out Folder
	for _, name := range names {
		out.Files = append(out.Files, filepath.Join(dir, name))
	}
	out.Set, err = loadFiles(fsys, names, embedded)
	problems, known := AsInvalid(err)
	if err != nil && !known {
		return Folder{}, fault.Wrap(err, fault.Invalid, "templates_unreadable", "The templates in "+dir+" cannot be read.")
	}
	for _, p := range problems {
		p.File = filepath.Join(dir, p.File)
		out.Problems = append(out.Problems, p)
	}
	return out, nil
}

// yamlFiles are the names of the template files in a folder. Editors' and other hidden files are no templates.
func yamlFiles(fsys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.Invalid, "templates_unreadable", "The folder of templates cannot be read. Check that you may read it.")
	}
	var out []string
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if !e.IsDir() && (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	return out, nil
}
