package teleop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func keymap(t testing.TB, size int, discrete bool) Keymap {
	t.Helper()
	k, err := NewKeymap(size, discrete)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// turns is what a player who presses these keys, turn by turn, does until the
// input ends.
func turns(t *testing.T, k Keymap, in io.Reader) (actions []string, last error) {
	t.Helper()
	p, err := Start(Config{Keys: k, In: in, Out: io.Discard, Size: func() (int, int) { return 80, 24 }})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for {
		a, err := p.Act(context.Background())
		if err != nil {
			return actions, err
		}
		actions = append(actions, fmt.Sprint(a))
	}
}

func TestKeysBecomeActions(t *testing.T) {
	for keys, want := range map[string]string{
		"adDA":                     "[-1 0] [1 0] [0.5 0] [-0.5 0]",
		"s?w~ ":                    "[0 -1] [0 1] [0 0]",
		"\x1b[D\x1b[C\x1bOA\x1b[B": "[-1 0] [1 0] [0 1] [0 -1]",
		"\x1b[5a\x1bd":             "[-1 0] [1 0]",
		"jl":                       "", // of a third component
	} {
		got, err := turns(t, keymap(t, 2, false), strings.NewReader(keys))
		if strings.Join(got, " ") != want || !errors.Is(err, ErrQuit) {
			t.Errorf("%q: %v (%v), want %s", keys, got, err, want)
		}
		// However the bytes arrive.
		got, _ = turns(t, keymap(t, 2, false), oneByOne{strings.NewReader(keys)})
		if strings.Join(got, " ") != want {
			t.Errorf("%q, byte by byte: %v, want %s", keys, got, want)
		}
	}
	if got, _ := turns(t, keymap(t, 3, true), strings.NewReader("132 49a")); strings.Join(got, " ") != "[1 0 0] [0 0 1] [0 1 0]" {
		t.Errorf("digits: %v", got)
	}
}

// TestKeysDoNotDependOnHowTheyArrive: whatever is sent, in whatever pieces.
func TestKeysDoNotDependOnHowTheyArrive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := Keymap{size: rapid.IntRange(1, 10).Draw(t, "size"), discrete: rapid.Bool().Draw(t, "discrete")}
		text := rapid.StringOfN(rapid.SampledFrom([]rune("adswADqx 159\x1b[OACD\x03é")), 0, 20, -1).Draw(t, "text")
		want, _ := k.decode(text)
		var got []press
		rest := ""
		for len(text) > 0 {
			n := rapid.IntRange(1, len(text)).Draw(t, "piece")
			var some []press
			some, rest = k.decode(rest + text[:n])
			got, text = append(got, some...), text[n:]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

type oneByOne struct{ io.Reader }

func (r oneByOne) Read(p []byte) (int, error) { return r.Reader.Read(p[:1]) }

func TestQuitAndDrop(t *testing.T) {
	for keys, want := range map[string]error{"aq": ErrQuit, "a\x03": ErrQuit, "a\x04d": ErrQuit, "ax": ErrDrop, "aX": ErrDrop} {
		if got, err := turns(t, keymap(t, 1, false), strings.NewReader(keys)); !errors.Is(err, want) || len(got) != 1 {
			t.Errorf("%q: %v, %v", keys, got, err)
		}
	}
}

func TestThereAreKeysForSomeActions(t *testing.T) {
	for _, size := range []int{0, 11, 21} {
		for _, discrete := range []bool{false, true} {
			if _, err := NewKeymap(size, discrete); !errors.Is(err, ErrKeys) {
				t.Errorf("%d components: %v", size, err)
			}
		}
	}
	help := strings.Join(keymap(t, 10, false).Help(), "\n")
	for _, want := range []string{"a d or left right   component 0", "u o   component 9", "space", "quit"} {
		if !strings.Contains(help, want) {
			t.Errorf("%q is missing from\n%s", want, help)
		}
	}
	if help := strings.Join(keymap(t, 10, true).Help(), "\n"); !strings.Contains(help, "1 to 0   action") || strings.Contains(help, "space") {
		t.Errorf("%s", help)
	}
	seen := map[byte]bool{'q': true, 'x': true}
	for _, pair := range pairs {
		for i := range 2 {
			if seen[pair[i]] {
				t.Errorf("%c has two meanings", pair[i])
			}
			seen[pair[i]] = true
		}
	}
}

// TestRealTime: a key acts for as many decisions as Hold says after it was last
// heard of; keys of other components act beside it.
func TestRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, keys := io.Pipe()
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		p, err := Start(Config{Keys: keymap(t, 2, false), In: in, Out: io.Discard, Size: func() (int, int) { return 80, 24 }, Tick: ticker.C, Hold: 3})
		if err != nil {
			t.Fatal(err)
		}
		press := map[int]string{1: "a", 3: "w", 8: "d", 9: " "}
		var got []string
		for i := range 11 {
			if text := press[i]; text != "" {
				if _, err := io.WriteString(keys, text); err != nil {
					t.Fatal(err)
				}
			}
			a, err := p.Act(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(a))
		}
		want := "[0 0] [-1 0] [-1 0] [-1 1] [0 1] [0 1] [0 0] [0 0] [1 0] [0 0] [0 0]"
		if strings.Join(got, " ") != want {
			t.Errorf("%v, want %s", got, want)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := p.Act(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		keys.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestFitKeepsProportionsAndBounds.
func TestFitKeepsProportionsAndBounds(t *testing.T) {
	for _, c := range []struct{ w, h, cols, rows, wantW, wantH int }{
		{64, 64, 80, 20, 40, 40}, {64, 64, 200, 80, 128, 128}, {64, 32, 40, 80, 40, 20}, {16, 16, 16, 8, 16, 16}, {64, 64, 1, 1, 1, 1},
	} {
		if w, h := Fit(c.w, c.h, c.cols, c.rows); w != c.wantW || h != c.wantH {
			t.Errorf("%+v: %dx%d", c, w, h)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string) int { return rapid.IntRange(1, 300).Draw(t, name) }
		cols, rows := n("cols"), n("rows")
		if w, h := Fit(n("width"), n("height"), cols, rows); w < 1 || h < 1 || w > cols || h > 2*rows {
			t.Fatalf("%dx%d on %d columns, %d rows", w, h, cols, rows)
		}
	})
}

// TestResizeAverages: halves of two colours stay, and their mean is what is
// between.
func TestResizeAverages(t *testing.T) {
	src := image.NewRGBA(image.Rect(0, 0, 4, 4))
	for y := range 4 {
		for x := range 4 {
			src.SetRGBA(x, y, color.RGBA{uint8(60 * x), uint8(10 * y), 7, 255})
		}
	}
	half := Resize(src, 2, 2)
	if got := half.RGBAAt(1, 0); got != (color.RGBA{150, 5, 7, 255}) {
		t.Errorf("%v", got)
	}
	if one := Resize(src, 1, 1).RGBAAt(0, 0); one != (color.RGBA{90, 15, 7, 255}) {
		t.Errorf("%v", one)
	}
	if double := Resize(src, 8, 8); double.RGBAAt(7, 7) != src.RGBAAt(3, 3) || double.RGBAAt(6, 0) != src.RGBAAt(3, 0) {
		t.Error("larger pictures repeat pixels")
	}
}

// TestBlocksShowTwoRowsALine, with a colour only where it changes.
func TestBlocksShowTwoRowsALine(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 3, 3))
	img.SetRGBA(0, 0, color.RGBA{1, 2, 3, 255})
	img.SetRGBA(0, 1, color.RGBA{4, 5, 6, 255})
	got := Blocks(img)
	want := []string{
		"\x1b[38;2;1;2;3;48;2;4;5;6m▀\x1b[38;2;0;0;0;48;2;0;0;0m▀▀\x1b[0m",
		"\x1b[38;2;0;0;0;48;2;0;0;0m▀▀▀\x1b[0m",
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q", got)
	}
}

// TestFramesFitTheTerminal: no more lines than rows, whatever is shown, and the
// terminal gets its own screen back.
func TestFramesFitTheTerminal(t *testing.T) {
	var out bytes.Buffer
	rows := 12
	p, err := Start(Config{Keys: keymap(t, 2, false), In: strings.NewReader(""), Out: &out, Size: func() (int, int) { return 30, rows }})
	if err != nil {
		t.Fatal(err)
	}
	for ; rows > 0; rows-- {
		out.Reset()
		if err := p.Show("a title that is much longer than the terminal is wide", image.NewRGBA(image.Rect(0, 0, 64, 64)), ""); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if n := strings.Count(text, "\r\n"); n >= rows || !strings.HasPrefix(text, home+"a title that is much longer th"+clearEnd) {
			t.Errorf("%d rows: %d line ends in %q", rows, n, text)
		}
	}
	rows = 12
	out.Reset()
	if err := p.Show("title", nil, "height 1.5"); err != nil || !strings.Contains(out.String(), "height 1.5") || strings.Contains(out.String(), "▀") {
		t.Errorf("%v: %q", err, &out)
	}
	out.Reset()
	if err := p.Close(); err != nil || out.String() != leave {
		t.Errorf("%v: %q", err, &out)
	}
}
