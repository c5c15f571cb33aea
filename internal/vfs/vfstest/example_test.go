package vfstest_test

import (
	"fmt"

	"github.com/orrery-rl/orrery/internal/vfs/vfstest"
)

// A synced file is lost with its name when nobody syncs the directory.
func ExampleMem_CrashClone() {
	mem := vfstest.NewMem()
	f, err := mem.Create("file")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := f.Sync(); err != nil {
		fmt.Println(err)
	}
	_, err = mem.CrashClone(nil).Stat("file")
	fmt.Println("before SyncDir:", err)
	if err := mem.SyncDir("."); err != nil {
		fmt.Println(err)
	}
	_, err = mem.CrashClone(nil).Stat("file")
	fmt.Println("after SyncDir:", err)
	// Output:
	// before SyncDir: stat file: file does not exist
	// after SyncDir: <nil>
}
