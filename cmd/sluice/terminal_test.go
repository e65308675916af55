package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"sluice/internal/lab"
)

func TestProgressIsShownOnATerminalOnly(t *testing.T) {
	s := lab.Sluice(t)
	line := startProxy(t, s.Addr, 4<<20)
	path, _ := randomFile(t, 2<<20)
	command := []string{lab.Binary(t), "send", "--server", line.URL, "--room", "r", path}

	piped, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil || strings.Count(string(piped), "\n") != 1 || !strings.HasPrefix(string(piped), line.URL+"/media/") {
		t.Errorf("in a pipe it printed %q, %v; want the URL", piped, err)
	}

	// script, of util-linux, runs a command on a terminal of its own, which has no size at first.
	onTerminal := "stty columns 100 rows 30; " + strings.Join(command, " ")
	shown, err := exec.Command("script", "--quiet", "--return", "--command", onTerminal, "/dev/null").CombinedOutput()
	if err != nil {
		t.Fatalf("on a terminal: %v, %q", err, shown)
	}
	for _, want := range []string{"2.0 MiB / 2.0 MiB", "[", line.URL + "/media/", "\x1b["} {
		if !strings.Contains(string(shown), want) {
			t.Errorf("on a terminal it printed %q; want %q in it", shown, want)
		}
	}
}

func TestSizesAreReadable(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 3 << 40: "3.0 TiB", 1<<63 - 1: "8.0 EiB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%s) = %q; want %q", fmt.Sprint(n), got, want)
		}
	}
}
