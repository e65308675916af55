package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/internal/lab"
	"sluice/relay"
	"sluice/sio"
	"sluice/sio/client"
)

// answer is an acknowledgement.
type answer map[string]any

// startOther starts a server that is not sluice: script is what it tells a socket that joins.
func startOther(t *testing.T, script func(s *sio.Socket)) string {
	io := &sio.Server{}
	io.Of("/").On(string(callJoin), func(e *sio.Event) {
		e.Ack(answer{"ok": true, "streams": []relay.Info{}})
		script(e.Socket)
	})
	s := httptest.NewServer(io)
	t.Cleanup(func() {
		io.Shutdown(context.Background())
		s.Close()
	})
	return s.URL
}

func TestWatchKeepsOnlyWhatIsWhole(t *testing.T) {
	sum := sha256.Sum256([]byte("content"))
	begin := relay.Info{ID: "01J", Room: "r", Name: "f", Kind: relay.File, State: relay.Open}
	end := begin
	end.State, end.Size, end.SHA256 = relay.Ended, new(int64), hex.EncodeToString(sum[:])
	*end.Size = int64(len("content"))
	chunk := func(s *sio.Socket, offset int64, text string) {
		s.Emit(eventChunk, chunkEvent{Stream: begin.ID, Offset: offset}, []byte(text))
	}
	for name, tt := range map[string]struct {
		tell func(s *sio.Socket)
		want string
	}{
		"altered": {func(s *sio.Socket) { chunk(s, 0, "cOntent") }, "SHA-256"},
		"short":   {func(s *sio.Socket) { chunk(s, 0, "con") }, "3 bytes came of 7"},
		"gap": {func(s *sio.Socket) {
			s.Emit(eventGap, gapEvent{Stream: begin.ID, From: 0, To: 3, Reason: "behind"})
			chunk(s, 3, "tent")
		}, "3 bytes of it are missing"},
		"whole": {func(s *sio.Socket) {
			chunk(s, 0, "con")
			chunk(s, 0, "con") // again, as after a reconnection
			chunk(s, 1, "ontent")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			url := startOther(t, func(s *sio.Socket) {
				s.Emit(eventStream, begin)
				tt.tell(s)
				s.Emit(eventEnd, end)
				s.Emit(eventProblem, relay.Error{Code: "told", Message: "all"})
			})
			w := startSluice(t, nil, "watch", "--server", url, "--room", "r", "--out", out)
			eventually(t, "all is told", func() bool { return strings.Contains(w.errs.String(), "told: all") })
			w.interrupt()
			err := w.wait()
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("watch = %v; want %q", err, tt.want)
			}
			got := files(t, out)
			if whole := string(got["f"]) == "content"; len(got) > 1 || whole != (tt.want == "") {
				t.Errorf("saved were %q", got)
			}
		})
	}
}

func TestWatchEndsWhenTheServerLeavesSomethingOut(t *testing.T) {
	url := startOther(t, func(s *sio.Socket) {
		s.Emit(eventStream, relay.Info{ID: "01J", Kind: relay.File, State: relay.Open})
		s.Emit(eventChunk, chunkEvent{Stream: "01J", Offset: 5}, []byte("x"))
	})
	out := t.TempDir()
	w := startSluice(t, nil, "watch", "--server", url, "--room", "r", "--out", out)
	if err := w.wait(); err == nil || !strings.Contains(err.Error(), "left something out") {
		t.Errorf("watch = %v; want what the server did", err)
	}
	if got := files(t, out); len(got) != 0 {
		t.Errorf("saved were %q", got)
	}
}

func TestWatchNeverWritesOutsideItsFolder(t *testing.T) {
	names := []string{"../out", "/etc/passwd", "..", "a/../../b", `..\c`, "NUL", ".hidden", "\x1b]0;title\a"}
	url := startOther(t, func(s *sio.Socket) {
		for i, name := range names {
			info := relay.Info{ID: fmt.Sprintf("01J%d", i), Name: name, Kind: relay.File, State: relay.Open}
			s.Emit(eventStream, info)
			info.State, info.Size = relay.Ended, new(int64)
			s.Emit(eventEnd, info)
		}
	})
	parent := t.TempDir()
	w := startSluice(t, nil, "watch", "--server", url, "--room", "r", "--out", parent+"/out")
	eventually(t, "all are saved", func() bool { return strings.Count(w.out.String(), "\n") == len(names) })
	w.interrupt()
	if err := w.wait(); err != nil {
		t.Error(err)
	}
	saved := files(t, parent+"/out")
	for name := range saved {
		if name[0] == '.' || strings.ContainsAny(name, "/\\\x1b") {
			t.Errorf("saved as %q", name)
		}
	}
	if len(saved) != len(names) {
		t.Errorf("%d files in the folder; want %d", len(saved), len(names))
	}
}

func TestLsShowsMoreThanOnePage(t *testing.T) {
	const count = listLimit + 5
	s := lab.Sluice(t)
	c, err := client.Dial(t.Context(), s.URL, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var sent []*client.Pending
	for i := range count {
		p, err := c.Start(t.Context(), "send", answer{"room": "r", "name": fmt.Sprint(i)}, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, p)
	}
	for _, p := range sent {
		if _, err := p.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	out, _, err := sluice(t, "ls", "--server", s.URL, "--room", "r")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != count || !strings.HasSuffix(strings.TrimSpace(lines[0]), fmt.Sprint(count-1)) {
		t.Errorf("ls printed %d lines, the first %q; want %d, the newest first", len(lines), lines[0], count)
	}
}
