package faults

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"sluice/internal/lab"
	"sluice/relay"
	"sluice/storage"
	"sluice/storage/s3"
)

// scale is how much is done.
type scale struct {
	senders int
	rounds  []round
	pause   time.Duration // how long a line is bad, or a disk full, at most
	still   time.Duration // how long S3 stands still, at least a sixth of it
	outage  time.Duration // of S3, which is to be longer than a request is tried again
	drain   time.Duration // how long the archive may take in the end
}

// round is one kind of fault while files are sent.
type round struct {
	fault string
	times int // how often it is injected
	files int
}

var (
	short = scale{senders: 3, pause: time.Second, still: time.Second, outage: 5 * time.Second, drain: 2 * time.Minute, rounds: []round{
		{sluiceKilled, 3, 30}, {s3Killed, 1, 8}, {s3Stopped, 1, 8}, {wireReset, 2, 8}, {wireSlow, 1, 8},
		{answered503, 3, 8}, {bitOnWire, 2, 8}, {errorIn200, 2, 16}, {answerLost, 4, 16}, {diskFull, 2, 16}, {bitInSpool, 2, 8},
	}}
	long = scale{senders: 6, pause: 3 * time.Second, still: 30 * time.Second, outage: 7 * time.Second, drain: 5 * time.Minute, rounds: []round{
		{sluiceKilled, 100, 2000}, {s3Killed, 10, 100}, {s3Stopped, 6, 100}, {wireReset, 50, 1000}, {wireSlow, 10, 100},
		{answered503, 50, 100}, {bitOnWire, 20, 100}, {errorIn200, 20, 200}, {answerLost, 40, 200}, {diskFull, 20, 200}, {bitInSpool, 100, 300},
	}}
)

// The faults.
const (
	sluiceKilled = "sluice killed"
	s3Killed     = "S3 killed"
	s3Stopped    = "S3 stands still"
	wireReset    = "connections reset"
	wireSlow     = "answers delayed"
	answered503  = "503 SlowDown"
	bitOnWire    = "bit flipped on the wire"
	errorIn200   = "200 with an error"
	answerLost   = "answer lost"
	diskFull     = "disk full"
	bitInSpool   = "bit flipped in the spool"
)

// row is what came of a round.
type row struct {
	injected, acknowledged, archived, lost, damaged, twice int
}

// upload is a file that was acknowledged.
type upload struct {
	fault  string // in whose round
	info   relay.Info
	spoilt bool // on purpose: it must not be archived
}

// stage is all that plays a part.
type stage struct {
	t       *testing.T
	scale   scale
	s3      *lab.S3Server
	wire    *wire
	line    *toxiproxy.Proxy // in front of wire
	sluice  *lab.Server
	url     string
	disk    string    // that can be filled
	through string    // what sluice takes for the S3 server
	store   *s3.Store // the bucket itself
	rows    map[string]*row

	mu   sync.Mutex
	sent map[string]*upload // by name; guarded by mu
	done int                // files of this round that were acknowledged, or never will be
}

func TestWhatWasAcknowledgedIsInTheBucketOnce(t *testing.T) {
	s := &stage{t: t, scale: short, sent: map[string]*upload{}, rows: map[string]*row{}}
	if os.Getenv("FAULTS") == "long" {
		s.scale = long
	}
	s.open()
	for _, r := range s.scale.rounds {
		s.rows[r.fault] = &row{}
		switch r.fault {
		case bitInSpool:
			s.spoil(r)
		case diskFull:
			s.onSmallDisk(func() { s.run(r) })
		default:
			s.run(r)
		}
	}
	s.inspect()
	s.report()
	if n := s.orphans(); n > 0 {
		t.Errorf("%d uploads of parts are left", n)
	}
}

// run sends files while the fault is injected, and waits until they are archived.
func (s *stage) run(r round) {
	ended := s.send(r)
	for i := range r.times {
		if !s.await(i*r.files/r.times, ended) {
			break // all was sent before
		}
		s.faults()[r.fault]()
		s.rows[r.fault].injected++
	}
	<-ended
	s.rows[r.fault].injected -= s.wire.left()
	s.drain(0)
}

