package room

import (
	"runtime"
	"testing"
	"testing/fstest"
)

func TestMemoryIsTheLeastOfAllLimits(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	meminfo := file("MemTotal:       24000000 kB\nMemFree:         1000000 kB\nMemAvailable:    2000000 kB\n")
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  int64
		what  string
	}{
		"nothing known":   {fstest.MapFS{}, 0, ""},
		"no container":    {fstest.MapFS{"proc/meminfo": meminfo}, 2000000 << 10, "available"},
		"no limit":        {fstest.MapFS{"proc/meminfo": meminfo, "proc/self/cgroup": file("0::/a\n"), "sys/fs/cgroup/a/memory.max": file("max\n"), "sys/fs/cgroup/a/memory.current": file("5\n")}, 2000000 << 10, "available"},
		"a limit":         {fstest.MapFS{"proc/meminfo": meminfo, "proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("1000\n"), "sys/fs/cgroup/memory.current": file("400\n"), "sys/fs/cgroup/memory.stat": file("anon 3\ninactive_file 100\n")}, 700, "left of this container's limit"},
		"a limit above":   {fstest.MapFS{"proc/meminfo": meminfo, "proc/self/cgroup": file("1:x:/y\n0::/a/b\n"), "sys/fs/cgroup/a/memory.max": file("1000\n"), "sys/fs/cgroup/a/memory.current": file("400\n"), "sys/fs/cgroup/a/b/memory.max": file("5000\n"), "sys/fs/cgroup/a/b/memory.current": file("300\n")}, 600, "left of this container's limit"},
		"used up":         {fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("1000\n"), "sys/fs/cgroup/memory.current": file("1400\n")}, 0, "left of this container's limit"},
		"version 1":       {fstest.MapFS{"proc/meminfo": meminfo, "sys/fs/cgroup/memory/memory.limit_in_bytes": file("900\n"), "sys/fs/cgroup/memory/memory.usage_in_bytes": file("400\n")}, 500, "left of this container's limit"},
		"version 1, none": {fstest.MapFS{"proc/meminfo": meminfo, "sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n"), "sys/fs/cgroup/memory/memory.usage_in_bytes": file("400\n")}, 2000000 << 10, "available"},
		"damaged":         {fstest.MapFS{"proc/meminfo": file("MemAvailable: lots kB\n"), "proc/self/cgroup": file("0::/../../x\n")}, 0, ""},
	} {
		got, what, ok := memory(c.files)
		if got != c.want || ok != (c.what != "") || ok && what != c.what {
			t.Errorf("%s: %d, %q, %v; want %d, %q", name, got, what, ok, c.want, c.what)
		}
	}
}

func TestMemoryOfThisMachine(t *testing.T) {
	n, _, ok := Memory()
	if runtime.GOOS == "linux" && (!ok || n < 1<<20) {
		t.Errorf("%d, %v", n, ok)
	}
}
