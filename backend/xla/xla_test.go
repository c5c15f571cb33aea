package xla

import (
	"errors"
	"strings"
	"testing"
)

// TestMissingPluginSaysWhatToDo needs no plugin: without the tag xla the error
// names it, with it the error names the plugin and how to get one.
func TestMissingPluginSaysWhatToDo(t *testing.T) {
	const missing = "/nowhere/xla_cuda_plugin.so"
	backend, err := New(Config{Plugin: missing, Exact: true})
	if err == nil {
		backend.Finalize()
		t.Fatal("opened a plugin that does not exist")
	}
	if !Built {
		if !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "-tags xla") {
			t.Errorf("without the tag: %v", err)
		}
		return
	}
	if !errors.Is(err, ErrPlugin) || !strings.Contains(err.Error(), missing) || !strings.Contains(err.Error(), "pip install") {
		t.Errorf("with the tag: %v", err)
	}
}
