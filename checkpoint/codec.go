package checkpoint

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/orrery-rl/orrery/internal/format/safetensors"
)

// maxFileSize bounds what is read into memory; the paper's model with its
// optimiser has 64 MB.
const maxFileSize int64 = 16 << 30

// formatVersion is written into every file. Readers accept this version only.
const formatVersion = "1"

// The keys of the safetensors metadata.
const (
	keyFormat       = "format"
	keyVersion      = "format_version"
	keyHeader       = "header"
	keyHeaderSHA256 = "header_sha256"
)

// The groups of tensors; a tensor is stored as group/name.
const (
	paramsGroup  = "params"
	momentMGroup = "adam_m"
	momentVGroup = "adam_v"
)

// groupOrder is the order of the groups in a file.
var groupOrder = [...]string{paramsGroup, momentMGroup, momentVGroup}

// header is everything in a file that is not a tensor.
type header struct {
	Created        time.Time                  `json:"created"`
	Counters       Counters                   `json:"counters"`
	Config         json.RawMessage            `json:"config,omitempty"`
	ReplayEpisodes int                        `json:"replay_episodes,omitempty"`
	Extra          map[string]json.RawMessage `json:"extra,omitempty"`
	// Tensors lists the stored tensors in order with their checksums.
	Tensors []tensorSum `json:"tensors"`
}

// tensorSum is the checksum of one stored tensor.
type tensorSum struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// encode writes groups and header as one safetensors file. The header lists a
// checksum for every tensor, and the metadata one for the header, so that each
// part vouches for the next.
func encode(w io.Writer, kind string, h header, groups map[string][]Tensor) error {
	var stored []safetensors.Tensor
	for _, t := range inOrder(groups) {
		stored = append(stored, safetensors.Tensor(t))
		h.Tensors = append(h.Tensors, tensorSum{t.Name, t.sum()})
	}
	meta, err := h.metadata(kind)
	if err != nil {
		return err
	}
	if err := safetensors.Write(w, stored, meta); err != nil {
		return fmt.Errorf("checkpoint: encode: %w", err)
	}
	return nil
}

// encodeHalf is encode with every number rounded to float16. The checksums are
// those of the rounded numbers.
func encodeHalf(w io.Writer, kind string, h header, groups map[string][]Tensor) error {
	var stored []safetensors.Raw
	for _, t := range inOrder(groups) {
		data, err := safetensors.F16.Encode(t.Data)
		if err != nil {
			return fmt.Errorf("checkpoint: encode %q: %w", t.Name, err)
		}
		rounded, err := safetensors.F16.Float32(data)
		if err != nil {
			return fmt.Errorf("checkpoint: encode %q: %w", t.Name, err)
		}
		if i := slices.IndexFunc(rounded, func(v float32) bool { return v-v != 0 }); i >= 0 {
			return fmt.Errorf("checkpoint: encode %q: value %d, %v, is beyond the range of float16", t.Name, i, t.Data[i])
		}
		stored = append(stored, safetensors.Raw{Name: t.Name, DType: safetensors.F16, Dims: t.Dims, Data: data})
		t.Data = rounded
		h.Tensors = append(h.Tensors, tensorSum{t.Name, t.sum()})
	}
	meta, err := h.metadata(kind)
	if err != nil {
		return err
	}
	if err := safetensors.WriteRaw(w, stored, meta); err != nil {
		return fmt.Errorf("checkpoint: encode: %w", err)
	}
	return nil
}

// inOrder lists the tensors of all groups under their full names.
func inOrder(groups map[string][]Tensor) []Tensor {
	var out []Tensor
	for _, group := range groupOrder {
		for _, t := range groups[group] {
			t.Name = group + "/" + t.Name
			out = append(out, t)
		}
	}
	return out
}

