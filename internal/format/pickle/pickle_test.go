package pickle

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// written by CPython 3.11: pickle.dumps(v, protocol) of
//
//	v = {'a': [1, -2, 255, 256, 65535, 65536, 2**31, -2**40, 0.5, True, False, None, 'é',
//	           (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
//	     3: collections.OrderedDict([('z', 1), ('y', {})]), 'empty': []}
//	v['again'] = v['a']
var written = map[int]string{
	2: "\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffK\xffM\x00\x01M\xff\xffJ\x00\x00\x01\x00\x8a\x05\x00\x00\x00\x80\x00\x8a\x06\x00\x00\x00\x00\x00\xffG?\xe0\x00\x00\x00\x00\x00\x00\x88\x89NX\x02\x00\x00\x00\xc3\xa9q\x03)K\x01\x85q\x04K\x01K\x02\x86q\x05K\x01K\x02K\x03\x87q\x06(K\x01K\x02K\x03K\x04tq\x07eK\x03ccollections\x0aOrderedDict\x0aq\x08)Rq\x09(X\x01\x00\x00\x00zq\x0aK\x01X\x01\x00\x00\x00yq\x0b}q\x0cuX\x05\x00\x00\x00emptyq\x0d]q\x0eX\x05\x00\x00\x00againq\x0fh\x02u.",
	3: "\x80\x03}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffK\xffM\x00\x01M\xff\xffJ\x00\x00\x01\x00\x8a\x05\x00\x00\x00\x80\x00\x8a\x06\x00\x00\x00\x00\x00\xffG?\xe0\x00\x00\x00\x00\x00\x00\x88\x89NX\x02\x00\x00\x00\xc3\xa9q\x03)K\x01\x85q\x04K\x01K\x02\x86q\x05K\x01K\x02K\x03\x87q\x06(K\x01K\x02K\x03K\x04tq\x07eK\x03ccollections\x0aOrderedDict\x0aq\x08)Rq\x09(X\x01\x00\x00\x00zq\x0aK\x01X\x01\x00\x00\x00yq\x0b}q\x0cuX\x05\x00\x00\x00emptyq\x0d]q\x0eX\x05\x00\x00\x00againq\x0fh\x02u.",
	4: "\x80\x04\x95\xa4\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffK\xffM\x00\x01M\xff\xffJ\x00\x00\x01\x00\x8a\x05\x00\x00\x00\x80\x00\x8a\x06\x00\x00\x00\x00\x00\xffG?\xe0\x00\x00\x00\x00\x00\x00\x88\x89N\x8c\x02\xc3\xa9\x94)K\x01\x85\x94K\x01K\x02\x86\x94K\x01K\x02K\x03\x87\x94(K\x01K\x02K\x03K\x04t\x94eK\x03\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94(\x8c\x01z\x94K\x01\x8c\x01y\x94}\x94u\x8c\x05empty\x94]\x94\x8c\x05again\x94h\x02u.",
	5: "\x80\x05\x95\xa4\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffK\xffM\x00\x01M\xff\xffJ\x00\x00\x01\x00\x8a\x05\x00\x00\x00\x80\x00\x8a\x06\x00\x00\x00\x00\x00\xffG?\xe0\x00\x00\x00\x00\x00\x00\x88\x89N\x8c\x02\xc3\xa9\x94)K\x01\x85\x94K\x01K\x02\x86\x94K\x01K\x02K\x03\x87\x94(K\x01K\x02K\x03K\x04t\x94eK\x03\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94(\x8c\x01z\x94K\x01\x8c\x01y\x94}\x94u\x8c\x05empty\x94]\x94\x8c\x05again\x94h\x02u.",
}

