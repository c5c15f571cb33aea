package replay

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/vfs"
)

// ErrCorrupt is matched by errors about a file that is not a whole episode of
// the expected schema, but not by failures to read it.
var ErrCorrupt = errors.New("replay: damaged episode")

// maxEpisode bounds what one file may claim to hold, in bytes; the paper's
// longest episodes have 6 MB.
const maxEpisode = 1 << 30

// maxID keeps a stray file name from exhausting the numbers.
const maxID = 999_999_999

func episodeName(id int) string { return fmt.Sprintf("%06d.npz", id) }

// episodeID is the inverse of episodeName, or false for other names.
func episodeID(name string) (int, bool) {
	digits, ok := strings.CutSuffix(name, ".npz")
	if !ok {
		return 0, false
	}
	id, err := strconv.Atoi(digits)
	return id, err == nil && id >= 0 && id <= maxID && episodeName(id) == name
}

// array is one array of a file: its name, NumPy's name of its type, the shape
// of a record, and where its values are in an Episode.
type array struct {
	name, dtype string
	dims        []int
	bytes       *[]byte
	floats      *[]float32
}

// arrays lists the arrays of e's file.
func (e *Episode) arrays(s Schema) []array {
	var out []array
	if s.ImageSize() > 0 {
		out = append(out, array{name: "image", dtype: "|u1", dims: []int{s.Height, s.Width, s.Channels}, bytes: &e.Images})
	}
	out = append(out, []array{
		{name: "action", dtype: "<f4", dims: []int{s.ActionSize}, floats: &e.Actions},
		{name: "reward", dtype: "<f4", floats: &e.Rewards},
		{name: "continue", dtype: "<f4", floats: &e.Continues},
	}...)
	if s.VectorSize > 0 {
		out = append(out, array{name: "vector", dtype: "<f4", dims: []int{s.VectorSize}, floats: &e.Vectors})
	}
	return out
}

// checkSize reports an episode that could be written but not read again.
func (e *Episode) checkSize(s Schema) error {
	const head = 1 << 10 // more than describes an array
	total := 0
	for _, a := range e.arrays(s) {
		if total += head; a.bytes != nil {
			total += len(*a.bytes)
		} else {
			total += 4 * len(*a.floats)
		}
	}
	if total > maxEpisode {
		return fmt.Errorf("its %d records take %d bytes, a file may hold %d; end episodes earlier with env.TimeLimit", e.Len(), total, maxEpisode)
	}
	return nil
}

// write encodes the episode as .npz. Images are not compressed: they are read
// again and again.
func (e *Episode) write(w io.Writer, s Schema) error {
	var out []npz.Array
	for _, a := range e.arrays(s) {
		stored := npz.Array{Name: a.name, Dims: append([]int{e.Len()}, a.dims...)}
		if a.bytes != nil {
			stored.Data = *a.bytes
		} else {
			stored.Data = *a.floats
		}
		out = append(out, stored)
	}
	return npz.Write(w, out)
}

// ReadFile reads and checks one episode, whatever the file's name. An error
// about its contents matches [ErrCorrupt].
func ReadFile(fsys vfs.FS, path string, schema Schema) (*Episode, error) {
	f, size, err := openRegular(fsys, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ep, err := readEpisode(f, size, schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ep, nil
}

// openRegular opens a regular file and returns its size.
func openRegular(fsys vfs.FS, path string) (vfs.File, int64, error) {
	// Opening a pipe could wait for ever.
	info, err := fsys.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: %w: it is not a regular file", path, ErrCorrupt)
	}
	f, err := fsys.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// readEpisode decodes and checks an episode. Shapes are compared before any
// values are read; arrays that the schema does not know are ignored.
func readEpisode(r io.ReaderAt, size int64, s Schema) (*Episode, error) {
	e, err := decodeEpisode(r, size, s)
	if errors.Is(err, npz.ErrCorrupt) {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return e, err
}

func decodeEpisode(r io.ReaderAt, size int64, s Schema) (*Episode, error) {
	file, err := npz.Open(r, size, maxEpisode)
	if err != nil {
		return nil, err
	}
	e := &Episode{}
	for _, a := range e.arrays(s) {
		if err := a.match(file.Headers()); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
	}
	for _, a := range e.arrays(s) {
		read, err := file.Read(a.name)
		if err != nil {
			return nil, err
		}
		if a.bytes != nil {
			*a.bytes = read.Data.([]byte)
		} else {
			*a.floats = read.Data.([]float32)
		}
	}
	if err := e.check(s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return e, nil
}

// match compares an array with what a file says about it.
func (a array) match(headers []npz.Header) error {
	i := slices.IndexFunc(headers, func(h npz.Header) bool { return h.Name == a.name })
	if i < 0 {
		return fmt.Errorf("it has no array %q", a.name)
	}
	h := headers[i]
	if h.DType != a.dtype {
		return fmt.Errorf("array %q has the type %q, want %q", a.name, h.DType, a.dtype)
	}
	if len(h.Dims) == 0 || !slices.Equal(h.Dims[1:], a.dims) {
		return fmt.Errorf("array %q has shape %v, each record of the task has %v", a.name, h.Dims, a.dims)
	}
	return nil
}
