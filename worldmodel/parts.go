package worldmodel

import (
	"fmt"
	"slices"
	"strings"
)

// Parts names the parts of the model in the order of its parameters: what
// stands before the first slash of their names, as in "encoder", "rssm",
// "decoder", "reward".
func (m *Model) Parts() []string {
	var parts []string
	for _, spec := range m.specs {
		part, _, _ := strings.Cut(spec.Name, "/")
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}

// InParts reports for each parameter whether it belongs to one of the named
// parts. A name is a whole path of parameter names up to a slash, or all of one:
// "rssm", "rssm/prior", "encoder/conv1/bias". The error lists the names that no
// parameter has, and those that exist.
func (m *Model) InParts(names []string) ([]bool, error) {
	in := make([]bool, len(m.specs))
	var unknown []string
	for _, name := range names {
		found := false
		for i, spec := range m.specs {
			if spec.Name == name || strings.HasPrefix(spec.Name, name+"/") {
				in[i], found = true, true
			}
		}
		if !found {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("worldmodel: the model has no part %s; it has %s, and parts of these such as %q",
			strings.Join(unknown, ", "), strings.Join(m.Parts(), ", "), m.subpart())
	}
	return in, nil
}

// subpart is an example of a longer name.
func (m *Model) subpart() string {
	name := m.specs[0].Name
	return name[:strings.LastIndex(name, "/")]
}
