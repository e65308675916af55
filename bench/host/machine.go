package host

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// Machine is what a benchmark runs on. What cannot be found out is zero.
type Machine struct {
	Processor string
	Cores     int
	Memory    int64 // bytes
	Kernel    string
	Go        string
	Node      string
}

// Describe returns what machine this is.
func Describe(ctx context.Context) Machine {
	cpus, _ := os.ReadFile("/proc/cpuinfo")
	memory, _ := os.ReadFile("/proc/meminfo")
	kib, _ := strconv.ParseInt(strings.TrimSuffix(field(string(memory), "MemTotal"), " kB"), 10, 64)
	return Machine{
		Processor: field(string(cpus), "model name"),
		Cores:     runtime.NumCPU(),
		Memory:    kib << 10,
		Kernel:    output(ctx, "uname", "-sr"),
		Go:        strings.TrimPrefix(runtime.Version(), "go"),
		Node:      strings.TrimPrefix(output(ctx, "node", "--version"), "v"),
	}
}

// field returns the first value of a name in a file of /proc, where lines are "name : value".
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func output(ctx context.Context, name string, args ...string) string {
	out, _ := exec.CommandContext(ctx, name, args...).Output()
	return strings.TrimSpace(string(out))
}
