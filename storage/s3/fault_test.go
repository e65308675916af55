package s3

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/internal/lab"
	"sluice/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func put(ctx context.Context, s *Store, key string, body []byte) (storage.Info, error) {
	w, err := s.Create(ctx, key, storage.Options{Type: "video/webm", Size: -1})
	if err != nil {
		return storage.Info{}, err
	}
	if _, err := w.Write(body); err != nil {
		return storage.Info{}, errors.Join(err, w.Abort())
	}
	return w.Commit(ctx)
}

func mustPut(t *testing.T, s *Store, key string, body []byte) {
	t.Helper()
	if _, err := put(t.Context(), s, key, body); err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

func want(t *testing.T, s *Store, key string, body []byte) {
	t.Helper()
	r, _, err := s.Open(t.Context(), key, 0, -1)
	if err != nil {
		t.Fatalf("Open(%s) = %v", key, err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); !bytes.Equal(got, body) || err != nil {
		t.Errorf("%s holds %d bytes, %v; want the %d written", key, len(got), err, len(body))
	}
}

// openUploadsOf asks the server which uploads are open.
func openUploadsOf(t *testing.T, s *Store) int {
	t.Helper()
	n, err := s.Uploads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFaults(t *testing.T) {
	server := lab.StartS3(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *lab.S3Server)
	}{
		{"a lost answer is looked up", testLostAnswers},
		{"a lost request is repeated", testLostRequests},
		{"a 200 that is an error is repeated", testErrorWith200},
		{"what the wire has changed is refused and sent again", testFlippedBit},
		{"a checksum that differs is asked for once more", testOtherSum},
		{"a download goes on where it broke off", testBrokenDownload},
		{"a download does not go on in another object", testReplacedDownload},
		{"an abort leaves nothing on the server", testAbort},
		{"an upload that cannot be written down arrives all the same", testNoRecord},
		{"what a killed process left is swept", testSweepRecorded},
		{"what nobody wrote down is swept when it is old", testSweepListed},
		{"more writers than memory for them all end", testLittleMemory},
		{"the server keeps the checksum that was sent", testChecksum},
		{"parts grow when there may be only a few", testFewParts},
		{"a hanging server is waited for", testPause},
		{"a killed server is waited for", testKill},
		{"check tells what is wrong", testCheck},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, server) })
	}
}

var (
	small = random(1000)
	large = random(11*mib + 1)
)

func testLostAnswers(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	w := through(t, &o, "put", "begin", "part", "part", "complete", "head", "get", "list", "delete")
	w.happen = lostAnswer
	s := open(t, o)
	mustPut(t, s, "small", small)
	mustPut(t, s, "large", large)
	want(t, s, "small", small)
	want(t, s, "large", large)
	var keys []string
	err := s.List(t.Context(), "", "", func(info storage.Info) error {
		keys = append(keys, info.Key)
		return nil
	})
	if err != nil || !slices.Equal(keys, []string{"large", "small"}) {
		t.Errorf("List() = %q, %v; want each object once", keys, err)
	}
	if err := s.Delete(t.Context(), "small"); err != nil {
		t.Errorf("Delete() = %v; want nil", err)
	}
	if left := w.left(); len(left) != 0 {
		t.Errorf("%v never happened", left)
	}
	// The upload that was begun twice is known to nobody.
	if n := openUploadsOf(t, s); n != 1 {
		t.Errorf("%d uploads are open; want the one whose name was lost", n)
	}
	if n, err := s.sweepListed(t.Context(), unwanted, time.Now().Add(time.Minute)); n != 1 || err != nil {
		t.Errorf("swept %d, %v; want 1", n, err)
	}
}

func testLostRequests(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	w := through(t, &o, "put", "put", "begin", "part", "part", "part", "complete", "complete", "head", "get")
	w.happen = lostRequest
	s := open(t, o)
	mustPut(t, s, "small", small)
	mustPut(t, s, "large", large)
	want(t, s, "small", small)
	want(t, s, "large", large)
	if n := openUploadsOf(t, s); n != 0 {
		t.Errorf("%d uploads are open; want none", n)
	}
}

func testErrorWith200(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	w := through(t, &o, "complete", "complete")
	w.happen = errorWith200
	s := open(t, o)
	mustPut(t, s, "large", large)
	want(t, s, "large", large)
	if n := w.count("complete"); n != 3 {
		t.Errorf("completed %d times; want 3", n)
	}
}

