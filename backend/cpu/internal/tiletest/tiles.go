//go:build linux && amd64

package tiletest

import (
	"encoding/binary"
	"fmt"
	"math"
	"syscall"

	"golang.org/x/sys/unix"
)

// tileState is the tile registers of a thread. Rows and bytes per row are those of the
// configuration; zero means a tile that may not be used.
type tileState struct {
	rows, bytes [8]int
	data        [8][16][64]byte
}

// execute runs the instruction that a thread stopped at, if it is a tile instruction.
func (e *emulator) execute(tid int) (done bool, err error) {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
		return false, err
	}
	var code [7]byte
	if err := e.read(regs.Rip, code[:]); err != nil {
		return false, err
	}
	if code[0] != 0xc4 || code[1] != 0xe2 {
		return false, nil
	}
	size, err := e.tile(tid, &regs, code)
	if err != nil || size == 0 {
		return false, err
	}
	regs.Rip += uint64(size)
	return true, syscall.PtraceSetRegs(tid, &regs)
}

// tile executes a VEX instruction of map 0F38 and returns its length, 0 if it is none of
// the tile instructions.
func (e *emulator) tile(tid int, regs *syscall.PtraceRegs, code [7]byte) (int, error) {
	prefix, op, modrm := code[2]&7, code[3], code[4]
	reg, rm := int(modrm>>3&7), int(modrm&7)
	s := e.tiles[tid]
	if op == 0x49 && prefix == 0 && modrm>>6 == 0 {
		return 5, e.configure(tid, register(regs, rm))
	}
	if s == nil {
		return 0, nil // no configuration: the signal is deserved
	}
	switch {
	case op == 0x49 && prefix == 0 && modrm == 0xc0:
		delete(e.tiles, tid)
		return 5, nil
	case op == 0x49 && prefix == 3:
		s.data[reg] = [16][64]byte{}
		return 5, s.usable(reg)
	case op == 0x4b:
		return e.move(s, regs, code, reg, prefix == 2)
	case op == 0x5c && prefix == 2:
		e.products++
		return 5, s.multiply(reg, rm, int(^code[2]>>3&15))
	}
	return 0, nil
}

// configure is LDTILECFG.
func (e *emulator) configure(tid int, at uint64) error {
	var config [64]byte
	if err := e.read(at, config[:]); err != nil {
		return err
	}
	if config[0] != 1 || config[1] != 0 {
		return fmt.Errorf("palette %d, start row %d", config[0], config[1])
	}
	s := &tileState{}
	for t := range 8 {
		s.bytes[t] = int(binary.LittleEndian.Uint16(config[16+2*t:]))
		s.rows[t] = int(config[48+t])
		if s.rows[t] > 16 || s.bytes[t] > 64 || (s.rows[t] == 0) != (s.bytes[t] == 0) {
			return fmt.Errorf("tile %d has %d rows of %d bytes", t, s.rows[t], s.bytes[t])
		}
	}
	for i, b := range config {
		if reserved := i >= 2 && i < 16 || i >= 32 && i < 48 || i >= 56; reserved && b != 0 {
			return fmt.Errorf("reserved byte %d of the configuration is %d", i, b)
		}
	}
	e.tiles[tid] = s
	return nil
}

// usable reports an error for a tile that is not configured.
func (s *tileState) usable(t int) error {
	if s.rows[t] == 0 {
		return fmt.Errorf("tile %d is used and not configured", t)
	}
	return nil
}

// move is TILESTORED, or else TILELOADD. Only the configured rows and bytes move.
func (e *emulator) move(s *tileState, regs *syscall.PtraceRegs, code [7]byte, t int, store bool) (int, error) {
	if err := s.usable(t); err != nil {
		return 0, err
	}
	size, at := 6, register(regs, int(code[5]&7))
	if code[4]>>6 == 1 {
		size, at = 7, at+uint64(int8(code[6]))
	}
	stride := register(regs, int(code[5]>>3&7)) << (code[5] >> 6)
	for row := range s.rows[t] {
		data := s.data[t][row][:s.bytes[t]]
		var err error
		if store {
			err = e.write(at, data)
		} else {
			s.data[t][row] = [64]byte{}
			err = e.read(at, s.data[t][row][:s.bytes[t]])
		}
		if err != nil {
			return 0, err
		}
		at += stride
	}
	return size, nil
}

// multiply is TDPBF16PS: in each element of c the products of the early numbers and those
// of the late ones are summed by themselves, with fused multiply-adds, and then added.
func (s *tileState) multiply(c, a, b int) error {
	if s.rows[c] != s.rows[a] || s.bytes[c] != s.bytes[b] || s.bytes[a] != 4*s.rows[b] || s.rows[c] == 0 || s.rows[b] == 0 {
		return fmt.Errorf("tiles %d = %d * %d have rows %v of %v bytes", c, a, b, s.rows, s.bytes)
	}
	for row := range s.rows[c] {
		for j := 0; j < s.bytes[c]; j += 4 {
			var early, late float32
			for k := range s.rows[b] {
				a0, a1 := halves(float(s.data[a][row][4*k:]))
				b0, b1 := halves(float(s.data[b][k][j:]))
				early = flush(math.FMA(float64(flush(float64(a0))), float64(flush(float64(b0))), float64(early)))
				late = flush(math.FMA(float64(flush(float64(a1))), float64(flush(float64(b1))), float64(late)))
			}
			sum := flush(float64(early) + float64(late))
			sum = flush(float64(flush(float64(float(s.data[c][row][j:])))) + float64(sum))
			binary.LittleEndian.PutUint32(s.data[c][row][j:], math.Float32bits(sum))
		}
	}
	return nil
}

// halves returns the two bfloat16 numbers of a word, the earlier one first.
func halves(w float32) (lo, hi float32) {
	bits := math.Float32bits(w)
	return math.Float32frombits(bits << 16), math.Float32frombits(bits &^ 0xffff)
}

// float reads a little-endian float32.
func float(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }

// flush rounds to float32, denormals to zero.
func flush(x float64) float32 {
	if math.Abs(x) < 0x1p-126 {
		return float32(math.Copysign(0, x))
	}
	return float32(x)
}

// register returns the general register that an instruction without extensions names.
func register(r *syscall.PtraceRegs, n int) uint64 {
	return [8]uint64{r.Rax, r.Rcx, r.Rdx, r.Rbx, r.Rsp, r.Rbp, r.Rsi, r.Rdi}[n]
}

func (e *emulator) read(at uint64, data []byte) error {
	return e.transfer("read", unix.ProcessVMReadv, at, data)
}

func (e *emulator) write(at uint64, data []byte) error {
	return e.transfer("write", unix.ProcessVMWritev, at, data)
}

// transfer moves data between the emulator and the process.
func (e *emulator) transfer(what string, move func(int, []unix.Iovec, []unix.RemoteIovec, uint) (int, error), at uint64, data []byte) error {
	local := unix.Iovec{Base: &data[0]}
	local.SetLen(len(data))
	remote := unix.RemoteIovec{Base: uintptr(at), Len: len(data)}
	n, err := move(e.pid, []unix.Iovec{local}, []unix.RemoteIovec{remote}, 0)
	if err != nil || n != len(data) {
		return fmt.Errorf("%s %d bytes at %#x: %d, %w", what, len(data), at, n, err)
	}
	return nil
}
