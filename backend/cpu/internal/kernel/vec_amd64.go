//go:build amd64 && !purego

package kernel

// newVec returns the loops of path p, which must be available.
func newVec(p Path) VecKernels {
	v := newVecGeneric()
	switch p {
	case AVX512:
		vecAVX512(&v)
		v.Sum = blockwise(vecSumAVX512)
		v.withDot(vecDotAVX512)
		v.SumRows = checked(vecSumRowsAVX512)
		v.BoolToMask = wholeVectors(16, vecBoolToMaskAVX512, boolToMaskGeneric)
		v.MaskToBool = wholeVectors(16, vecMaskToBoolAVX512, maskToBoolGeneric)
	case AVX2:
		vecAVX2(&v)
		v.Sum = blockwise(vecSumAVX2)
		v.withDot(vecDotAVX2)
		v.SumRows = checked(vecSumRowsAVX2)
		v.BoolToMask = wholeVectors(8, vecBoolToMaskAVX2, boolToMaskGeneric)
		v.MaskToBool = wholeVectors(8, vecMaskToBoolAVX2, maskToBoolGeneric)
	}
	add := v.Add
	v.AddTo = func(dst, x []float32) { add(dst, dst, x) }
	return v
}

// wholeVectors returns the conversion that leaves what follows the last whole vector of
// lanes elements to rest.
func wholeVectors[D, S any](lanes int, vectors, rest func(dst []D, src []S)) func(dst []D, src []S) {
	return func(dst []D, src []S) {
		n := min(len(dst), len(src))
		whole := n - n%lanes
		vectors(dst[:whole], src[:whole])
		rest(dst[whole:n], src[whole:n])
	}
}
