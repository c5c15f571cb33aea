package dashboard

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/orrery-rl/orrery/internal/vfs"
)

// Limits on a file of settings.
const (
	maxSettingsFile = 256 << 10
	maxSettings     = 500
	maxSetting      = 300
	maxDepth        = 8
)

// readSettings returns the settings of a run by their dotted names. A run
// without the file has none.
func readSettings(path string) (map[string]string, error) {
	data, err := vfs.ReadFile(vfs.OS(), path, maxSettingsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseSettings(data)
}

func parseSettings(data []byte) (map[string]string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	out := map[string]string{}
	flatten(out, "", &root, 0)
	return out, nil
}

// flatten collects scalars and lists of scalars; what is deeper or more than a
// configuration ever is, and aliases, are left out.
func flatten(out map[string]string, name string, n *yaml.Node, depth int) {
	if depth > maxDepth || len(out) >= maxSettings || len(name) > maxName {
		return
	}
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			flatten(out, name, c, depth+1)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if name != "" {
				key = name + "." + key
			}
			flatten(out, key, n.Content[i+1], depth+1)
		}
	case yaml.SequenceNode:
		out[name] = clip(list(n))
	case yaml.ScalarNode:
		out[name] = clip(n.Value)
	}
}

func list(n *yaml.Node) string {
	var items []string
	for _, c := range n.Content[:min(len(n.Content), 32)] {
		items = append(items, c.Value)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// clip shortens a text to what a page shows of it.
func clip(s string) string {
	if len(s) <= maxSetting {
		return s
	}
	return strings.ToValidUTF8(s[:maxSetting], "") + "…"
}
