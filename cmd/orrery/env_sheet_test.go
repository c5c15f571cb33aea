package main

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEnvSheetShowsEachEnvironmentOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sheet.png")
	must(t, "env", "sheet", "toy-dot", "toy-choice", "toy-dot", "--size", "32", "--columns", "2", "--decisions", "0", "-o", path)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sheet, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	// Two columns and rows of cells: a gap, then as wide as the widest caption.
	cell := sheet.Bounds().Size().Sub(image.Pt(8, 8)).Div(2)
	if cell.X < 40 || cell.X > 120 || cell.Y != 8+32+32 {
		t.Fatalf("a cell has %v pixels", cell)
	}
	at := func(column, row int) (all []byte) {
		for y := range 32 {
			for x := range 32 {
				r, g, b, _ := sheet.At(8+column*cell.X+x, 8+row*cell.Y+y).RGBA()
				all = append(all, byte(r>>8), byte(g>>8), byte(b>>8))
			}
		}
		return all
	}
	if string(at(0, 0)) != string(at(0, 1)) {
		t.Error("one environment has two pictures")
	}
	if string(at(0, 0)) == string(at(1, 0)) || string(at(1, 1)) == string(at(0, 0)) {
		t.Error("different cells show the same")
	}
}

func TestEnvSheetRefusesWhatItCannotDraw(t *testing.T) {
	for _, args := range [][]string{{"toy-dto"}, {"--columns", "0"}, {"--decisions", "-1"}} {
		code, _, said := orrery(t, append([]string{"env", "sheet", "-o", filepath.Join(t.TempDir(), "sheet.png")}, args...)...)
		if code != exitUsage || strings.TrimSpace(said) == "" {
			t.Errorf("%v: exit code %d, %q", args, code, said)
		}
	}
}