func testFlippedBit(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	w := through(t, &o, "put", "part")
	w.happen = flippedBit
	s := open(t, o)
	mustPut(t, s, "small", small)
	mustPut(t, s, "large", large)
	want(t, s, "small", small)
	want(t, s, "large", large)
	if puts, parts := w.count("put"), w.count("part"); puts != 2 || parts != 4 {
		t.Errorf("%d puts and %d parts were sent; want 2 and 4", puts, parts)
	}
}

func testOtherSum(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	w := through(t, &o, "head")
	w.happen = otherSum
	s := open(t, o)
	mustPut(t, s, "small", small)
	want(t, s, "small", small)

	o = connect(t, server)
	w = through(t, &o, "head", "head")
	w.happen = otherSum
	s = open(t, o)
	if _, err := put(t.Context(), s, "small", small); !errors.Is(err, storage.ErrCorrupt) || len(w.left()) != 0 {
		t.Errorf("Commit = %v; want ErrCorrupt after two looks", err)
	}
}

func testBrokenDownload(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	w := through(t, &o, slices.Repeat([]string{"get"}, 9)...)
	w.happen = brokenAnswer
	s := open(t, o)
	mustPut(t, s, "large", large)
	want(t, s, "large", large)
	if n := w.count("get"); n != 10 {
		t.Errorf("it took %d downloads; want 10", n)
	}
}

