package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/lab"
	"sluice/relay"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// job is a command that runs in this process.
type job struct {
	t         *testing.T
	args      []string
	out, errs lockedBuffer
	interrupt context.CancelFunc
	done      chan struct{}
	err       error // once done
}

// lockedBuffer is a buffer that can be looked at while it is written to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// startSluice starts a command; the test ends only when that has.
func startSluice(t *testing.T, stdin io.Reader, args ...string) *job {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	j := &job{t: t, args: args, interrupt: cancel, done: make(chan struct{})}
	go func() {
		defer close(j.done)
		j.err = run(ctx, args, stdin, &j.out, &j.errs)
	}()
	t.Cleanup(func() {
		cancel()
		<-j.done
	})
	return j
}

// wait waits for the command's end.
func (j *job) wait() error {
	j.t.Helper()
	select {
	case <-j.done:
	case <-time.After(patience):
		j.t.Fatalf("the command does not end; it printed %q, %q", j.out.String(), j.errs.String())
	}
	return j.err
}

// eventually waits until ok reports true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// startWatch starts watch and waits until it is in the room.
func startWatch(t *testing.T, s *lab.Server, room string, args ...string) *job {
	t.Helper()
	before := members(t, s, room)
	j := startSluice(t, nil, append([]string{"watch", "--server", s.URL, "--room", room}, args...)...)
	eventually(t, "watch joins", func() bool { return members(t, s, room) > before })
	return j
}

func members(t *testing.T, s *lab.Server, room string) int {
	t.Helper()
	resp, err := http.Get(s.URL + "/rooms/" + room)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body struct{ Members []struct{ ID string } }
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	return len(body.Members)
}

func randomFile(t *testing.T, size int) (path string, content []byte) {
	t.Helper()
	content = make([]byte, size)
	rand.Read(content)
	path = filepath.Join(t.TempDir(), "random.bin")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, content
}

// files are the contents of a folder.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string][]byte{}
	for _, e := range entries {
		if contents[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return contents
}

// infos are the JSON objects that a command printed.
func infos(t *testing.T, out string) []relay.Info {
	t.Helper()
	var all []relay.Info
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		var info relay.Info
		switch err := dec.Decode(&info); err {
		case nil:
			all = append(all, info)
		case io.EOF:
			return all
		default:
			t.Fatalf("%v in %q", err, out)
		}
	}
}

func TestWhatIsSentIsWatched(t *testing.T) {
	s := lab.Sluice(t)
	out := filepath.Join(t.TempDir(), "made", "here")
	w := startWatch(t, s, "r", "--out", out)
	path, content := randomFile(t, 5_000_001)
	args := []string{"send", "--server", s.URL, "--room", "r", path, path, samples + "/av1.webm", os.DevNull}
	printed, said, err := sluice(t, args...)
	if err != nil || said != "" || strings.Count(printed, s.URL+"/media/") != 4 {
		t.Fatalf("send printed %q, %q, %v; want four URLs", printed, said, err)
	}
	eventually(t, "all is reported", func() bool { return strings.Count(w.out.String(), "\n") == 4 })
	w.interrupt()
	if err := w.wait(); err != nil || w.errs.String() != "" {
		t.Errorf("watch = %v, %q; want nil: nothing was in flight", err, w.errs.String())
	}
	got := files(t, out)
	if len(got) != 4 || !bytes.Equal(got["random.bin"], content) || !bytes.Equal(got["random (2).bin"], content) {
		t.Errorf("%d files; want two of random.bin and two more", len(got))
	}
	sample, err := os.ReadFile(samples + "/av1.webm")
	if err != nil || !bytes.Equal(got["av1.webm"], sample) || len(got["null"]) != 0 {
		t.Errorf("av1.webm has %d bytes, null %d", len(got["av1.webm"]), len(got["null"]))
	}
}

