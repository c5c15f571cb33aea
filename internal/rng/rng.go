// Package rng provides named streams of random numbers. Every component draws
// from its own, so that what one draws never changes what another sees, and one
// seed determines them all.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream is a source of random numbers that is independent of all others with
// another seed or another name. It is ChaCha8, keyed by the SHA-256 of both;
// fills are ChaCha8 in counter mode, keyed by numbers of the stream. It is not
// safe for concurrent use.
//
// What a stream yields for a seed and a name is part of this package's
// contract: the same on every platform and in every version.
type Stream struct {
	source *rand.ChaCha8
	rand   *rand.Rand
}

// New returns the stream of that name under seed.
func New(seed uint64, name string) *Stream {
	var key [8]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	source := rand.NewChaCha8(sha256.Sum256(append(key[:], name...)))
	return &Stream{source: source, rand: rand.New(source)}
}

// Fork returns a new stream, keyed by one number drawn from s and by name. Two
// forks are independent of each other and of what s yields later, even if they
// have the same name.
func (s *Stream) Fork(name string) *Stream { return New(s.Uint64(), name) }

// Uint64 returns a uniformly distributed 64-bit value.
func (s *Stream) Uint64() uint64 { return s.source.Uint64() }

// IntN returns a uniform value in [0, n); n must be positive.
func (s *Stream) IntN(n int) int { return s.rand.IntN(n) }

// Float64 returns a uniform value in [0, 1).
func (s *Stream) Float64() float64 { return s.rand.Float64() }

// Float32 returns a uniform value in [0, 1), a multiple of 2^-24.
func (s *Stream) Float32() float32 { return unit(uint32(s.source.Uint64() >> 32)) }

// unit maps 32 random bits to [0, 1). It keeps 24 of them: a float32 has no
// room for more below 1, so more could round up to it.
func unit(bits uint32) float32 { return float32(bits>>8) * 0x1p-24 }

// NormFloat64 returns a standard normal value.
func (s *Stream) NormFloat64() float64 { return s.rand.NormFloat64() }
