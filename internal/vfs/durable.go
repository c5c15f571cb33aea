package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// tempName matches what temporary appends to a path.
var tempName = regexp.MustCompile(`\.tmp-\d+$`)

// temporary is where path is written before it is whole. The process's number
// keeps two processes apart.
func temporary(path string) string { return fmt.Sprintf("%s.tmp-%d", path, os.Getpid()) }

// IsTemp reports whether a file name is that of an unfinished write, which a
// crash may leave behind and [RemoveTemps] removes.
func IsTemp(name string) bool { return tempName.MatchString(name) }

// RemoveTemps removes what interrupted calls of [WriteFileDurable] have left in
// a directory. It must not run while another process writes there.
func RemoveTemps(fsys FS, dir string) error {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("vfs: remove temporary files: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if IsTemp(e.Name()) && !e.IsDir() {
			errs = append(errs, fsys.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// WriteFileDurable makes path hold what write produces, or leaves what was
// there: it writes a temporary file in the same directory, syncs it, renames it
// over path and syncs the directory. When it returns nil the contents survive a
// power cut. When it returns an error path is whole, too: nearly always the old
// file, or the new one if only the sync of the directory failed.
//
// On a full disk write is called once more, to say how much is needed. Calls for
// the same path must not overlap within a process.
func WriteFileDurable(fsys FS, path string, write func(io.Writer) error) error {
	temp := temporary(path)
	err := writeTemp(fsys, temp, write)
	if err == nil {
		err = fsys.Rename(temp, path)
	}
	if err != nil {
		_ = fsys.Remove(temp) // best effort: the cause is what to report
		return fmt.Errorf("vfs: write %s: %w", path, adviseSize(fsys, path, err, sizeOf(write)))
	}
	if err := fsys.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("vfs: write %s: %w", path, Advise(fsys, path, err))
	}
	return nil
}

// writeTemp makes temp, which a process of the same number may have left
// behind, hold what write produces, synced and closed.
func writeTemp(fsys FS, temp string, write func(io.Writer) error) error {
	if err := fsys.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := fsys.Create(temp)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// MakeDirDurable makes a directory with all its parents, as far as they are
// missing, and makes their names durable. Without it a power cut may take a
// new directory away together with the synced files in it. The name of one that
// is there is made durable, too: whoever made it may have died before that.
func MakeDirDurable(fsys FS, dir string) error {
	parents := []string{filepath.Dir(filepath.Clean(dir))}
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		_, err := fsys.Stat(at)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return fmt.Errorf("vfs: make directory %s: %w", dir, Advise(fsys, dir, err))
		}
		if parent := filepath.Dir(at); parent != parents[len(parents)-1] {
			parents = append(parents, parent)
		}
	}
	if err := fsys.MkdirAll(dir); err != nil {
		return fmt.Errorf("vfs: make directory %s: %w", dir, Advise(fsys, dir, err))
	}
	for _, parent := range parents {
		if err := fsys.SyncDir(parent); err != nil {
			return fmt.Errorf("vfs: make directory %s: %w", dir, Advise(fsys, dir, err))
		}
	}
	return nil
}
