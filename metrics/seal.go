package metrics

import (
	"bytes"
	"fmt"
	"hash/crc32"
)

// A line of a file ends with a member that vouches for the rest of it:
//
//	{"kind":"run", …,"crc":"1b2a66ca"}
//
// It is the CRC-32C of the line without that member. Lines without one, which
// other programs may have written, are taken as they are.
const (
	sealPrefix = `,"crc":"`
	sealSuffix = `"}`
	sealSize   = len(sealPrefix) + 8 + len(sealSuffix)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed adds the member to a JSON object that has others.
func sealed(object []byte) []byte {
	sum := crc32.Checksum(object, castagnoli)
	return fmt.Appendf(object[:len(object)-1:len(object)-1], "%s%08x%s", sealPrefix, sum, sealSuffix)
}

// unsealed reports whether the line is as it was written, as far as that can be
// told.
func unsealed(line []byte) error {
	at := len(line) - sealSize
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(sealPrefix)) || !bytes.HasSuffix(line, []byte(sealSuffix)) {
		return nil
	}
	sum := crc32.Update(crc32.Checksum(line[:at], castagnoli), castagnoli, []byte{'}'})
	if want := line[at+len(sealPrefix):][:8]; string(want) != fmt.Sprintf("%08x", sum) {
		return fmt.Errorf("it does not match its checksum %s", want)
	}
	return nil
}