func testReplacedDownload(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	w := through(t, &o, "get")
	w.happen = brokenAnswer
	s := open(t, o)
	mustPut(t, s, "large", large)
	r, _, err := s.Open(t.Context(), "large", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	mustPut(t, s, "large", random(11*mib+2))
	if n, err := io.Copy(io.Discard, r); err == nil {
		t.Errorf("read %d bytes of two objects; want an error", n)
	}
}

func testAbort(t *testing.T, server *lab.S3Server) {
	s := open(t, connect(t, server))
	w, err := s.Create(t.Context(), "aborted", storage.Options{Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(large); err != nil {
		t.Fatal(err)
	}
	if n := openUploadsOf(t, s); n != 1 {
		t.Errorf("%d uploads are open while writing; want 1", n)
	}
	if err := w.Abort(); err != nil {
		t.Errorf("Abort() = %v; want nil", err)
	}
	if n := openUploadsOf(t, s); n != 0 {
		t.Errorf("%d uploads are open after Abort; want none", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if w, err = s.Create(ctx, "cancelled", storage.Options{Size: -1}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(large); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := w.Commit(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit() = %v; want context.Canceled", err)
	}
	if n := openUploadsOf(t, s); n != 0 {
		t.Errorf("%d uploads are open after a failed Commit; want none", n)
	}
}

func testNoRecord(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	o.Record = filepath.Join(t.TempDir(), "uploads")
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.uploads.file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := put(t.Context(), s, "large", large); err != nil {
		t.Errorf("put = %v", err)
	}
	if n := openUploadsOf(t, s); n != 0 {
		t.Errorf("%d uploads are left on the server", n)
	}
}

// unwanted wants nothing to be spared.
func unwanted(string) bool { return false }

func testSweepRecorded(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	o.Record = filepath.Join(t.TempDir(), "uploads")
	killed, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	w, err := killed.Create(t.Context(), "killed", storage.Options{Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(large); err != nil {
		t.Fatal(err)
	}
	w.(*writer).upload.sending.Wait()
	if err := killed.Close(); err != nil {
		t.Fatal(err)
	}
	next := open(t, o)
	if n := openUploadsOf(t, next); n != 1 {
		t.Errorf("%d uploads are open; want 1", n)
	}
	if n, err := next.Sweep(t.Context(), func(key string) bool { return key == "killed" }); n != 0 || err != nil {
		t.Errorf("Sweep() of what is wanted = %d, %v; want 0", n, err)
	}
	if n, err := next.Sweep(t.Context(), unwanted); n != 1 || err != nil {
		t.Errorf("Sweep() = %d, %v; want 1", n, err)
	}
	if n := openUploadsOf(t, next); n != 0 {
		t.Errorf("%d uploads are open after Sweep; want none", n)
	}
	if n, err := next.Sweep(t.Context(), unwanted); n != 0 || err != nil {
		t.Errorf("a second Sweep() = %d, %v; want 0", n, err)
	}
	_ = w.Abort()
}

func testSweepListed(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	mine, other := open(t, o), open(t, o)
	var writers []storage.Writer
	for _, s := range []*Store{mine, other} {
		w, err := s.Create(t.Context(), "open", storage.Options{Size: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort() //nolint:errcheck // it may be gone
		if _, err := w.Write(large); err != nil {
			t.Fatal(err)
		}
		w.(*writer).upload.sending.Wait()
		writers = append(writers, w)
	}
	if n, err := mine.Sweep(t.Context(), unwanted); n != 0 || err != nil {
		t.Errorf("Sweep() = %d, %v; want nothing, as all of it is new", n, err)
	}
	if n, err := mine.sweepListed(t.Context(), unwanted, time.Now().Add(time.Minute)); n != 1 || err != nil {
		t.Errorf("sweeping what is older = %d, %v; want the one that is not mine", n, err)
	}
	if _, err := writers[0].Commit(t.Context()); err != nil {
		t.Errorf("Commit of mine = %v; want nil", err)
	}
	if _, err := writers[1].Commit(t.Context()); err == nil {
		t.Error("Commit of what was swept = nil; want an error")
	}
	want(t, mine, "open", large)
}

func testChecksum(t *testing.T, server *lab.S3Server) {
	s := open(t, connect(t, server))
	for _, body := range [][]byte{small, large} {
		mustPut(t, s, "sum", body)
		object, err := s.stat(t.Context(), "sum")
		if err != nil {
			t.Fatal(err)
		}
		sum := newCRC()
		sum.Write(body)
		if want := base64.StdEncoding.EncodeToString(sum.Sum(nil)); object.ChecksumCRC64NVME != want {
			t.Errorf("the server has CRC-64 %q of %d bytes; want %q", object.ChecksumCRC64NVME, len(body), want)
		}
	}
}

func testLittleMemory(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	o.MemoryBytes = 2 * MinPartBytes
	s := open(t, o)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if _, err := put(t.Context(), s, string(rune('a'+i)), large); err != nil {
				t.Errorf("put: %v", err)
			}
		})
	}
	all.Wait()
	if !s.parts.share.TryAcquire(o.MemoryBytes) {
		t.Error("some memory was not given back")
	}
}

func testFewParts(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	o.MaxParts = 4 // 5, 5, 10 and 320 MiB
	w := through(t, &o)
	s := open(t, o)
	body := random(21 * mib)
	mustPut(t, s, "few", body)
	want(t, s, "few", body)
	if n := w.count("part"); n != 4 {
		t.Errorf("%d parts were sent; want 4", n)
	}
	o.MaxParts, o.EqualParts = 2, true
	if _, err := put(t.Context(), open(t, o), "much", body); !errors.Is(err, storage.ErrTooLarge) {
		t.Errorf("put of more than the parts can hold = %v; want ErrTooLarge", err)
	}
	if _, err := s.Stat(t.Context(), "much"); err == nil {
		t.Error("what was too large is there")
	}
}

// commitDuring commits while the server is away, and brings it back when the first attempt has failed.
func commitDuring(t *testing.T, o Options, away, back func()) {
	t.Helper()
	o.Attempts, o.StallTimeout, o.AnswerTimeout = 100, 300*time.Millisecond, 2*time.Second
	w := through(t, &o)
	s := open(t, o)
	writer, err := s.Create(t.Context(), "during", storage.Options{Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write(large); err != nil {
		t.Fatal(err)
	}
	before := w.count("part")
	away()
	done := make(chan error, 1)
	go func() {
		_, err := writer.Commit(t.Context())
		done <- err
	}()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for w.count("part") < before+3 {
		select {
		case <-again.C:
		case err := <-done:
			back()
			t.Fatalf("Commit() = %v while the server was away", err)
		}
	}
	back()
	if err := <-done; err != nil {
		t.Fatalf("Commit() = %v; want nil, the server being back", err)
	}
	want(t, s, "during", large)
}

func testPause(t *testing.T, server *lab.S3Server) {
	commitDuring(t, connect(t, server), server.Pause, server.Resume)
}

func testKill(t *testing.T, server *lab.S3Server) {
	commitDuring(t, connect(t, server), server.Kill, server.Start)
}

func testCheck(t *testing.T, server *lab.S3Server) {
	o := connect(t, server)
	if err := open(t, o).Check(t.Context()); err != nil {
		t.Errorf("Check() = %v; want nil", err)
	}
	for name, spoil := range map[string]func(*Options){
		"a missing bucket": func(o *Options) { o.Bucket = "missing" },
		"a wrong key":      func(o *Options) { o.SecretKey = "wrong" },
		"a closed port":    func(o *Options) { o.Endpoint = "127.0.0.1:1" },
	} {
		bad := o
		spoil(&bad)
		err := open(t, bad).Check(t.Context())
		if err == nil || strings.Contains(err.Error(), bad.SecretKey) {
			t.Errorf("Check with %s = %v; want an error without secrets", name, err)
		}
	}
}