func decode(t *testing.T, text string, classes ...string) any {
	t.Helper()
	v, err := Decode([]byte(text), classes)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func item(t *testing.T, d *Dict, key any) any {
	t.Helper()
	v, ok := d.Get(key)
	if !ok {
		t.Fatalf("no key %v in %v", key, d.Keys())
	}
	return v
}

func TestReadsWhatPythonWrites(t *testing.T) {
	for protocol, text := range written {
		root := decode(t, text).(*Dict)
		if diff := cmp.Diff([]any{"a", int64(3), "empty", "again"}, root.Keys()); diff != "" {
			t.Errorf("protocol %d: keys (-want +got):\n%s", protocol, diff)
		}
		list := item(t, root, "a").(*List)
		want := []any{
			int64(1), int64(-2), int64(255), int64(256), int64(65535), int64(65536), int64(1 << 31), int64(-1 << 40), 0.5, true, false, nil, "é",
			Tuple{}, Tuple{int64(1)}, Tuple{int64(1), int64(2)}, Tuple{int64(1), int64(2), int64(3)}, Tuple{int64(1), int64(2), int64(3), int64(4)},
		}
		if diff := cmp.Diff(want, list.Items); diff != "" {
			t.Errorf("protocol %d: (-want +got):\n%s", protocol, diff)
		}
		if item(t, root, "again") != any(list) || len(item(t, root, "empty").(*List).Items) != 0 {
			t.Errorf("protocol %d: the list is not shared, or the empty one is not empty", protocol)
		}
		ordered := item(t, root, int64(3)).(*Dict)
		if diff := cmp.Diff([]any{"z", "y"}, ordered.Keys()); diff != "" || item(t, ordered, "y").(*Dict).Len() != 0 {
			t.Errorf("protocol %d: ordered dict (-want +got):\n%s", protocol, diff)
		}
	}
}

// TestTorchObjects is the form of a tensor in torch.save, with a class that is
// allowed by the caller, a persistent storage and attributes of the dict.
func TestTorchObjects(t *testing.T) {
	text := "\x80\x02ccollections\nOrderedDict\nq\x00)R(U\x01wctorch._utils\n_rebuild_tensor_v2\n((U\x07storageU\x010K\x04tQK\x00K\x02K\x02\x86tRu}U\x09_metadataNsb."
	root := decode(t, text, "torch._utils._rebuild_tensor_v2").(*Dict)
	want := &Object{"torch._utils._rebuild_tensor_v2", Tuple{&Persistent{Tuple{"storage", "0", int64(4)}}, int64(0), Tuple{int64(2), int64(2)}}}
	if diff := cmp.Diff(want, item(t, root, "w")); diff != "" || root.Len() != 1 {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]any{
		"\x80\x02\x8a\x00.":                                 int64(0),
		"\x80\x02\x8a\x01\x80.":                             int64(-128),
		"\x80\x02\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.": int64(math.MaxInt64),
		"\x80\x02\x8b\x02\x00\x00\x00\x00\xff.":             int64(-256),
		"\x80\x02G\x7f\xf0\x00\x00\x00\x00\x00\x00.":        math.Inf(1),
		"\x80\x03C\x02\x00\xff.":                            []byte{0, 255},
		"\x80\x05\x96\x01\x00\x00\x00\x00\x00\x00\x00a.":    []byte("a"),
		"\x80\x02K\x01K\x0220.":                             int64(2),
		"\x80\x02K\x01(K\x02K\x031.":                        int64(1),
	} {
		if got := decode(t, text); !cmp.Equal(got, want) {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

// TestRefusesToRun holds pickles that run a command when Python loads them, or
// make objects in other ways.
func TestRefusesToRun(t *testing.T) {
	for text, names := range map[string][]string{
		"\x80\x02cos\nsystem\nU\x02ls\x85R.":         {"GLOBAL at byte 2", `"os.system"`},
		"\x80\x04\x8c\x02os\x8c\x06system\x93)R.":    {"STACK_GLOBAL at byte 14", `"os.system"`},
		"\x80\x02(U\x02lsios\nsystem\n.":             {"INST at byte 7"},
		"\x80\x02(cos\nsystem\no.":                   {"GLOBAL at byte 3"},
		"\x80\x02(U\x02lso.":                         {"OBJ at byte 7"},
		"\x80\x02ctorch\nSize\n)\x81.":               {"NEWOBJ at byte 15"},
		"\x80\x04ctorch\nSize\n)}\x92.":              {"NEWOBJ_EX"},
		"\x80\x02\x82\x01.":                          {"EXT1"},
		"\x80\x02Pid\n.":                             {"PERSID"},
		"\x80\x05\x97.":                              {"NEXT_BUFFER"},
		"\x80\x02cbuiltins\neval\nU\x011\x85R.":      {`"builtins.eval"`},
		"\x80\x02ctorch\nSize\nq\x00ctorch\nload\n.": {`"torch.load"`},
	} {
		_, err := Decode([]byte(text), []string{"torch.Size"})
		if !errors.Is(err, ErrForbidden) || !errors.Is(err, ErrCorrupt) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, name := range names {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%q: error %q does not name %s", text, err, name)
			}
		}
	}
}

func TestRefusesDamage(t *testing.T) {
	cases := map[string]string{
		"empty": "", "protocol 0": "I1\n.", "protocol 1": "\x80\x01N.", "protocol 6": "\x80\x06N.",
		"no stop": "\x80\x02N", "nothing to stop with": "\x80\x02.", "unknown instruction": "\x80\x02\xfe.",
		"text beyond the end":   "\x80\x02X\xff\xff\xff\x7fa.",
		"text of 2^63 bytes":    "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.",
		"frame beyond the end":  "\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN.",
		"text is not UTF-8":     "\x80\x02X\x01\x00\x00\x00\xff.",
		"integer of 9 bytes":    "\x80\x02\x8a\x09123456789.",
		"memo that is not kept": "\x80\x02h\x05.", "memo of nothing": "\x80\x02q\x00.",
		"pop below a mark": "\x80\x02N(0.", "no mark": "\x80\x02Nt.", "tuple below a mark": "\x80\x02N(N\x86.",
		"append to a number": "\x80\x02K\x01Na.", "item of a list": "\x80\x02]K\x01Ns.", "key without value": "\x80\x02}(K\x01u.",
		"key that is a list": "\x80\x02}]Ns.", "key that is a tuple": "\x80\x02})Ns.",
		"call of a number": "\x80\x02K\x01)R.", "ordered dict of a list": "\x80\x02ccollections\nOrderedDict\n]\x85R.",
		"attributes of a list": "\x80\x02]}b.", "name without end": "\x80\x02ccollections", "name of a number": "\x80\x04K\x01K\x01\x93.",
		"marks":          "\x80\x02" + strings.Repeat("(", maxMarks+1),
		"values waiting": "\x80\x02" + strings.Repeat("N", maxStack+1) + ".",
	}
	for name, text := range cases {
		_, err := Decode([]byte(text), nil)
		if !errors.Is(err, ErrCorrupt) || errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryPrefixIsDamaged(t *testing.T) {
	for protocol, text := range written {
		for n := range len(text) {
			if _, err := Decode([]byte(text[:n]), nil); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("protocol %d, %d of %d bytes: %v", protocol, n, len(text), err)
			}
		}
	}
}

func TestMemoIsLimited(t *testing.T) {
	text := []byte("\x80\x02N")
	for i := range maxMemo + 1 {
		text = append(text, 'r', byte(i), byte(i>>8), byte(i>>16), byte(i>>24))
	}
	_, err := Decode(append(text, '.'), nil)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(maxMemo)) {
		t.Errorf("%v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range written {
		f.Add([]byte(text))
	}
	f.Add([]byte("\x80\x02ctorch\nSize\n(K\x02K\x02tR(U\x07storageK\x04tQ\x86."))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Decode(data, []string{"torch.Size"})
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%v does not match ErrCorrupt", err)
		}
		if d, ok := v.(*Dict); ok && d.Len() > len(data) {
			t.Fatalf("%d items from %d bytes", d.Len(), len(data))
		}
	})
}
