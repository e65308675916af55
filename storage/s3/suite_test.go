package s3

import (
	"crypto/rand"
	"io"
	"log/slog"
	"testing"

	"sluice/internal/lab"
	"sluice/storage"
	"sluice/storage/storagetest"
)

// connect returns options for an empty folder of server's bucket, with the smallest parts.
func connect(t *testing.T, server *lab.S3Server) Options {
	t.Helper()
	if server.CAFile != "" {
		t.Setenv("SSL_CERT_FILE", server.CAFile)
	}
	o, err := ParseURL(server.URL + "&part-size=5&prefix=" + rand.Text())
	if err != nil {
		t.Fatal(err)
	}
	o.TempFolder = t.TempDir()
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	return o
}

// open opens a store until the test ends.
func open(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v; want nil", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	server := lab.StartS3(t)
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, connect(t, server)) })
}

func TestStoreWithoutTLS(t *testing.T) {
	server := lab.StartPlainS3(t)
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, connect(t, server)) })
}