// metadata returns the strings of a file with this header.
func (h header) metadata(kind string) (map[string]string, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: encode header: %w", err)
	}
	meta := map[string]string{keyFormat: kind, keyVersion: formatVersion, keyHeader: string(text)}
	meta[keyHeaderSHA256] = headerSum(meta)
	return meta, nil
}

// decode reads what encode wrote, if it is of one of the given kinds, verifies
// every checksum, and returns the tensors by group, in their order.
func decode(data []byte, kinds ...string) (header, map[string][]Tensor, error) {
	file, err := safetensors.Read(data)
	if err != nil {
		return header{}, nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	h, err := decodeHeader(file.Metadata, kinds)
	if err != nil {
		return header{}, nil, err
	}
	groups, err := verify(file.Tensors, h.Tensors)
	return h, groups, err
}

// verify compares the tensors of a file with the header's list, whose order is
// the one that counts, and sorts them into their groups.
func verify(stored []safetensors.Tensor, sums []tensorSum) (map[string][]Tensor, error) {
	if len(stored) != len(sums) {
		return nil, fmt.Errorf("%w: it has %d tensors, its header lists %d", ErrCorrupt, len(stored), len(sums))
	}
	byName := make(map[string]Tensor, len(stored))
	for _, t := range stored {
		byName[t.Name] = Tensor(t)
	}
	groups := make(map[string][]Tensor, len(groupOrder))
	for _, sum := range sums {
		t, ok := byName[sum.Name]
		delete(byName, sum.Name) // a name listed twice is missing the second time
		if !ok || t.sum() != sum.SHA256 {
			return nil, fmt.Errorf("%w: tensor %q is missing or does not match its checksum", ErrCorrupt, sum.Name)
		}
		group, name, _ := strings.Cut(sum.Name, "/")
		t.Name = name
		groups[group] = append(groups[group], t)
	}
	return groups, nil
}

// decodeHeader verifies the checksum before it believes anything else, so that
// a damaged version number is not taken for a newer one.
func decodeHeader(meta map[string]string, kinds []string) (header, error) {
	if headerSum(meta) != meta[keyHeaderSHA256] {
		return header{}, fmt.Errorf("%w: the header does not match its checksum", ErrCorrupt)
	}
	if !slices.Contains(kinds, meta[keyFormat]) {
		return header{}, fmt.Errorf("%w: its format is %q, want %q", ErrCorrupt, meta[keyFormat], kinds)
	}
	if v := meta[keyVersion]; v != formatVersion {
		return header{}, fmt.Errorf("%w %q: this program reads version %s; use the version of orrery that wrote the file", ErrVersion, v, formatVersion)
	}
	var h header
	if err := json.Unmarshal([]byte(meta[keyHeader]), &h); err != nil {
		return header{}, fmt.Errorf("%w: header: %w", ErrCorrupt, err)
	}
	return h, nil
}

// sum is the SHA-256 of shape and data.
func (t Tensor) sum() string {
	hash := sha256.New()
	buf := binary.LittleEndian.AppendUint64(make([]byte, 0, sumChunk*4), uint64(len(t.Dims)))
	for _, d := range t.Dims {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(d))
	}
	hash.Write(buf)
	for data := t.Data; len(data) > 0; {
		n := min(len(data), sumChunk)
		buf = buf[:0]
		for _, v := range data[:n] {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		hash.Write(buf)
		data = data[n:]
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// sumChunk is how many elements are converted to bytes at a time.
const sumChunk = 4096

// headerSum is the SHA-256 of format, version and header.
func headerSum(meta map[string]string) string {
	sum := sha256.Sum256([]byte(meta[keyFormat] + "\n" + meta[keyVersion] + "\n" + meta[keyHeader]))
	return hex.EncodeToString(sum[:])
}

// readAll reads at most maxFileSize bytes.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("checkpoint: read: %w", err)
	}
	if int64(len(data)) > maxFileSize {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrCorrupt, maxFileSize)
	}
	return data, nil
}