func TestARoomIsToldOfAsJSON(t *testing.T) {
	s := lab.Sluice(t)
	w := startWatch(t, s, "r", "--json")
	sent, _, err := sluiceWith(t.Context(), "some text", "send", "--server", s.URL, "--room", "r", "--json", "--name", "a b", "-")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is told of", func() bool { return w.out.String() != "" })
	a, b := infos(t, sent), infos(t, w.out.String())
	if len(a) != 1 || len(b) != 1 || a[0].ID != b[0].ID || a[0].Name != "a b" || b[0].SHA256 != a[0].SHA256 || *b[0].Size != 9 {
		t.Errorf("sent %s, told of %s", sent, w.out.String())
	}
}

func TestSendAndWatchSurviveTheServersCrash(t *testing.T) {
	s := lab.Sluice(t)
	out := t.TempDir()
	w := startWatch(t, s, "r", "--out", out)
	content := make([]byte, 6<<20)
	rand.Read(content)
	stdin, feed := io.Pipe()
	send := startSluice(t, stdin, "send", "--server", s.URL, "--room", "r", "--name", "x.bin", "--json", "-")
	half := len(content) / 2
	if _, err := feed.Write(content[:half]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "half of it arrives", func() bool {
		for _, part := range files(t, out) {
			return len(part) == half
		}
		return false
	})
	s.Kill()
	s.Start()
	if _, err := feed.Write(content[half:]); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	if err := send.wait(); err != nil {
		t.Fatalf("send = %v", err)
	}
	eventually(t, "the whole arrives", func() bool { return w.out.String() != "" })
	w.interrupt()
	if err := w.wait(); err != nil || !strings.Contains(w.errs.String(), "disconnected") {
		t.Errorf("watch = %v, %q", err, w.errs.String())
	}
	if got := files(t, out); len(got) != 1 || !bytes.Equal(got["x.bin"], content) {
		t.Errorf("%d files, x.bin has %d bytes; want one of %d", len(got), len(got["x.bin"]), len(content))
	}
}

