package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
)

// appendRecord appends data in TFRecord framing: its length as 64 bits, the
// length's checksum, data, data's checksum, all little-endian.
func appendRecord(dst, data []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(data)))
	dst = binary.LittleEndian.AppendUint32(dst, masked(dst[start:]))
	dst = append(dst, data...)
	return binary.LittleEndian.AppendUint32(dst, masked(data))
}

// masked is the CRC-32C of data, rotated and offset as TFRecord does it, so
// that checksums of data that hold checksums stay strong.
func masked(data []byte) uint32 {
	crc := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return (crc>>15 | crc<<17) + 0xa282ead8
}
