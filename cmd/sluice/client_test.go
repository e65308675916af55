package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/lab"
)

func TestServeGivesPagesTheClientOfAFolder(t *testing.T) {
	s := lab.Sluice(t, "--client", lab.PackagePath(t, "socket.io-client/dist"))
	stock := string(lab.PackageFile(t, "socket.io-client/dist/socket.io.js"))
	if got := textOf(t, s.URL+"/socket.io/socket.io.js"); got != stock {
		t.Errorf("socket.io.js begins %.40q; want the stock client", got)
	}
	if got := textOf(t, s.URL+"/sluice/socket.io.js"); !strings.HasPrefix(got, "// Sluice's") {
		t.Errorf("the client of sluice.js begins %.40q; want our own", got)
	}
}

func TestServeGivesPagesOurClient(t *testing.T) {
	s := lab.Sluice(t)
	if got := textOf(t, s.URL+"/socket.io/socket.io.esm.js"); !strings.HasPrefix(got, "// Sluice's") {
		t.Errorf("socket.io.esm.js begins %.40q; want our own", got)
	}
}

func TestServeRefusesAFolderWithoutAClient(t *testing.T) {
	folder := t.TempDir()
	err := (&Serve{Addr: "127.0.0.1:0", Client: folder}).check()
	if err == nil || !strings.HasPrefix(err.Error(), "--client: no Socket.IO client is there") {
		t.Errorf("an empty folder: %v; want a refusal", err)
	}
}

func textOf(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", url, res.StatusCode, err)
	}
	return string(body)
}