// spoil has files acknowledged that cannot be archived yet, and flips bits of some in the spool, of which nothing is in memory.
func (s *stage) spoil(r round) {
	s.s3.Kill()
	<-s.send(r)
	s.sluice.Kill()
	for _, u := range s.sent {
		if u.fault != r.fault || *u.info.Size == 0 || s.rows[r.fault].injected == r.times {
			continue
		}
		path := filepath.Join(s.sluice.Data, "spool", u.info.ID+".data")
		content, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		content[rand.IntN(len(content))] ^= 1 << rand.IntN(8)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			s.t.Fatal(err)
		}
		u.spoilt = true
		s.rows[r.fault].injected++
	}
	s.s3.Start()
	s.sluice.Start()
	s.drain(s.rows[r.fault].injected)
}

// smallDisk is the size of the disk that gets full.
const smallDisk = 96 << 20

// onSmallDisk calls f with a server of its own, whose data is on a disk that can be filled.
func (s *stage) onSmallDisk(f func()) {
	t := s.t
	s.disk = t.TempDir()
	if err := syscall.Mount("tmpfs", s.disk, "tmpfs", 0, fmt.Sprintf("size=%d", smallDisk)); err != nil {
		if os.Getuid() == 0 {
			t.Fatal(err)
		}
		t.Logf("%s: not tried, since only root may mount a disk that can be filled", diskFull)
		return
	}
	defer func() {
		if err := syscall.Unmount(s.disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	before, url := s.sluice, s.url
	s.sluice = lab.Sluice(t, "--s3", s.through, "--data", filepath.Join(s.disk, "data"))
	s.url = s.sluice.URL
	f()
	s.sluice.Stop()
	s.sluice, s.url = before, url
}

// fillDisk takes all the room that there is for a while.
func (s *stage) fillDisk() {
	ballast := filepath.Join(s.disk, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer f.Close()
	for until := time.Now().Add(rand.N(s.scale.pause)); time.Now().Before(until); {
		// What is freed meanwhile is taken, too.
		if _, err := f.Write(make([]byte, 64<<10)); err != nil {
			s.linger(20 * time.Millisecond)
		}
	}
	if err := os.Remove(ballast); err != nil {
		s.t.Error(err)
	}
}

func (s *stage) open() {
	t := s.t
	s.s3 = lab.StartS3(t)
	t.Setenv("SSL_CERT_FILE", s.s3.CAFile)
	s.wire = startWire(t, s.s3)
	registry := prometheus.NewRegistry()
	s.line = toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(registry), zerolog.Nop()), "s3", "127.0.0.1:0", s.wire.addr)
	if err := s.line.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.line.Stop)
	s.through = strings.Replace(s.s3.URL, s.s3.Address, s.line.Listen, 1) + "&part-size=5"
	s.sluice = lab.Sluice(t, "--s3", s.through)
	s.url = s.sluice.URL
	o, err := s3.ParseURL(s.s3.URL)
	if err != nil {
		t.Fatal(err)
	}
	if s.store, err = s3.Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
}

// send has the command send files, from several processes. What it returns is closed when all are sent.
func (s *stage) send(r round) <-chan struct{} {
	s.mu.Lock()
	s.done = 0
	s.mu.Unlock()
	work := make(chan string, r.files)
	for i := range r.files {
		work <- fmt.Sprintf("%s %04d.bin", r.fault, i)
	}
	close(work)
	folder, ended := s.t.TempDir(), make(chan struct{})
	var senders sync.WaitGroup
	for range s.scale.senders {
		senders.Go(func() {
			for name := range work {
				s.sendFile(r.fault, filepath.Join(folder, name))
			}
		})
	}
	go func() {
		defer close(ended)
		senders.Wait()
	}()
	return ended
}

