package move

// block copies matrices between two layouts.
type block[T Element] struct {
	dst, src               []T
	dRow, sRow, dCol, sCol int
}

// tileSide is the side of the squares of a transposition: 16 float32 are a cache line, and
// the lines of a square fit the first-level cache even at awkward strides.
const tileSide = 16

func (b block[T]) copy(d, s, rows, cols int) {
	if b.sRow == 1 && b.sCol != 1 && rows > 1 && cols > 1 {
		b.transpose(d, s, rows, cols)
		return
	}
	for range rows {
		b.row(d, s, cols)
		d += b.dRow
		s += b.sRow
	}
}

// transpose goes square by square, so that neither side fetches a line twice.
func (b block[T]) transpose(d, s, rows, cols int) {
	for r := 0; r < rows; r += tileSide {
		for c := 0; c < cols; c += tileSide {
			b.square(d+r*b.dRow+c*b.dCol, s+r+c*b.sCol, min(tileSide, rows-r), min(tileSide, cols-c))
		}
	}
}

// square copies a few rows, which are adjacent in src, and columns, usually adjacent in dst.
func (b block[T]) square(d, s, rows, cols int) {
	r := 0
	if b.dCol == 1 {
		for ; r+4 <= rows; r += 4 {
			b.fourRows(d+r*b.dRow, s+r, cols)
		}
	}
	for ; r < rows; r++ {
		b.row(d+r*b.dRow, s+r, cols)
	}
}

// fourRows reads four neighbours at a time and writes each to its row.
func (b block[T]) fourRows(d, s, cols int) {
	row0 := b.dst[d:][:cols]
	row1 := b.dst[d+b.dRow:][:cols]
	row2 := b.dst[d+2*b.dRow:][:cols]
	row3 := b.dst[d+3*b.dRow:][:cols]
	for c := range row0 {
		from := b.src[s:][:4]
		row0[c], row1[c], row2[c], row3[c] = from[0], from[1], from[2], from[3]
		s += b.sCol
	}
}

func (b block[T]) row(d, s, n int) {
	switch {
	case b.dCol == 1 && b.sCol == 1:
		copy(b.dst[d:d+n], b.src[s:s+n])
	case b.dCol == 1 && b.sCol == 0:
		fill(b.dst[d:d+n], b.src[s])
	case b.dCol == 1:
		for i := range b.dst[d : d+n] {
			b.dst[d+i] = b.src[s]
			s += b.sCol
		}
	default:
		for range n {
			b.dst[d] = b.src[s]
			d += b.dCol
			s += b.sCol
		}
	}
}

// fill doubles what it has written, which is as fast as copying.
func fill[T Element](dst []T, v T) {
	if len(dst) == 0 {
		return
	}
	dst[0] = v
	for have := 1; have < len(dst); have *= 2 {
		copy(dst[have:], dst[:have])
	}
}
