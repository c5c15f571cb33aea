package remote

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
)

// TestRequestsAreAsDocumented compares with docs/remote-environments.md, byte by
// byte.
func TestRequestsAreAsDocumented(t *testing.T) {
	seed, none := ^uint64(0), uint64(0)
	for want, header := range map[string]request{
		`{"type":"hello","protocol":1,"height":64,"width":64}`: {Type: "hello", Protocol: 1, Height: 64, Width: 64},
		`{"type":"hello","protocol":1}`:                        {Type: "hello", Protocol: 1},
		`{"type":"reset","seed":18446744073709551615}`:         {Type: "reset", Seed: &seed},
		`{"type":"reset","seed":0}`:                            {Type: "reset", Seed: &none},
		`{"type":"step","repeat":2}`:                           {Type: "step", Repeat: 2},
		`{"type":"close"}`:                                     {Type: "close"},
	} {
		var b bytes.Buffer
		if err := writeFrame(&b, header, []byte{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		whole := "ORRY" + string([]byte{byte(len(want)), 0, 0, 0, 3, 0, 0, 0}) + want + "\x01\x02\x03"
		if b.String() != whole {
			t.Errorf("frame %q, want %q", b.String(), whole)
		}
	}
}

// FuzzReadFrame: whatever a child sends is a frame within its bounds or an
// error, and is read only as far as the frame goes.
func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("ORRY\x10\x00\x00\x00\x02\x00\x00\x00{\"type\":\"state\"}xyz"))
	f.Add([]byte("ORRY\xff\xff\xff\xff\x00\x00\x00\x00{}"))
	f.Add([]byte("Welcome to the simulator"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1000
		r := bytes.NewReader(data)
		_, payload, err := readFrame(r, limit)
		switch {
		case err == nil:
			header, size := binary.LittleEndian.Uint32(data[4:]), binary.LittleEndian.Uint32(data[8:])
			if len(payload) > limit || len(payload) != int(size) || len(data)-r.Len() != 12+int(header)+int(size) {
				t.Errorf("%d bytes of payload, %d read, of a frame of %d and %d", len(payload), len(data)-r.Len(), header, size)
			}
			if !bytes.Equal(payload, data[12+header:][:size]) {
				t.Error("another payload than was sent")
			}
		case !errors.Is(err, errGarbage) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			t.Errorf("error %v is of no known kind", err)
		}
	})
}
