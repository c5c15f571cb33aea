// Package torchfile reads files of PyTorch's torch.save: a zip archive whose
// entries are stored uncompressed, with a pickle, data.pkl, and the bytes of
// each tensor's storage, data/0, data/1 and so on. PyTorch 1.6 (2020) and later
// write it.
//
// Files are untrusted; see package pickle. No tensor takes more memory than a
// small multiple of the bytes that the file holds for it.
package torchfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/orrery-rl/orrery/internal/format/pickle"
)

// ErrCorrupt is matched by every error about the contents of a file, but not by
// failures to read it.
var ErrCorrupt = errors.New("torch file: damaged or unsupported")

// ErrLegacy is matched, beside ErrCorrupt, by the error about a file that is no
// zip archive, as PyTorch wrote them before 1.6.
var ErrLegacy = errors.New("it is not a zip archive, the format since PyTorch 1.6; convert it in Python with " +
	"torch.save(torch.load(old, map_location='cpu'), new)")

// maxPickle bounds data.pkl in bytes; that of a model with a thousand tensors
// has about 100 KB.
const maxPickle = 16 << 20

// File is an opened file. Its tensors are read on demand. It is not safe for
// concurrent use.
type File struct {
	// Root is what was saved, a value of package pickle. Tensors in it are
	// objects to give to [File.Tensor].
	Root any

	source   *source
	storages map[string]*zip.File // by key
	size     int64
}

// Open reads the pickle of a file of size bytes.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{source: &source{r: r}, storages: map[string]*zip.File{}, size: size}
	z, err := zip.NewReader(f.source, size)
	switch {
	case f.source.err != nil:
		return nil, f.source.err
	case errors.Is(err, zip.ErrFormat):
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, f.notZip(err))
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err := f.load(z); err != nil {
		return nil, f.blame(err)
	}
	return f, nil
}

// notZip tells what PyTorch wrote before 1.6, which begins with a pickle, from
// a truncated or foreign file.
func (f *File) notZip(err error) error {
	var first [2]byte
	if n, _ := f.source.ReadAt(first[:], 0); n == 2 && first[0] == 0x80 && first[1] <= 5 {
		return ErrLegacy
	}
	return err
}

// load finds the entries and decodes the pickle.
func (f *File) load(z *zip.Reader) error {
	root, err := rootOf(z.File)
	if err != nil {
		return err
	}
	var program *zip.File
	for _, file := range z.File {
		name, ok := strings.CutPrefix(file.Name, root)
		if !ok {
			continue
		}
		key, isStorage := strings.CutPrefix(name, "data/")
		switch {
		case name == "data.pkl":
			program = file
		case name == "constants.pkl":
			return errors.New("it is a TorchScript module; save its state_dict instead")
		case name == "byteorder":
			err = f.checkByteOrder(file)
		case isStorage && f.storages[key] != nil:
			err = fmt.Errorf("entry %.80q comes twice", file.Name)
		case isStorage:
			f.storages[key] = file
		}
		if err != nil {
			return err
		}
	}
	text, err := f.read(program, maxPickle)
	if err != nil {
		return err
	}
	f.Root, err = pickle.Decode(text, classes())
	return err
}

// rootOf returns the folder of the one data.pkl, with its slash.
func rootOf(files []*zip.File) (root string, err error) {
	found := 0
	for _, file := range files {
		if r, ok := strings.CutSuffix(file.Name, "data.pkl"); ok && (r == "" || strings.HasSuffix(r, "/")) {
			root = r
			found++
		}
	}
	if found != 1 {
		return "", fmt.Errorf("it has %d entries data.pkl, a file of torch.save has one", found)
	}
	return root, nil
}

func (f *File) checkByteOrder(file *zip.File) error {
	order, err := f.read(file, 16)
	if err == nil && string(order) != "little" {
		return fmt.Errorf("its byte order is %q; save it on a little-endian machine", order)
	}
	return err
}

// read returns the bytes of an entry, at most limit, whose checksum is compared.
func (f *File) read(file *zip.File, limit uint64) ([]byte, error) {
	switch {
	case file.Method != zip.Store || file.CompressedSize64 != file.UncompressedSize64:
		return nil, fmt.Errorf("entry %.80q is compressed; torch.save stores entries as they are", file.Name)
	case file.UncompressedSize64 > min(uint64(f.size), limit):
		return nil, fmt.Errorf("entry %.80q claims %d bytes; the file has %d and the limit is %d", file.Name, file.UncompressedSize64, f.size, limit)
	}
	r, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("entry %.80q: %w", file.Name, err)
	}
	defer r.Close()
	data := make([]byte, file.UncompressedSize64)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("entry %.80q: %w", file.Name, err)
	}
	// The checksum is compared at the end.
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return nil, errors.Join(fmt.Errorf("entry %.80q does not end where it should", file.Name), err)
	}
	return data, nil
}

// blame blames the contents of the file for err, unless it could not be read.
func (f *File) blame(err error) error {
	if f.source.err != nil {
		return f.source.err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// source remembers a failure to read, as opposed to the end of the file.
type source struct {
	r   io.ReaderAt
	err error
}

// ReadAt implements io.ReaderAt.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, io.ErrUnexpectedEOF // a hostile archive asks for it
	}
	n, err := s.r.ReadAt(p, off)
	if err != nil && err != io.EOF {
		s.err = fmt.Errorf("torch file: %w", err)
	}
	return n, err
}