// fileSize is how large the next file is: most are small, some have parts.
func fileSize() int {
	switch rand.IntN(10) {
	case 0, 1:
		return 5<<20 + rand.IntN(12<<20)
	case 2:
		return rand.IntN(2)
	case 3, 4:
		return rand.IntN(2 << 20)
	}
	return rand.IntN(64 << 10)
}

// startAgain is the time between two tries to reach a server that is being started.
const startAgain = 50 * time.Millisecond

// sendFile sends a new file until it is acknowledged, or never will be.
func (s *stage) sendFile(fault, path string) {
	name := filepath.Base(path)
	content := make([]byte, fileSize())
	rand.NewChaCha8(sha256.Sum256([]byte(name))).Read(content)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		s.t.Error(err)
		return
	}
	defer os.Remove(path)
	info, err := s.command(path)
	if sum := fmt.Sprintf("%x", sha256.Sum256(content)); err == nil && info.SHA256 != sum {
		err = fmt.Errorf("acknowledged with the hash %s; want %s", info.SHA256, sum)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	if err != nil {
		s.t.Errorf("%s: %v", name, err)
		return
	}
	s.sent[name] = &upload{fault: fault, info: info}
	s.rows[fault].acknowledged++
}

// command runs `sluice send`, which goes on when the server is back, but has to be run again if it is not there to begin with.
func (s *stage) command(path string) (info relay.Info, err error) {
	for range 100 {
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(s.t.Context(), lab.Binary(s.t), "send", "--server", s.url, "--room", "r", "--json", path)
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err = cmd.Run(); err == nil {
			return info, json.Unmarshal(out.Bytes(), &info)
		}
		err = fmt.Errorf("%w: %s", err, errs.String())
		if strings.Contains(errs.String(), filepath.Base(path)) {
			break // it was connected
		}
		time.Sleep(startAgain)
	}
	return info, err
}

// await returns when so many files of the round are done with; false: all are.
func (s *stage) await(n int, ended <-chan struct{}) bool {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		s.mu.Lock()
		done := s.done
		s.mu.Unlock()
		if done >= n {
			return true
		}
		select {
		case <-ended:
			return false
		case <-look.C:
		}
	}
}

func (s *stage) faults() map[string]func() {
	return map[string]func(){
		sluiceKilled: func() {
			s.linger(200 * time.Millisecond) // anywhere in what is under way
			s.sluice.Kill()
			s.sluice.Start()
		},
		s3Killed: func() {
			s.s3.Kill()
			time.Sleep(s.scale.outage)
			s.s3.Start()
		},
		s3Stopped: func() {
			s.s3.Pause()
			s.linger(s.scale.still*5/6, s.scale.still/6)
			s.s3.Resume()
		},
		diskFull:  s.fillDisk,
		wireReset: func() { s.toxic(`{"name":"x","type":"reset_peer","stream":"upstream","attributes":{"timeout":20}}`) },
		wireSlow: func() {
			s.toxic(`{"name":"x","type":"latency","stream":"downstream","attributes":{"latency":300,"jitter":200}}`)
		},
		answered503: func() { s.wire.do(&tamper{isWrite, answer(503, "SlowDown")}) },
		bitOnWire:   func() { s.wire.do(&tamper{isPart, flip}) },
		errorIn200:  func() { s.wire.do(&tamper{isComplete, answer(200, "InternalError")}) },
		answerLost: func() {
			s.wire.do(&tamper{[]func(*http.Request) bool{isPart, isComplete, isBegin}[rand.IntN(3)], lose})
		},
	}
}

// linger waits for a time by chance, and for what is given beside.
func (s *stage) linger(most time.Duration, beside ...time.Duration) {
	wait := rand.N(most)
	for _, d := range beside {
		wait += d
	}
	select {
	case <-time.After(wait):
	case <-s.t.Context().Done():
	}
}

