package remote

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Protocol is the version spoken here; a child of another version is refused.
const Protocol = 1

// Bounds on what the other side may claim. A longer claim is nonsense, not a
// reason to allocate.
const (
	MaxHeader  = 64 << 10 // bytes of JSON in a frame
	MaxPayload = 64 << 20 // raw bytes in a frame; an image of 4096x4096x3 fits
)

// magic begins every frame, so that a stray print on standard output is found
// out at once.
const magic = "ORRY"

// prefixSize is the size of magic and the two lengths.
const prefixSize = 12

// errGarbage marks bytes that are no frame of the protocol.
var errGarbage = errors.New("not a frame of the protocol")

// request is the header of every frame to the child. The order of its fields is
// part of the protocol, so that a child in C can do without a JSON parser.
type request struct {
	Type     string  `json:"type"`
	Protocol int     `json:"protocol,omitempty"`
	Height   int     `json:"height,omitempty"`
	Width    int     `json:"width,omitempty"`
	Seed     *uint64 `json:"seed,omitempty"`
	Repeat   int     `json:"repeat,omitempty"`
}

// answer is the header of every frame from the child: a spec, a state, or an
// error. Fields that do not belong to the type are ignored, as are unknown
// ones.
type answer struct {
	Type string `json:"type"`

	// Of a spec.
	Protocol int         `json:"protocol"`
	Name     string      `json:"name"`
	Image    []int       `json:"image"`
	Vector   []string    `json:"vector"`
	Action   actionRange `json:"action"`
	MaxSteps int         `json:"max_steps"`

	// Of a state.
	Reward     float64 `json:"reward"`
	Steps      int     `json:"steps"`
	Terminated bool    `json:"terminated"`
	Truncated  bool    `json:"truncated"`

	// Of an error.
	Message string `json:"message"`
}

type actionRange struct {
	Low  []float32 `json:"low"`
	High []float32 `json:"high"`
}

// writeFrame writes magic, both lengths (little endian), header and payload in
// one Write.
func writeFrame(w io.Writer, header request, payload []byte) error {
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	frame := make([]byte, 0, prefixSize+len(text)+len(payload))
	frame = append(frame, magic...)
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(text)))
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(payload)))
	frame = append(append(frame, text...), payload...)
	_, err = w.Write(frame)
	return err
}

// readFrame reads one frame whose payload may have up to limit bytes. What is
// not a frame fails with errGarbage before anything of its size is allocated.
func readFrame(r io.Reader, limit int) (answer, []byte, error) {
	var prefix [prefixSize]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return answer{}, nil, err
	}
	if string(prefix[:4]) != magic {
		return answer{}, nil, fmt.Errorf("%w: it begins with %q, want %q; does the program print to its standard output?", errGarbage, prefix[:], magic)
	}
	headerSize := binary.LittleEndian.Uint32(prefix[4:])
	payloadSize := binary.LittleEndian.Uint32(prefix[8:])
	if headerSize > MaxHeader || uint64(payloadSize) > uint64(limit) {
		return answer{}, nil, fmt.Errorf("%w: it claims %d bytes of header and %d of payload, at most %d and %d are allowed here",
			errGarbage, headerSize, payloadSize, MaxHeader, limit)
	}
	body := make([]byte, int(headerSize)+int(payloadSize))
	if _, err := io.ReadFull(r, body); err != nil {
		return answer{}, nil, noEOF(err)
	}
	var a answer
	if err := json.Unmarshal(body[:headerSize], &a); err != nil {
		return answer{}, nil, fmt.Errorf("%w: header: %w", errGarbage, err)
	}
	return a, body[headerSize:], nil
}

// noEOF tells an end within a frame from one between frames.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
