package orrery

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/orrery-rl/orrery"

// layers lists the packages that may import only what stands below them; a
// prefix stands for its whole tree. Packages of one layer do not import each
// other, except within one tree.
var layers = []struct {
	level  int
	prefix string
}{
	{8, "cmd"}, {7, "report"}, {6, "config"}, {6, "dashboard"}, {6, "internal/bench"}, {6, "internal/film"}, {5, "learn"}, {5, "score"}, {4, "agent"}, {4, "env/mujoco"}, {4, "internal/kaixhin"}, {4, "internal/onnxexport"},
	{3, "worldmodel"}, {3, "plan"}, {3, "env/control"}, {3, "env/toy"}, {3, "env/remote"}, {3, "backend/cpu"}, {3, "backend/xla"},
	{3, "internal/diagnose"},
	{2, "env"}, {2, "replay"}, {2, "checkpoint"}, {2, "metrics"},
	{1, "internal"},
}

// forbidden are arrows that no layer rule may ever excuse.
var forbidden = map[string][]string{
	"plan":        {"worldmodel", "backend/cpu"},
	"worldmodel":  {"plan", "backend/cpu"},
	"replay":      {"env"},
	"backend/cpu": {"worldmodel", "plan", "learn", "agent", "env", "replay", "checkpoint", "metrics"},
}

func TestImportsPointDown(t *testing.T) {
	seen := map[string]bool{}
	for dir, imports := range importsByDir(t) {
		from, ok := layerOf(dir)
		if !ok {
			if dir != "." {
				t.Errorf("package %s is in no layer; add it to the table", dir)
			}
			continue
		}
		seen[layers[from].prefix] = true
		for _, to := range imports {
			checkArrow(t, dir, from, to)
		}
	}
	for _, l := range layers {
		if !seen[l.prefix] {
			t.Errorf("the table names %s, which does not exist any more", l.prefix)
		}
	}
}

func checkArrow(t *testing.T, dir string, from int, to string) {
	t.Helper()
	target, ok := layerOf(to)
	if !ok || layers[from].prefix == layers[target].prefix {
		return
	}
	// internal/parity exists to compare packages of different layers.
	if dir == "internal/parity" {
		return
	}
	if layers[target].level >= layers[from].level {
		t.Errorf("%s imports %s, which is not below it", dir, to)
	}
	for _, bad := range forbidden[layers[from].prefix] {
		if to == bad || strings.HasPrefix(to, bad+"/") {
			t.Errorf("%s must never import %s", dir, to)
		}
	}
}

// layerOf returns the entry with the longest matching prefix.
func layerOf(dir string) (best int, ok bool) {
	for i, l := range layers {
		if (dir == l.prefix || strings.HasPrefix(dir, l.prefix+"/")) && (!ok || len(l.prefix) > len(layers[best].prefix)) {
			best, ok = i, true
		}
	}
	return best, ok
}

// importsByDir maps each package folder to what its non-test files import of
// this module.
func importsByDir(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != "." && strings.ContainsRune("._", rune(name[0])) || name == "testdata" || name == "runs" {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		out[dir] = append(out[dir], []string{}...)
		for _, i := range f.Imports {
			if p, err := strconv.Unquote(i.Path.Value); err == nil && strings.HasPrefix(p, module+"/") {
				out[dir] = append(out[dir], strings.TrimPrefix(p, module+"/"))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryPackageSaysWhatItIs demands a package comment everywhere.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for dir := range importsByDir(t) {
		documented := false
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, file.Name()), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			documented = documented || f.Doc != nil
		}
		if !documented {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}
