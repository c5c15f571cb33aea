package bench

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// piece is how much is read, written or copied at a time: small enough that the
// runtime's routines use ordinary stores, as the kernels of a backend do.
const piece = 64 << 10

// memory is two buffers for measuring bandwidth.
type memory struct{ dst, src []byte }

func newMemory(size int) memory {
	m := memory{dst: make([]byte, size), src: make([]byte, size)}
	for _, b := range [][]byte{m.dst, m.src} {
		for i := 0; i < len(b); i += 4096 { // give every page memory of its own
			b[i] = 1
		}
	}
	return m
}

// The three ways of using memory, on one piece of both buffers. Reading is a
// vectorised search for a byte that is not there.
func readPiece(_, src []byte)   { bytes.IndexByte(src, 2) }
func writePiece(dst, _ []byte)  { clear(dst) }
func copyPiece(dst, src []byte) { copy(dst, src) }

// rate is how many bytes a second all threads together use, each walking its
// own part of the buffers again and again for about d.
func (m memory) rate(ctx context.Context, threads int, d time.Duration, use func(dst, src []byte)) float64 {
	var workers sync.WaitGroup
	rates := make([]float64, threads)
	for i := range rates {
		lo, hi := i*len(m.src)/threads, (i+1)*len(m.src)/threads
		part := memory{m.dst[lo:hi], m.src[lo:hi]}
		workers.Go(func() { rates[i] = part.walk(ctx, d, use) })
	}
	workers.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum
}

func (m memory) walk(ctx context.Context, d time.Duration, use func(dst, src []byte)) float64 {
	used, start := 0, time.Now()
	for at := 0; time.Since(start) < d && ctx.Err() == nil; {
		end := min(at+piece, len(m.src))
		use(m.dst[at:end], m.src[at:end])
		used += end - at
		if at = end; at == len(m.src) {
			at = 0
		}
	}
	return per(float64(used), time.Since(start).Seconds())
}
