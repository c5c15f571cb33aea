package onnx

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// TestBytes holds a model worked out from onnx.proto3 by hand: y = Gemm(x, w),
// alpha 0.5, transB 1, with one weight, and a list for good measure.
func TestBytes(t *testing.T) {
	m := &Model{
		Opset: 13, IR: 7, Producer: "p", ProducerVersion: "1", Doc: "d", Metadata: map[string]string{"b": "2", "a": ""},
		Graph: Graph{
			Name: "g",
			Nodes: []Node{{
				Op: "Gemm", Name: "n", Inputs: []string{"x", "w", ""}, Outputs: []string{"y"},
				Attributes: []Attribute{{"alpha", float32(0.5)}, {"t", int64(1)}, {"s", []int64{2, 300}}},
			}},
			Weights: []Tensor{{"w", []int{1, 2}, []float32{1, -2}}, {"i", []int{1}, []int64{-1}}, {"c", nil, []float32{0}}},
			Inputs:  []Value{{Name: "x", Type: Uint8, Dims: []any{"N", 2}, Doc: "e"}},
			Outputs: []Value{{Name: "y", Type: Float, Dims: []any{"N"}}},
		},
	}
	want := "0807" + "120170" + "1a0131" + "320164" + // IR, producer and its version, text
		"3aa601" + "0a3c" + // a graph of 166 bytes; its node
		"0a0178" + "0a0177" + "0a00" + "120179" + "1a016e" + "220447656d6d" + // x, w, "", y, n, Gemm
		"2a0f" + "0a05616c706861" + "150000003f" + "a00101" + // alpha: 1/2, a float
		"2a08" + "0a0174" + "1801" + "a00102" + // t: 1, an integer
		"2a0b" + "0a0173" + "420302ac02" + "a00107" + // s: 2 and 300, a list
		"120167" + // g
		"2a13" + "0a020102" + "1001" + "420177" + "4a08" + "0000803f" + "000000c0" + // w: [1, 2] of floats
		"2a12" + "0a0101" + "1007" + "420169" + "4a08" + "ffffffffffffffff" + // i: [1] of integers
		"2a0d" + "0a00" + "1001" + "420163" + "4a04" + "00000000" + // c: a scalar
		"5a17" + "0a0178" + "120f" + "0a0d" + "0802" + "1209" + "0a0312014e" + "0a020802" + "1a0165" + // x: bytes, [N, 2]
		"6212" + "0a0179" + "120b" + "0a09" + "0801" + "1205" + "0a0312014e" + "1a00" + // y: floats, [N]
		"4204" + "0a00" + "100d" + "7205" + "0a0161" + "1200" + "7206" + "0a0162" + "120132" // operators, pairs
	var got bytes.Buffer
	if err := Write(&got, m); err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(got.Bytes()) != want {
		t.Errorf("got\n%x\nwant\n%s", got.Bytes(), want)
	}
}
