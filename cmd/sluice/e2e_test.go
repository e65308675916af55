package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/lab"
	"sluice/relay"
	"sluice/storage"
	"sluice/storage/dir"
)

const samples = "../../chunker/testdata" // from this folder

// sampleTypes is what each kind of sample is, whatever its sender says.
var sampleTypes = map[string]string{
	".gif": "image/gif", ".webp": "image/webp", ".png": "image/png", ".jpg": "image/jpeg", ".avif": "image/avif",
	".webm": "video/webm", ".mkv": "video/x-matroska", ".mov": "video/quicktime", ".ts": "video/mp2t", ".mp4": "video/mp4",
	".aac": "audio/aac", ".flac": "audio/flac", ".m4a": "audio/mp4", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".wav": "audio/wav",
}

// result is one line of samples.js: a sample that came through.
type result struct {
	File, Transport, ID, SHA256, Type, Served string
}

// sendSamples has stock clients send every sample over every transport, and checks their types.
func sendSamples(t *testing.T, s *lab.Server, env ...string) []result {
	t.Helper()
	out := lab.Node(t, "samples.js", append(env, "SLUICE_URL="+s.URL, "SAMPLES="+samples)...)
	var results []result
	for line := range bytes.Lines(out) {
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("samples.js printed %q", line)
		}
		if want := sampleTypes[filepath.Ext(r.File)]; r.Type != want || r.Served != want {
			t.Errorf("%s: type %s, served as %s; want %s", r.File, r.Type, r.Served, want)
		}
		results = append(results, r)
	}
	files, err := filepath.Glob(samples + "/*.*")
	if err != nil || len(results) != 3*len(files) || len(files) == 0 {
		t.Fatalf("%d results for %d files and 3 transports, %v", len(results), len(files), err)
	}
	return results
}

// checkStore looks in a store for the content and the manifest of every result.
func checkStore(t *testing.T, store storage.Store, results []result) {
	t.Helper()
	manifests := map[string]relay.Info{}
	err := store.List(t.Context(), "rooms/", "", func(o storage.Info) error {
		r, _, err := store.Open(t.Context(), o.Key, 0, -1)
		if err != nil {
			return err
		}
		defer r.Close()
		var info relay.Info
		if err := json.NewDecoder(bufio.NewReader(r)).Decode(&info); err != nil {
			return err
		}
		manifests[info.ID] = info
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]int64{}
	err = store.List(t.Context(), "media/", "", func(o storage.Info) error {
		id, _, _ := strings.Cut(filepath.Base(o.Key), ".")
		contents[id] = o.Size
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		m, ok := manifests[r.ID]
		if !ok || m.SHA256 != r.SHA256 || m.Type != r.Type || m.State != relay.Archived || contents[r.ID] != *m.Size {
			t.Errorf("%s over %s: the store has %+v, %d bytes", r.File, r.Transport, m, contents[r.ID])
		}
	}
	if len(contents) != len(results) {
		t.Errorf("%d contents in the store for %d uploads", len(contents), len(results))
	}
}

func TestEverySampleComesThroughOnEveryTransport(t *testing.T) {
	data := t.TempDir()
	s := lab.Sluice(t, "--data", data)
	results := sendSamples(t, s)
	s.Stop()
	store, err := dir.Open(filepath.Join(data, "archive"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	checkStore(t, store, results)
}

func TestTheContractHoldsForStockClients(t *testing.T) {
	s := lab.Sluice(t)
	lab.Node(t, "contract.js", "SLUICE_URL="+s.URL)
}