func TestWatchCatchesUpOnWhatCameWhileItWasAway(t *testing.T) {
	for name, args := range map[string][]string{"saving": {"--out", t.TempDir()}, "telling": {"--json"}} {
		t.Run(name, func(t *testing.T) {
			s := lab.Sluice(t)
			line := startProxy(t, s.Addr, 0)
			w := startSluice(t, nil, append([]string{"watch", "--server", line.URL, "--room", "r"}, args...)...)
			eventually(t, "watch joins", func() bool { return members(t, s, "r") == 1 })
			if _, _, err := sluiceWith(t.Context(), "before", "send", "--server", s.URL, "--room", "r", "-"); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the first arrives", func() bool { return strings.Count(w.out.String(), "\n") == 1 })
			s.Kill()
			s.Start()
			if _, _, err := sluiceWith(t.Context(), "meanwhile", "send", "--server", s.URL, "--room", "r", "-"); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the second arrives", func() bool { return strings.Count(w.out.String(), "\n") == 2 })
			w.interrupt()
			if err := w.wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSendFailsForTheFilesItCouldNotSend(t *testing.T) {
	s := lab.Sluice(t)
	dir := t.TempDir()
	printed, _, err := sluice(t, "send", "--server", s.URL, "--room", "r", dir, samples+"/av1.webm", "missing")
	want := dir + ": is a directory\nmissing: no such file or directory"
	if err == nil || err.Error() != want {
		t.Errorf("send = %v; want %s", err, want)
	}
	if strings.Count(printed, "\n") != 1 {
		t.Errorf("it printed %q; want one URL", printed)
	}
	if _, _, err := sluice(t, "send", "--server", s.URL, "--room", "r", "--live", dir); err == nil {
		t.Error("--live with a file = nil; want an error")
	}
	if _, _, err := sluice(t, "send", "--server", "http://127.0.0.1:1", "--room", "r", dir); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("send to nobody = %v", err)
	}
}

func TestWhatIsTooLargeIsRefusedWithTheLimit(t *testing.T) {
	path, _ := randomFile(t, 1<<20+1)
	for _, flag := range []string{"--max-upload", "--max-spool"} {
		s := lab.Sluice(t, flag, "1MiB")
		_, _, err := sluice(t, "send", "--server", s.URL, "--room", "r", path)
		if err == nil || !strings.Contains(err.Error(), "too_large") || !strings.Contains(err.Error(), "1048576") {
			t.Errorf("send to one with %s = %v; want too_large and the limit", flag, err)
		}
	}
}

func TestAFullSpoolRefusesUploadsUntilTheArchiveIsBack(t *testing.T) {
	store := lab.StartS3(t)
	t.Setenv("SSL_CERT_FILE", store.CAFile)
	s := lab.Sluice(t, "--s3", store.URL, "--max-spool", "3MiB")
	path, _ := randomFile(t, 2<<20)
	send := func(flags ...string) error {
		_, _, err := sluice(t, append([]string{"send", "--server", s.URL, "--room", "r", path}, flags...)...)
		return err
	}
	store.Kill()
	if err := send(); err != nil {
		t.Fatalf("send while the archive is away = %v; want it taken", err)
	}
	const why = "some of what it has is archived or forgotten"
	if err := send("--wait", "0"); err == nil || !strings.Contains(err.Error(), "unavailable") || !strings.Contains(err.Error(), why) {
		t.Errorf("send of what there is no room for = %v; want unavailable and why", err)
	}
	waits := startSluice(t, nil, "send", "--server", s.URL, "--room", "r", path)
	eventually(t, "send says why it waits", func() bool { return strings.Contains(waits.errs.String(), why) })
	store.Start()
	if err := waits.wait(); err != nil {
		t.Errorf("a send that waited for room = %v", err)
	}
}

func TestWhoSendsTooFastIsReadNoFaster(t *testing.T) {
	s := lab.Sluice(t, "--max-rate", "100KB")
	path, _ := randomFile(t, 200_000)
	began := time.Now()
	if _, _, err := sluice(t, "send", "--server", s.URL, "--room", "r", path); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("200 kB at 100 kB/s, of which a second's come at once, took %v", took)
	}
}

func TestALiveStreamEndsProperlyWhenItIsInterrupted(t *testing.T) {
	s := lab.Sluice(t)
	out := t.TempDir()
	w := startWatch(t, s, "r", "--out", out, "--json")
	stdin, feed := io.Pipe()
	defer feed.Close()
	send := startSluice(t, stdin, "send", "--server", s.URL, "--room", "r", "--live", "--name", "live.txt", "-")
	if _, err := feed.Write([]byte("so far\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the URL", func() bool { return strings.HasPrefix(send.out.String(), s.URL+"/media/") })
	eventually(t, "the first line", func() bool {
		for _, part := range files(t, out) {
			return string(part) == "so far\n"
		}
		return false
	})
	send.interrupt()
	if err := send.wait(); err != nil {
		t.Fatalf("send = %v", err)
	}
	eventually(t, "its end", func() bool { return w.out.String() != "" })
	if got := infos(t, w.out.String()); got[0].Kind != relay.Live || got[0].State != relay.Ended {
		t.Errorf("it ended as %+v", got[0])
	}
	if got := files(t, out); string(got["live.txt"]) != "so far\n" {
		t.Errorf("saved were %q", got)
	}
}

func TestAFileThatIsInterruptedIsCancelled(t *testing.T) {
	s := lab.Sluice(t)
	w := startWatch(t, s, "r", "--out", t.TempDir())
	stdin, feed := io.Pipe()
	defer feed.Close()
	send := startSluice(t, stdin, "send", "--server", s.URL, "--room", "r", "--name", "half", "-")
	if _, err := feed.Write(make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it arrives", func() bool { return streams(t, s, "r", relay.Open) == 1 })
	send.interrupt()
	if err := send.wait(); err == nil || err.Error() != "-: interrupted" {
		t.Errorf("send = %v; want interrupted", err)
	}
	eventually(t, "its end", func() bool { return strings.Contains(w.errs.String(), "half: it was not finished: it is cancelled") })
	if got := files(t, w.folder()); len(got) != 0 {
		t.Errorf("saved were %q", got)
	}
}

// folder is where a watch saves.
func (j *job) folder() string { return j.args[len(j.args)-1] }

// streams counts the streams of a room in one state.
func streams(t *testing.T, s *lab.Server, room string, state relay.State) int {
	t.Helper()
	out, _, err := sluice(t, "ls", "--server", s.URL, "--room", room, "--json")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, info := range infos(t, out) {
		if info.State == state {
			n++
		}
	}
	return n
}

func TestWatchFailsWhenItIsInterruptedInTheMiddle(t *testing.T) {
	s := lab.Sluice(t)
	out := t.TempDir()
	w := startWatch(t, s, "r", "--out", out)
	for _, live := range []bool{false, true} {
		args := []string{"send", "--server", s.URL, "--room", "r", "--name", fmt.Sprint("live=", live), "-"}
		if live {
			args = append(args, "--live")
		}
		stdin, feed := io.Pipe()
		defer feed.Close()
		startSluice(t, stdin, args...)
		if _, err := feed.Write([]byte("some")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both arrive", func() bool {
		n := 0
		for _, part := range files(t, out) {
			n += len(part)
		}
		return n == 8
	})
	w.interrupt()
	if err := w.wait(); err == nil || strings.Count(err.Error(), "broken off after 4 B") != 2 {
		t.Errorf("watch = %v; want two that were broken off", err)
	}
	if got := files(t, out); len(got) != 1 || string(got["live=true"]) != "some" {
		t.Errorf("saved were %q; want what came of the live stream", got)
	}
}

func TestOneStreamGoesToStandardOutput(t *testing.T) {
	s := lab.Sluice(t)
	path, content := randomFile(t, 20<<20)
	sent, _, err := sluice(t, "send", "--server", s.URL, "--room", "r", "--json", path)
	if err != nil {
		t.Fatal(err)
	}
	id := infos(t, sent)[0].ID
	out, said, err := sluice(t, "watch", "--server", s.URL, "--stream", id)
	if err != nil || out != string(content) || said != "" {
		t.Errorf("watch = %d bytes, %q, %v; want %d", len(out), said, err, len(content))
	}
	dir := t.TempDir()
	if _, _, err := sluice(t, "watch", "--server", s.URL, "--stream", id, "--out", dir); err != nil {
		t.Error(err)
	}
	if got := files(t, dir)["random.bin"]; !bytes.Equal(got, content) {
		t.Errorf("saved were %d bytes", len(got))
	}
	if _, _, err := sluice(t, "watch", "--server", s.URL, "--stream", "01ARZ3NDEKTSV4RRFFQ69G5FAV"); err == nil || !strings.Contains(err.Error(), "not_found") {
		t.Errorf("watch of nothing = %v; want not_found", err)
	}
	if _, _, err := sluice(t, "watch", "--server", s.URL, "--stream", id, "--room", "r"); err == nil {
		t.Error("watch of both = nil; want an error")
	}
}

func TestCommandsShowTheirToken(t *testing.T) {
	const secret = "a secret of this test"
	s := lab.Sluice(t, "--secret", secret)
	token, _, err := sluice(t, "token", "--secret", secret, "--room", "r", "--can", "publish,list,subscribe")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"send", "--room", "r", samples + "/av1.webm"}, {"ls", "--room", "r"}} {
		args := append(command, "--server", s.URL)
		if _, _, err := sluice(t, args...); err == nil || !strings.Contains(err.Error(), "unauthorized") {
			t.Errorf("%v = %v; want unauthorized", command, err)
		}
		if _, _, err := sluice(t, append(args, "--token", "rubbish")...); err == nil || !strings.Contains(err.Error(), "token") {
			t.Errorf("%v with rubbish = %v; want a word about the token", command, err)
		}
		t.Setenv("SLUICE_TOKEN", strings.TrimSpace(token))
		out, _, err := sluice(t, args...)
		if err != nil || out == "" {
			t.Errorf("%v with a token = %q, %v", command, out, err)
		}
		os.Unsetenv("SLUICE_TOKEN")
	}
}
