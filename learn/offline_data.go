package learn

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	iofs "io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/worldmodel"
)

// Data are episodes to learn from offline. They are read where they lie; nothing
// is written to their directories. Close releases what is in memory.
type Data struct {
	// Schema is the shape of all records.
	Schema replay.Schema
	// Train are the episodes that are learned from, HeldOut those that judge; HeldOut
	// is nil if there are none.
	Train, HeldOut *replay.Store
	// Short is how many episodes were left out because no chunk fits into them.
	Short int
	// SHA256 identifies the episodes: all values of all records, in order, and
	// which of them are held out.
	SHA256 string
}

// DataConfig says how episodes are read.
type DataConfig struct {
	// ChunkLength is the number of records that an episode needs.
	ChunkLength int
	// HoldOut is OfflineConfig's, without a zero.
	HoldOut int
	// Memory is how many bytes of images stay in memory.
	Memory int64
}

// OpenData reads and checks all episodes (*.npz) in dirs, by directory and name; a
// directory may also be that of a run, which stands for its episodes. Errors name
// the file, the array, and the shape that it should have, and match ErrParts.
// Episodes shorter than a chunk are left out with a warning that counts them.
// Every HoldOut-th of the others is held out.
func OpenData(ctx context.Context, fs vfs.FS, dirs []string, cfg DataConfig, log *slog.Logger) (*Data, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	files, err := listData(fs, dirs)
	if err != nil {
		return nil, err
	}
	d := &Data{}
	long, err := d.choose(fs, files, cfg.ChunkLength, log)
	if err != nil {
		return nil, err
	}
	train, held := split(long, cfg.HoldOut)
	sum := &fingerprint{sha256.New()}
	if d.Train, err = d.open(ctx, fs, train, cfg.Memory-cfg.Memory/10, log, sum); err != nil {
		return nil, err
	}
	if len(held) > 0 {
		if d.HeldOut, err = d.open(ctx, fs, held, cfg.Memory/10, log, sum); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	d.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return d, nil
}

// DataSchema is the shape of the records in dirs, which OpenData reads: that of the
// first episode.
func DataSchema(fs vfs.FS, dirs []string) (replay.Schema, error) {
	files, err := listData(fs, dirs)
	if err != nil {
		return replay.Schema{}, err
	}
	schema, _, err := replay.Describe(fs, files[0])
	if err != nil {
		return schema, fmt.Errorf("learn: %w: %w", ErrParts, err)
	}
	return schema, nil
}

// listData lists the files in the order of the directories and of their names.
func listData(fs vfs.FS, dirs []string) ([]string, error) {
	var files []string
	seen := map[string]iofs.FileInfo{}
	for _, dir := range dirs {
		dir = filepath.Clean(dir)
		own, err := episodesIn(fs, dir)
		if err == nil && len(own) == 0 {
			dir = filepath.Join(dir, episodesDir)
			own, err = episodesIn(fs, dir)
			if err != nil || len(own) == 0 {
				return nil, fmt.Errorf("learn: %w: %s holds no episodes (*.npz)", ErrParts, filepath.Dir(dir))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("learn: %w: %w", ErrParts, err)
		}
		info, err := fs.Stat(dir)
		if err != nil {
			return nil, fmt.Errorf("learn: %w: %w", ErrParts, err)
		}
		for other, was := range seen { // one that is learned from and held out would judge nothing
			if other == dir || os.SameFile(was, info) {
				return nil, fmt.Errorf("learn: %w: the episodes in %s are given twice (as %s, too)", ErrParts, dir, other)
			}
		}
		seen[dir] = info
		files = append(files, own...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("learn: %w: no directory of episodes is given", ErrParts)
	}
	return files, nil
}

// episodesIn lists the files in a directory that may be episodes.
func episodesIn(fs vfs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".npz") && !strings.HasPrefix(e.Name(), badBatchPrefix) {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(files)
	return files, nil
}

// choose leaves out the files that are too short, and takes the sizes from the
// first one.
func (d *Data) choose(fs vfs.FS, files []string, chunk int, log *slog.Logger) (long []string, err error) {
	longest := 0
	for i, path := range files {
		schema, records, err := replay.Describe(fs, path)
		if err != nil {
			return nil, fmt.Errorf("learn: %w: %w", ErrParts, err)
		}
		if i == 0 {
			d.Schema = schema
		}
		if longest = max(longest, records); records >= chunk {
			long = append(long, path)
		}
	}
	d.Short = len(files) - len(long)
	switch {
	case len(long) == 0:
		return nil, fmt.Errorf("learn: %w: %w of %d records: the longest of %d has %d; set learn.chunk_length to at most %d",
			ErrParts, replay.ErrTooShort, chunk, len(files), longest, longest)
	case d.Short > 0:
		log.Warn("episodes shorter than a chunk are not learned from", "episodes", d.Short, "of", len(files), "learn.chunk_length", chunk)
	}
	return long, nil
}

// split holds out every n-th file.
func split(files []string, n int) (train, held []string) {
	for i, path := range files {
		if n > 0 && i%n == n-1 {
			held = append(held, path)
		} else {
			train = append(train, path)
		}
	}
	return train, held
}

// open reads some of the files.
func (d *Data) open(ctx context.Context, fs vfs.FS, files []string, memory int64, log *slog.Logger, sum *fingerprint) (*replay.Store, error) {
	sum.number(len(files))
	store, err := replay.OpenFiles(ctx, fs, files, d.Schema, replay.Config{MemoryBudget: memory}, log, func(path string, ep *replay.Episode) error {
		sum.episode(ep)
		return checkBounds(path, ep)
	})
	if errors.Is(err, replay.ErrCorrupt) {
		return nil, fmt.Errorf("learn: %w: these episodes cannot be learned from, or not together with the first; remove or repair them:\n%w", ErrParts, err)
	}
	return store, err
}

// checkBounds demands the actions that agents act with.
func checkBounds(path string, ep *replay.Episode) error {
	at := slices.IndexFunc(ep.Actions, func(a float32) bool { return a < -1 || a > 1 })
	if at < 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: array \"action\" holds %v at %d; agents act in [-1, 1]: scale the actions of these episodes", path, replay.ErrCorrupt, ep.Actions[at], at)
}

// Dims are the sizes of a model for the episodes.
func (d *Data) Dims() worldmodel.Dims {
	return worldmodel.Dims{
		Height: d.Schema.Height, Width: d.Schema.Width, Channels: d.Schema.Channels,
		ActionSize: d.Schema.ActionSize, VectorSize: d.Schema.VectorSize,
	}
}

// Held is the number of episodes that are held out, and their records.
func (d *Data) Held() (episodes, records int) {
	if d.HeldOut == nil {
		return 0, 0
	}
	return d.HeldOut.Episodes(), d.HeldOut.Records()
}

// Close releases the memory.
func (d *Data) Close() error {
	var errs []error
	for _, s := range []*replay.Store{d.Train, d.HeldOut} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// fingerprint is the checksum of episodes.
type fingerprint struct{ hash.Hash }

func (f *fingerprint) number(n int) {
	f.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func (f *fingerprint) episode(ep *replay.Episode) {
	f.number(ep.Len())
	f.Write(ep.Images)
	for _, x := range [][]float32{ep.Actions, ep.Rewards, ep.Continues, ep.Vectors} {
		f.number(len(x))
		buf := make([]byte, 0, 4*len(x))
		for _, v := range x {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		f.Write(buf)
	}
}
