package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/orrery-rl/orrery/internal/format/npz"
	"github.com/orrery-rl/orrery/internal/vfs"
)

// ErrReadOnly is returned by what would change a store of [OpenFiles].
var ErrReadOnly = errors.New("replay: the store is only read")

// maxReported is how many damaged files an error names.
const maxReported = 5

// OpenFiles returns a store of the given files, whatever their names, which are
// read where they lie: episode i is files[i]. Nothing is ever written to, renamed
// or removed. Unlike [Open] it refuses damaged files and those that do not fit the
// schema, the first five by name; the error matches [ErrCorrupt]. visit, if not
// nil, is shown every episode in order and can refuse it.
func OpenFiles(ctx context.Context, fsys vfs.FS, files []string, schema Schema, cfg Config, log *slog.Logger, visit func(path string, ep *Episode) error) (*Store, error) {
	if err := schema.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Store{fs: fsys, schema: schema, log: log, files: append([]string{}, files...)}
	s.mu.cache.budget = cfg.MemoryBudget
	var bad []error
	for id, path := range s.files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ep, err := s.load(id)
		if err == nil && visit != nil {
			err = visit(path, ep)
		}
		switch {
		case errors.Is(err, ErrCorrupt):
			bad = append(bad, err)
		case err != nil:
			return nil, fmt.Errorf("replay: %w", err)
		default:
			s.addLocked(id, ep)
		}
	}
	if len(bad) == 0 {
		return s, nil
	}
	if more := len(bad) - maxReported; more > 0 {
		bad = append(bad[:maxReported], fmt.Errorf("and %d more", more))
	}
	return nil, errors.Join(bad...)
}

// Describe reads what a file's header says: the shape of its records and their
// number. It reads no values, so the episode may still be damaged.
func Describe(fsys vfs.FS, path string) (schema Schema, records int, err error) {
	f, size, err := openRegular(fsys, path)
	if err != nil {
		return schema, 0, err
	}
	defer f.Close()
	file, err := npz.Open(f, size, maxEpisode)
	if errors.Is(err, npz.ErrCorrupt) {
		return schema, 0, fmt.Errorf("%s: %w: %w", path, ErrCorrupt, err)
	}
	if err != nil {
		return schema, 0, fmt.Errorf("%s: %w", path, err)
	}
	schema, records = describe(file.Headers())
	if err := schema.Validate(); err != nil {
		return schema, 0, fmt.Errorf("%s: %w: an episode needs the arrays image [N, H, W, C] or vector [N, V], action [N, A], reward [N] and continue [N]; it has %s",
			path, ErrCorrupt, listHeaders(file.Headers()))
	}
	return schema, records, nil
}

// describe takes the sizes from the arrays that it knows.
func describe(headers []npz.Header) (s Schema, records int) {
	for _, h := range headers {
		switch {
		case h.Name == "image" && len(h.Dims) == 4:
			s.Height, s.Width, s.Channels = h.Dims[1], h.Dims[2], h.Dims[3]
		case h.Name == "action" && len(h.Dims) == 2:
			s.ActionSize = h.Dims[1]
		case h.Name == "vector" && len(h.Dims) == 2:
			s.VectorSize = h.Dims[1]
		case h.Name == "reward" && len(h.Dims) == 1:
			records = h.Dims[0]
		}
	}
	return s, records
}

func listHeaders(headers []npz.Header) string {
	if len(headers) == 0 {
		return "none"
	}
	text := ""
	for i, h := range headers {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %v", h.Name, h.Dims)
	}
	return text
}
