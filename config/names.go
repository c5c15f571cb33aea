package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/orrery-rl/orrery/internal/spell"
)

// mistake is something in a document that is no setting, or not of its type.
type mistake struct {
	line int
	text string
}

// mistakes returns what in the document n cannot be settings, in its order.
func mistakes(n *yaml.Node) []mistake {
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	return misfits("", n, reflect.TypeFor[Run]())
}

// misfits are the mistakes in n, the value of the setting or group path, which is
// of type t.
func misfits(path string, n *yaml.Node, t reflect.Type) (out []mistake) {
	at := n
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t.Kind() != reflect.Struct {
		if err := n.Decode(reflect.New(t).Interface()); err != nil {
			out = append(out, mistake{at.Line, fmt.Sprintf("%s is %s; it must be %s", path, shown(n), wanted(t))})
		}
		return out
	}
	if n.Kind != yaml.MappingNode {
		return []mistake{{at.Line, notGroup(path, n)}}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		name := strings.TrimPrefix(path+"."+key.Value, ".")
		if field, ok := fieldOf(t, key.Value); ok {
			out = append(out, misfits(name, n.Content[i+1], field)...)
		} else if key.ShortTag() != "!!merge" {
			out = append(out, mistake{key.Line, unknown(name)})
		}
	}
	return out
}

func notGroup(path string, n *yaml.Node) string {
	if path == "" {
		return fmt.Sprintf("it is %s, and no settings, for example seed: 3", shown(n))
	}
	return fmt.Sprintf("%s is a group of settings and cannot be %s; name one of them, for example %s", path, shown(n), first(path))
}

// first is the first setting of a group.
func first(group string) string {
	names := Names()
	return names[slices.IndexFunc(names, func(s string) bool { return strings.HasPrefix(s, group+".") })]
}

func unknown(name string) string {
	meant := ""
	if near := meantBy(name); near != "" {
		meant = fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Sprintf("no setting %s%s (orrery train --print-config lists them)", name, meant)
}

// meantBy is the setting that name may stand for, or nothing: one in another
// group, a longer one, or one that is spelled almost so.
func meantBy(name string) string {
	last := name[strings.LastIndexByte(name, '.')+1:]
	names := Names()
	for _, is := range []func(string) bool{
		func(s string) bool { return strings.HasSuffix(s, "."+last) },
		func(s string) bool { return strings.HasPrefix(s, name+"_") },
		func(s string) bool { return strings.Contains(s, "."+last+"_") },
	} {
		if i := slices.IndexFunc(names, is); last != "" && i >= 0 {
			return names[i]
		}
	}
	return spell.Nearest(name, names)
}

// Names are the dotted names of all settings, in the order of the documents.
func Names() []string { return namesBelow("", reflect.TypeFor[Run]()) }

func namesBelow(path string, t reflect.Type) (names []string) {
	if t.Kind() != reflect.Struct {
		return []string{strings.TrimPrefix(path, ".")}
	}
	for f := range fields(t) {
		names = append(names, namesBelow(path+"."+yamlName(f), f.Type)...)
	}
	return names
}

// fieldOf is the type of what a name stands for in t.
func fieldOf(t reflect.Type, name string) (reflect.Type, bool) {
	for f := range fields(t) {
		if yamlName(f) == name {
			return f.Type, true
		}
	}
	return nil, false
}

func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if f := t.Field(i); yamlName(f) != "" && !yield(f) {
				return
			}
		}
	}
}

// yamlName is the name of a field in documents; nothing if it is in none.
func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return strings.TrimPrefix(name, "-")
}

// shown is a value in a message.
func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a group"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("%.80q", n.Value)
}

// wanted describes the values of a type.
func wanted(t reflect.Type) string {
	if t == reflect.TypeFor[time.Duration]() {
		return "a duration, for example 50ms"
	}
	switch kind := t.Kind(); {
	case kind == reflect.Bool:
		return "true or false"
	case kind == reflect.Slice && t.Elem().Kind() == reflect.String:
		return "a list of texts, for example [a, b]"
	case kind == reflect.Slice:
		return "a list of whole numbers, for example [200, 200]"
	case kind >= reflect.Int && kind <= reflect.Int64:
		return "a whole number"
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		return "a whole number, 0 or more"
	case kind == reflect.Float32, kind == reflect.Float64:
		return "a number"
	}
	return "a text"
}

// reported are mistakes in the document of that name as one error, or nil. One
// that was typed has no lines.
func reported(name string, typed bool, all []mistake) error {
	errs := make([]error, len(all))
	for i, m := range all {
		if errs[i] = fmt.Errorf("%s: line %d: %s", name, m.line, m.text); typed {
			errs[i] = fmt.Errorf("%s: %s", name, m.text)
		}
	}
	if len(errs) == 1 {
		return fmt.Errorf("%w: %w", ErrInvalid, errs[0])
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w:\n%w", ErrInvalid, err)
	}
	return nil
}