// toxic poisons the line for a while.
func (s *stage) toxic(what string) {
	if _, err := s.line.Toxics.AddToxicJson(strings.NewReader(what)); err != nil {
		s.t.Error(err)
		return
	}
	s.linger(s.scale.pause)
	if err := s.line.Toxics.RemoveToxic(s.t.Context(), "x"); err != nil {
		s.t.Error(err)
	}
}

// drain waits until the spool has nothing more to be archived but so many streams, which it is said to have damaged.
func (s *stage) drain(but int) {
	deadline := time.Now().Add(s.scale.drain)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for ; ; <-look.C {
		left, err := filepath.Glob(filepath.Join(s.sluice.Data, "spool", "*.index"))
		damaged := strings.Count(s.sluice.Log(), "the spool's copy is damaged")
		if err != nil || len(left) == but && damaged == but {
			return
		}
		if time.Now().After(deadline) {
			s.t.Errorf("after %v %d streams are in the spool, of which it has damaged %d; want %d", s.scale.drain, len(left), damaged, but)
			return
		}
	}
}

// inspect compares the bucket with what was acknowledged.
func (s *stage) inspect() {
	s.sluice.Stop()
	contents, manifests := map[string][]string{}, map[string]relay.Info{} // by id
	names := map[string]int{}
	err := s.store.List(context.Background(), "", "", func(o storage.Info) error {
		id, _, _ := strings.Cut(filepath.Base(o.Key), ".")
		if strings.HasPrefix(o.Key, "media/") {
			contents[id] = append(contents[id], o.Key)
			return nil
		}
		var info relay.Info
		if err := json.Unmarshal(s.read(o.Key), &info); err != nil {
			return err
		}
		manifests[id] = info
		names[info.Name]++
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for name, u := range s.sent {
		row, keys, id := s.rows[u.fault], contents[u.info.ID], u.info.ID
		switch {
		case u.spoilt && len(keys) > 0:
			s.t.Errorf("%s is archived, though it was spoilt: its stream is %s", name, id)
			row.damaged++
		case u.spoilt:
		case len(keys) == 0 || manifests[id].ID == "":
			s.t.Errorf("%s is lost: its stream is %s", name, id)
			row.lost++
		case fmt.Sprintf("%x", sha256.Sum256(s.read(keys[0]))) != u.info.SHA256 || manifests[id].SHA256 != u.info.SHA256:
			s.t.Errorf("%s is damaged: its stream is %s", name, id)
			row.damaged++
		case len(keys) > 1 || names[name] > 1:
			s.t.Errorf("%s is there %d times: one is %s", name, max(len(keys), names[name]), id)
			row.twice++
		default:
			row.archived++
		}
	}
}

func (s *stage) read(key string) []byte {
	r, _, err := s.store.Open(context.Background(), key, 0, -1)
	if err != nil {
		s.t.Error(err)
		return nil
	}
	defer r.Close()
	body, err := io.ReadAll(r)
	if err != nil {
		s.t.Error(err)
	}
	return body
}

// orphans counts the uploads that are left once the sweeps of the next hours have been made.
func (s *stage) orphans() int {
	ago := time.Now().Add(-2 * time.Hour)
	err := filepath.Walk(filepath.Join(s.s3.Folder(), ".sgwtmp"), func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, ago, ago)
	})
	if err != nil && !os.IsNotExist(err) {
		s.t.Error(err)
	}
	if _, err := s.store.Sweep(context.Background(), func(string) bool { return false }); err != nil {
		s.t.Error(err)
	}
	n, err := s.store.Uploads(context.Background())
	if err != nil {
		s.t.Error(err)
	}
	return n
}

// report logs the table.
func (s *stage) report() {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "fault\tinjected\tacknowledged\tarchived\tlost\tdamaged\ttwice\t")
	for _, r := range s.scale.rounds {
		row := s.rows[r.fault]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", r.fault, row.injected, row.acknowledged, row.archived, row.lost, row.damaged, row.twice)
	}
	table.Flush()
	s.t.Logf("\n%s", text.String())
}
